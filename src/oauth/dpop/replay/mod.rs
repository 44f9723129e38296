//! Which proofs have been used: one small question with one atomic answer.
//!
//! The claim is the last step of a request's checks. A use is remembered for five minutes, longer
//! than any proof can stay valid, whatever its `iat` said; live records are never dropped to make
//! room. When there is no room or no answer, requests are refused: a forgotten proof can be used
//! twice, a refused one only has to be signed again.
//!
//! # When a record is lost
//!
//! A record can vanish: PostgreSQL empties unlogged tables after a crash, Redis starts empty, a file
//! is gone after a power cut, an operator moves to another home. What was used before could then be
//! used again, also up to a window later, since a proof may be dated ahead. So every record carries
//! a number, kept a second time in the database, and a claim counts only in the record whose number
//! the replica knows. Where the numbers differ a new record begins, which refuses what was dated up
//! to one window after its beginning and every nonce handed out before it ([`Known`]). A proof made
//! with a new nonce is accepted at once; without nonces the pause is a minute.
//!
//! That minute is for the loss of a machine only. A process that is stopped or killed loses nothing:
//! memory writes each claim into a file before it answers ([`journal`]). Refusing what was signed
//! before the start instead would let proofs dated ahead be replayed, or cost a minute per restart.

mod journal;
mod key;
mod known;
mod memory;
mod postgres;
mod quota;
mod redis;
mod remembered;
mod store;
mod sweep;

use std::{sync::Arc, time::Duration};

use ::redis::aio::ConnectionManager;

pub use journal::Place;
pub use key::{ReplayKey, ReplayKeyer};
pub use known::Known;
pub use memory::{MemoryLimits, MemoryReplay};
pub use store::STATEMENTS;
pub use sweep::{Sweep, schedule};

use crate::{
    base::{
        failure::{Code, Failure, Result},
        timestamp::Timestamp,
    },
    config::{OAuth, ReplayStore as Choice},
    ctx::Ctx,
    oauth::{cluster, jose::Jkt},
};
use known::Knowing;
use postgres::PostgresReplay;
use redis::RedisReplay;
use remembered::Remembered;

/// How long a use is remembered (the published API says that `jti` is unique for five minutes). It
/// also covers the five steps for which a nonce can stand in for `iat`.
pub const LIFE: Duration = Duration::from_mins(5);

/// How long a shared home may take to answer, before the request is refused.
const PATIENCE: Duration = Duration::from_millis(500);

/// One use of a proof.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The proof, by key and `jti`.
    pub key: ReplayKey,
    /// Whose it is, for the quota.
    pub jkt: Jkt,
    /// When it is used.
    pub now: Timestamp,
    /// The record that the proof was judged by: [`Known::epoch`].
    pub epoch: i64,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Never seen: this caller, and no other, may go on.
    Fresh,
    /// Used before.
    Replayed,
    /// The record was lost since the proof was judged; it may have been used before. Refuse it like
    /// one from before the start: [`super::ProofFault::BeforeStart`].
    Forgotten,
    /// No room for anybody: 503, since forgetting an older proof is not a choice.
    Full,
    /// This key has used up its share: 429, for it alone.
    QuotaSpent,
}

/// The store did not answer; the request must be refused.
#[derive(Debug, thiserror::Error)]
#[error("the record of used proofs does not answer")]
pub struct StoreDown(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl StoreDown {
    fn because(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl From<StoreDown> for Failure {
    fn from(down: StoreDown) -> Self {
        let wait = Duration::from_secs(1);
        Self::new(Code::TemporarilyUnavailable).retry_after(wait).caused_by(down)
    }
}

/// What a record needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Where it lives.
    pub home: Choice,
    /// How far ahead of our clock a proof may be dated.
    pub window: Duration,
    /// Its bounds; the ceiling is for memory only.
    pub limits: MemoryLimits,
}

impl From<&OAuth> for Settings {
    fn from(oauth: &OAuth) -> Self {
        let minutes = usize::try_from(oauth.replay_retention.as_secs().div_ceil(60)).unwrap_or(1);
        // A greedy key fills a quarter of the record at most.
        let share = oauth.replay_ceiling / 4 / minutes.max(1);
        let limits = MemoryLimits {
            // Nonces stand in for `iat` that long, whatever the window is.
            life: oauth.replay_retention.max(LIFE),
            ceiling: oauth.replay_ceiling,
            per_key_and_minute: u32::try_from(share.max(1)).unwrap_or(u32::MAX),
        };
        Self { home: oauth.replay_store, window: oauth.proof_window, limits }
    }
}

/// The record of used proofs.
#[derive(Debug, Clone)]
pub struct Replay(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keyer: ReplayKeyer,
    knowing: Knowing,
    store: ReplayStore,
}

/// The homes of the record.
#[derive(Debug)]
enum ReplayStore {
    /// In this process and a file beside it, for one replica.
    Memory(Remembered),
    /// In Redis, shared.
    Redis(RedisReplay),
    /// In one unlogged table, shared.
    Postgres(PostgresReplay),
}

/// Opens the record that `settings` name, and finds out whether it is the one that was used last.
/// `place` is where memory keeps its journal; `redis` must be there when the record lives in it.
pub async fn open(
    settings: &Settings,
    ctx: &Ctx,
    redis: Option<ConnectionManager>,
    place: &Place<'_>,
) -> Result<Replay> {
    let secret = cluster::secret(ctx, "replay").await?;
    let keyer = ReplayKeyer::new(&secret);
    let knowing = Knowing::new(ctx, settings.window, secret);
    let store = match settings.home {
        Choice::Memory => {
            ReplayStore::Memory(Remembered::open(settings.limits, &knowing, place).await?)
        }
        Choice::Redis => {
            let connection = redis.ok_or_else(|| {
                Failure::new(Code::NotConfigured)
                    .caused_by("oauth.replay_store is redis; set redis_url too")
            })?;
            ReplayStore::Redis(RedisReplay::open(settings.limits, &knowing, connection).await?)
        }
        Choice::Postgres => {
            ReplayStore::Postgres(PostgresReplay::open(settings.limits, &knowing).await?)
        }
    };
    Ok(Replay(Arc::new(Inner { keyer, knowing, store })))
}

impl Replay {
    /// The name under which a use is claimed.
    pub fn name(&self, jkt: &Jkt, jti: &str) -> ReplayKey {
        self.0.keyer.name(jkt, jti)
    }

    /// What a proof is judged by; ask once per request, and claim with its epoch.
    pub fn known(&self) -> Arc<Known> {
        self.0.knowing.now()
    }

    /// The last `iat` that a forgotten use could have had.
    pub fn forgotten_until(&self) -> Option<Timestamp> {
        self.known().forgotten_until
    }

    /// Claims a proof. Of any number of callers with one proof, exactly one hears `Fresh`.
    pub async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreDown> {
        if claim.epoch != self.known().epoch {
            return Ok(Outcome::Forgotten);
        }
        match &self.0.store {
            ReplayStore::Memory(memory) => memory.claim(claim),
            ReplayStore::Redis(redis) => redis.claim(claim).await,
            ReplayStore::Postgres(postgres) => postgres.claim(claim).await,
        }
    }

    /// Whether a use of this proof is remembered now. It claims nothing, so it decides nothing: who
    /// admits a request asks [`Replay::claim`], which looks and takes in one step.
    pub async fn holds(&self, key: ReplayKey, now: Timestamp) -> Result<bool> {
        match &self.0.store {
            ReplayStore::Memory(memory) => Ok(memory.holds(key, now)),
            ReplayStore::Redis(redis) => Ok(redis.holds(key).await?),
            ReplayStore::Postgres(postgres) => postgres.holds(key, now).await,
        }
    }

    /// Ends the record in order, after the last request: whatever comes later is refused, and
    /// memory needs no help from the running kernel to be complete.
    pub async fn close(&self) -> Result<()> {
        match &self.0.store {
            ReplayStore::Memory(memory) => memory.close().await,
            ReplayStore::Redis(_) | ReplayStore::Postgres(_) => Ok(()),
        }
    }
}
