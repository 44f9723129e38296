//! `[oauth]`: tokens, proofs of possession and the cost of checking a secret.

use std::time::Duration;

use super::DatabaseUrl;
use crate::base::environment::Environment;
use crate::base::secret::Secret;
use crate::config::origin::{WebOrigin, origin};
use crate::config::reader::Reader;
use crate::config::values::{Raw, choice, duration, integer, size};
use crate::db::Engine;

/// The algorithm of new signing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningAlg {
    /// ECDSA on P-256, which every verifier knows.
    Es256,
    /// Ed25519.
    Ed25519,
}

/// Whether proofs must carry a nonce of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceMode {
    /// Never asked for.
    Off,
    /// Always: a proof made in advance is worth nothing.
    Required,
    /// Only when a proof's time is out of the window, so that a caller with a wrong clock can go on.
    OnClockSkew,
}

/// Where used proofs are remembered. `auto` in the file has been decided here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayStore {
    /// In this process: right for one replica only.
    Memory,
    /// In Redis, shared.
    Redis,
    /// In PostgreSQL, shared.
    Postgres,
}

/// Settings of the authorization server and of the proof check.
#[derive(Debug, Clone)]
pub struct OAuth {
    /// The `iss` of our tokens.
    pub issuer: WebOrigin,
    /// How long an access token lives.
    pub token_lifetime: Duration,
    /// The algorithm of new signing keys; older ones keep verifying.
    pub signing_alg: SigningAlg,
    /// How far a proof's `iat` may lie from our clock, to either side.
    pub proof_window: Duration,
    /// Whether proofs must carry a nonce.
    pub nonce_mode: NonceMode,
    /// Where used proofs are remembered.
    pub replay_store: ReplayStore,
    /// How long; always longer than a proof can be valid.
    pub replay_retention: Duration,
    /// Used proofs in memory at most; beyond it proofs are refused, because forgetting one would let it
    /// be used twice.
    pub replay_ceiling: usize,
    /// Memory of one argon2id check, in KiB as argon2 counts.
    pub argon2_memory_kib: u32,
    /// Passes of one argon2id check.
    pub argon2_iterations: u32,
    /// Checks at once; bounded, because each takes a core and its memory.
    pub argon2_concurrency: usize,
    /// Checks that may wait for one of those places.
    pub argon2_queue: usize,
}

/// The keys of other sections that this one depends on.
pub(in crate::config) struct Around<'a> {
    pub(in crate::config) environment: Environment,
    pub(in crate::config) public_url: &'a WebOrigin,
    pub(in crate::config) database_url: &'a DatabaseUrl,
    pub(in crate::config) redis_url: Option<&'a Secret<String>>,
}

impl OAuth {
    pub(in crate::config) fn read(reader: &mut Reader, around: &Around<'_>) -> Self {
        const ALGS: &[(&str, SigningAlg)] =
            &[("ES256", SigningAlg::Es256), ("Ed25519", SigningAlg::Ed25519)];
        const NONCES: &[(&str, NonceMode)] = &[
            ("off", NonceMode::Off),
            ("required", NonceMode::Required),
            ("on_clock_skew", NonceMode::OnClockSkew),
        ];
        let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
        let hour = Duration::from_hours(1);
        let lives = if around.environment == Environment::Sandbox { 8 * hour } else { hour };

        let issuer = reader.optional("oauth.issuer", origin);
        let lifetime = reader.optional("oauth.token_lifetime", duration(minute..=24 * hour));
        let (window, retention) = (duration(second..=10 * minute), duration(second..=24 * hour));
        let memory = size(8 << 10..=1 << 30);
        let kib =
            |raw: &Raw| memory(raw).map(|bytes| u32::try_from(bytes >> 10).unwrap_or(u32::MAX));
        let oauth = Self {
            issuer: issuer.unwrap_or_else(|| around.public_url.clone()),
            token_lifetime: lifetime.unwrap_or(lives),
            signing_alg: reader.or("oauth.signing_alg", SigningAlg::Es256, choice(ALGS)),
            proof_window: reader.or("oauth.proof_window", minute, window),
            nonce_mode: reader.or("oauth.nonce_mode", NonceMode::Off, choice(NONCES)),
            replay_store: replay_store(reader, around),
            replay_retention: reader.or("oauth.replay_retention", 5 * minute, retention),
            replay_ceiling: reader.or("oauth.replay_ceiling", 1_000_000, integer(1..=100_000_000)),
            argon2_memory_kib: reader.or("oauth.argon2_memory", 19 << 10, kib),
            argon2_iterations: reader.or("oauth.argon2_iterations", 2, integer(1..=64)),
            argon2_concurrency: reader.or("oauth.argon2_concurrency", 1, integer(1..=256)),
            argon2_queue: reader.or("oauth.argon2_queue", 64, integer(1..=65_536)),
        };
        // A record that dies before its proof does would let the proof be used a second time.
        if oauth.replay_retention <= 2 * oauth.proof_window {
            reader.fault(
                "`oauth.replay_retention` must be longer than twice `oauth.proof_window`; lengthen \
                 the first or shorten the second"
                    .to_owned(),
            );
        }
        oauth
    }
}

fn replay_store(reader: &mut Reader, around: &Around<'_>) -> ReplayStore {
    const STORES: &[(&str, Option<ReplayStore>)] = &[
        ("auto", None),
        ("memory", Some(ReplayStore::Memory)),
        ("redis", Some(ReplayStore::Redis)),
        ("postgres", Some(ReplayStore::Postgres)),
    ];
    let (redis, engine) = (around.redis_url.is_some(), around.database_url.engine());
    match reader.or("oauth.replay_store", None, choice(STORES)) {
        None if redis => ReplayStore::Redis,
        None if engine == Engine::Postgres => ReplayStore::Postgres,
        None => ReplayStore::Memory,
        Some(store) => {
            if store == ReplayStore::Redis && !redis {
                reader.fault("`oauth.replay_store` is redis; set `redis_url` too".to_owned());
            }
            if store == ReplayStore::Postgres && engine != Engine::Postgres {
                reader.fault(
                    "`oauth.replay_store` is postgres and `database_url` is not; choose another"
                        .to_owned(),
                );
            }
            store
        }
    }
}
