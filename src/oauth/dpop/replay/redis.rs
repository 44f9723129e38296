//! Used proofs in Redis: `SET NX PX` decides, for every replica.
//!
//! Redis starts empty after a crash, and may be emptied by hand. So each claim reads, in the same
//! trip and after its own write, the key that says which record this is; it goes when the claims go.
//! What Redis measures is its own clock: a life of five minutes leaves three to the difference.

use std::{collections::HashMap, fmt, time::Duration};

use redis::{Script, aio::ConnectionManager, pipe};
use tokio::time::timeout;

use super::{Claim, MemoryLimits, Outcome, PATIENCE, StoreDown, known::Knowing, quota::Quotas};
use crate::base::{
    failure::{Code, Failure, Result},
    timestamp::Timestamp,
};

/// Begins a record if nobody else has meanwhile.
const BEGIN: &str = r"
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
";

/// How often two replicas may get in each other's way before the request is refused.
const TRIES: usize = 4;

/// The record.
pub(super) struct RedisReplay {
    connection: ConnectionManager,
    knowing: Knowing,
    life: Duration,
    quotas: Quotas,
    /// The key that names the record; its own for each installation that shares the Redis.
    record: String,
}

impl fmt::Debug for RedisReplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisReplay")
    }
}

impl RedisReplay {
    pub(super) async fn open(
        limits: MemoryLimits,
        knowing: &Knowing,
        connection: ConnectionManager,
    ) -> Result<Self> {
        let label = knowing.derive(b"the name of the record in redis");
        let label: String = label.expose().iter().take(8).map(|b| format!("{b:02x}")).collect();
        let replay = Self {
            connection,
            knowing: knowing.clone(),
            life: limits.life,
            quotas: Quotas::new(limits.per_key_and_minute),
            record: format!("replay:record:{label}"),
        };
        replay.refuse_eviction().await?;
        replay.find_record().await?;
        Ok(replay)
    }

    pub(super) async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreDown> {
        if !self.quotas.spend(&claim.jkt, claim.now) {
            return Ok(Outcome::QuotaSpent);
        }
        let outcome = self.ask(claim).await;
        if !matches!(outcome, Ok(Outcome::Fresh)) {
            self.quotas.give_back(&claim.jkt, claim.now);
        }
        outcome
    }

    async fn ask(&self, claim: &Claim) -> Result<Outcome, StoreDown> {
        let name = [b"replay:".as_slice(), &claim.key.to_bytes()].concat();
        let life = u64::try_from(self.life.as_millis()).unwrap_or(u64::MAX);
        let mut call = pipe();
        call.cmd("SET").arg(name).arg("").arg("NX").arg("PX").arg(life);
        // After the write: a record that still has its name now had it when the claim was written.
        call.cmd("GET").arg(&self.record);
        let mut connection = self.connection.clone();
        let answer = call.query_async::<(Option<String>, Option<String>)>(&mut connection);
        let (set, record) = in_time(answer).await?;
        if record.as_deref().and_then(read).is_none_or(|(epoch, _)| epoch != claim.epoch) {
            self.find_record().await.map_err(StoreDown::because)?;
            return Ok(Outcome::Forgotten);
        }
        Ok(if set.is_some() { Outcome::Fresh } else { Outcome::Replayed })
    }

    /// Finds the record that the database knows, or begins the next one.
    async fn find_record(&self) -> Result<()> {
        for _ in 0..TRIES {
            let mut connection = self.connection.clone();
            let mut get = redis::cmd("GET");
            let found: Option<String> =
                in_time(get.arg(&self.record).query_async(&mut connection)).await?;
            let epoch = self.knowing.epoch().await?;
            match found.as_deref().and_then(read) {
                Some((here, until)) if Some(here) == epoch => {
                    self.knowing.learn(here, until);
                    return Ok(());
                }
                _ => {}
            }
            let Some(next) = self.knowing.next_epoch(epoch).await? else { continue };
            // The first record of all has nothing to have forgotten.
            let until = epoch.map(|_| self.knowing.forgotten_from_now());
            let begin = Script::new(BEGIN);
            let mut begin = begin.key(&self.record);
            begin.arg(found.unwrap_or_default()).arg(write(next, until));
            let begun: u32 = in_time(begin.invoke_async(&mut connection)).await?;
            if begun == 1 {
                if let Some(until) = until {
                    tracing::warn!(%until, "Redis has forgotten the used proofs; older ones are refused.");
                }
                self.knowing.learn(next, until);
                return Ok(());
            }
        }
        Err(Failure::new(Code::Unavailable).caused_by("replicas disagree about the replay record"))
    }

    /// A Redis that makes room by dropping keys would let the proofs behind them be used again.
    async fn refuse_eviction(&self) -> Result<()> {
        let mut connection = self.connection.clone();
        let mut info = redis::cmd("INFO");
        let info: String = in_time(info.arg("memory").query_async(&mut connection)).await?;
        let facts: HashMap<_, _> =
            info.lines().filter_map(|line| line.trim().split_once(':')).collect();
        let bounded = facts.get("maxmemory").is_some_and(|bytes| *bytes != "0");
        match facts.get("maxmemory_policy") {
            Some(policy) if bounded && *policy != "noeviction" => Err(Failure::new(
                Code::NotConfigured,
            )
            .caused_by(format!(
                "Redis may evict used proofs (maxmemory-policy {policy}), which could then be used \
                     again; set its maxmemory-policy to noeviction"
            ))),
            _ => Ok(()),
        }
    }
}

async fn in_time<T>(answer: impl Future<Output = redis::RedisResult<T>>) -> Result<T, StoreDown> {
    match timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(StoreDown::because),
        Err(late) => Err(StoreDown::because(late)),
    }
}

fn write(epoch: i64, until: Option<Timestamp>) -> String {
    format!("{epoch}:{}", until.map_or(0, Timestamp::micros))
}

fn read(text: &str) -> Option<(i64, Option<Timestamp>)> {
    let (epoch, until) = text.split_once(':')?;
    let until = Timestamp::from_micros(until.parse().ok()?);
    Some((epoch.parse().ok()?, (until.micros() != 0).then_some(until)))
}
