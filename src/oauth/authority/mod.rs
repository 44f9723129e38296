//! What the token endpoint and every protected request share: keys, caches, limits, the replay record.
//!
//! Caches here never decide for long: all of them carry the number of the last known change to
//! anybody's access ([`Authority::generation`]), which is asked of the database again after half a
//! second. So a revocation counts at once where it was made, and within a second elsewhere.

mod clients;
mod counts;
mod pulse;

use std::{sync::Arc, time::Duration};

use ipnet::IpNet;

use super::{
    credentials::{self, Client, ClientId},
    dpop::{
        Endpoint, Expected, ExpectedHtu, NonceRule, PreparedKeys, Proof, ProofFault, PublicBase,
        nonce::Side,
        replay::{Claim, Known, Outcome, Replay},
    },
    jose::{Jkt, TokenHash},
    keys::Ring,
    refusal,
    secrets::{Hasher, SecretMemory},
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        tasks::Tasks,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    web::rate_limit::RateLimiter,
};
use clients::Clients;
use counts::Homes;
pub(super) use counts::per_minute;
use pulse::Pulse;

/// How many keys stay prepared: about a kilobyte each.
const PREPARED_KEYS: u64 = 100_000;

/// Whether callers must bring a nonce of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonces {
    /// Never.
    Off,
    /// Only from callers whose clock is off.
    WhenClockIsOff,
    /// From everybody.
    Required,
}

/// What the operator has decided about tokens and proofs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The `iss` of our tokens.
    pub issuer: String,
    /// The origins callers use, the first one being the canonical one. Each is also a resource that a
    /// token can be asked for (RFC 8707).
    pub origins: Vec<String>,
    /// How long a token lives.
    pub token_life: Duration,
    /// How far a proof's `iat` may lie from our clock.
    pub window: Duration,
    /// Nonces.
    pub nonces: Nonces,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: Arc<[IpNet]>,
    /// Requests per merchant and minute.
    pub merchant_per_minute: u32,
    /// Tokens per client and minute.
    pub tokens_per_minute: u32,
    /// Checks of a secret that is not remembered, per client and address; ten times as many per client
    /// and per address; and as many for all ids together that nobody has.
    pub guesses_per_minute: u32,
}

/// The parts that are made elsewhere.
#[derive(Debug)]
pub struct Parts {
    /// The database, the time, the dice.
    pub ctx: Ctx,
    /// The signing keys.
    pub ring: Ring,
    /// argon2.
    pub hasher: Hasher,
    /// Who counts requests.
    pub limiter: RateLimiter,
    /// Where used proofs are remembered, and the nonces that go with them.
    pub replay: Replay,
    /// Where background work runs.
    pub tasks: Tasks,
}

/// What a claim found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claimed {
    /// It is ours.
    Now,
    /// It was used before.
    Before,
    /// Nobody knows any more: the record was lost.
    Perhaps,
}

/// The authorization server and the guard of the resources, in one.
#[derive(Clone, Debug)]
pub struct Authority(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: Rules,
    bases: Vec<PublicBase>,
    parts: Parts,
    secrets: SecretMemory,
    prepared: PreparedKeys,
    clients: Clients,
    homes: Homes,
    pulse: Pulse,
}

impl Authority {
    /// Puts the parts together; an origin that no proof could name is refused here.
    pub fn new(rules: Rules, parts: Parts) -> Result<Self> {
        let bases = rules.origins.iter().map(|origin| PublicBase::parse(origin));
        let bases = bases.collect::<Result<Vec<_>, _>>().map_err(Failure::internal)?;
        let secrets = SecretMemory::new(&parts.ctx.random);
        let prepared = PreparedKeys::new(PREPARED_KEYS);
        let (clients, homes, pulse) = (Clients::default(), counts::homes(), Pulse::default());
        Ok(Self(Arc::new(Inner { rules, bases, parts, secrets, prepared, clients, homes, pulse })))
    }

    /// The operator's decisions.
    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// The database, the time, the dice.
    pub fn ctx(&self) -> &Ctx {
        &self.0.parts.ctx
    }

    /// The signing keys.
    pub fn ring(&self) -> &Ring {
        &self.0.parts.ring
    }

    /// argon2.
    pub fn hasher(&self) -> &Hasher {
        &self.0.parts.hasher
    }

    /// Where background work runs.
    pub fn tasks(&self) -> &Tasks {
        &self.0.parts.tasks
    }

    /// Which secrets were right.
    pub(super) fn secrets(&self) -> &SecretMemory {
        &self.0.secrets
    }

    /// Who counts requests.
    pub(super) fn limiter(&self) -> &RateLimiter {
        &self.0.parts.limiter
    }

    /// Keys that have verified before.
    pub(super) fn prepared(&self) -> &PreparedKeys {
        &self.0.prepared
    }

    /// The address of the token endpoint, as published.
    pub fn token_endpoint(&self) -> String {
        format!("{}/oauth/token", self.origin())
    }

    /// The origin that documents of ours name.
    pub fn origin(&self) -> &str {
        self.0.rules.origins.first().map_or("", String::as_str)
    }

    /// The number of the last known change to anybody's access, at most half a second old.
    pub async fn generation(&self) -> Result<i64> {
        self.0.pulse.generation(self.ctx(), self.ring()).await
    }

    /// Learns of a change that was made in this process; call it after the commit.
    pub async fn access_changed(&self) -> Result<()> {
        self.0.pulse.ask(self.ctx(), self.ring()).await.map(|_| ())
    }

    /// A client as it is now.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>> {
        let generation = self.generation().await?;
        // Both are asked in any case: one look more would tell by the time who does not exist.
        let (known, unknown) =
            (self.0.clients.get(id, generation), self.0.clients.is_unknown(id, generation));
        if known.is_some() || unknown {
            return Ok(known);
        }
        let Some(client) = credentials::load(self.ctx(), id).await? else {
            self.0.clients.keep_unknown(id, generation);
            return Ok(None);
        };
        Ok(Some(self.0.clients.keep(client, generation)))
    }

    /// Whether this process has met the client: it exists, or did a moment ago.
    pub(super) fn has_met(&self, id: &ClientId) -> bool {
        self.0.clients.has_met(id)
    }

    /// What the `htu` of a request to this path must be.
    pub(super) fn htu<'a>(&'a self, path: &'a str) -> Result<ExpectedHtu<'a>> {
        ExpectedHtu::new(&self.0.bases, path).map_err(|_| {
            Failure::because(Code::InvalidRequest, "the path of the request cannot be read")
        })
    }

    /// What a proof is judged by; one value for the whole of a request.
    pub(super) fn known(&self) -> Arc<Known> {
        self.0.parts.replay.known()
    }

    /// What a proof must fit.
    pub(super) fn expect<'a>(
        &'a self,
        known: &'a Known,
        side: Side,
        method: &'a str,
        htu: &'a ExpectedHtu<'a>,
        token_hash: Option<&'a TokenHash>,
    ) -> Expected<'a> {
        let (rules, keys) = (&self.0.rules, &known.nonces);
        Expected {
            method,
            htu,
            now: self.ctx().now(),
            window: rules.window,
            token_hash,
            nonces: match rules.nonces {
                Nonces::Off => NonceRule::Off,
                Nonces::WhenClockIsOff => NonceRule::WhenClockIsOff(keys, side),
                Nonces::Required => NonceRule::Required(keys, side),
            },
            forgotten_until: known.forgotten_until,
        }
    }

    /// The nonce to hand out now.
    pub(super) fn nonce(&self, side: Side) -> String {
        self.known().nonces.mint(side, self.ctx().now())
    }

    /// The last step of every check: this proof counts now, and never again.
    pub(super) async fn claim(&self, known: &Known, proof: &Proof, at: Endpoint) -> Result<()> {
        let refuse = |fault: ProofFault| refusal::of_proof(self, &fault, at);
        match self.claim_name(known, &proof.jkt, &proof.jti).await? {
            Claimed::Now => Ok(()),
            Claimed::Before => Err(refuse(ProofFault::Replayed)),
            Claimed::Perhaps => Err(refuse(ProofFault::BeforeStart)),
        }
    }

    /// Claims a name of this key in the record that its bearer was judged by.
    pub(super) async fn claim_name(&self, known: &Known, jkt: &Jkt, name: &str) -> Result<Claimed> {
        let replay = &self.0.parts.replay;
        let key = replay.name(jkt, name);
        let claim = Claim { key, jkt: *jkt, now: self.ctx().now(), epoch: known.epoch };
        let unavailable =
            || Failure::new(Code::TemporarilyUnavailable).retry_after(Duration::from_secs(1));
        match replay.claim(&claim).await? {
            Outcome::Fresh => Ok(Claimed::Now),
            Outcome::Replayed => {
                metrics::counter!("dpop_replays_total").increment(1);
                tracing::warn!(%jkt, "A proof was sent a second time.");
                Ok(Claimed::Before)
            }
            Outcome::Forgotten => Ok(Claimed::Perhaps),
            Outcome::Full => Err(unavailable().caused_by("the replay record is full")),
            Outcome::QuotaSpent => Err(Failure::because(
                Code::RateLimited,
                "this key has signed too many proofs; try again in a minute",
            )
            .retry_after(Duration::from_mins(1))),
        }
    }

    /// Whether a use of this proof is remembered; for those who explain, since it claims nothing.
    pub(super) async fn is_used(&self, jkt: &Jkt, jti: &str) -> Result<bool> {
        let replay = &self.0.parts.replay;
        replay.holds(replay.name(jkt, jti), self.ctx().now()).await
    }

    /// Notes in the background that a credential and its key were used; once a minute is enough.
    pub(super) fn mark_used(&self, client: &Arc<Client>, jkt: &Jkt, now: Timestamp) {
        if !self.0.clients.is_due(jkt, now) {
            return;
        }
        let (ctx, client, jkt) = (self.ctx().clone(), client.clone(), *jkt);
        self.tasks().spawn(async move {
            if let Err(failure) = credentials::mark_used(&ctx, &client.credential, &jkt).await {
                tracing::warn!(cause = failure.cause_chain(), "A last use was not noted.");
            }
        });
    }
}
