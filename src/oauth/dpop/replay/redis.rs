//! Used proofs in Redis: `SET NX PX` decides, for every replica.
//!
//! Redis forgets: it starts empty after a crash, or with a snapshot that is minutes old, another
//! server takes over, or somebody empties it. So a key beside the claims says which record this is
//! and which run of which server holds it, and each claim reads it in the same trip, after its own
//! write. Which server a connection leads to is asked once per connection: it then bears a name that
//! only we know, and a new one bears none.
//!
//! What Redis measures is its own clock: a life of five minutes leaves three to the difference.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex as Cell, PoisonError},
    time::Duration,
};

use redis::{Script, aio::ConnectionManager, pipe};
use tokio::{sync::Mutex, time::timeout};

use super::{
    Claim, MemoryLimits, Outcome, PATIENCE, ReplayKey, StoreDown, known::Knowing, quota::Quotas,
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        timestamp::Timestamp,
    },
    oauth::jose::base64url,
};

/// Begins a record if nobody else has meanwhile.
const BEGIN: &str = r"
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
";

/// Three turns begin a record; replicas may get in each other's way that often, and no longer.
const TRIES: usize = 12;

/// Whether the claim was written, what the record's key says, and the name of the connection.
type Answer = (Option<String>, Option<String>, Option<String>);

/// The record.
pub(super) struct RedisReplay {
    connection: ConnectionManager,
    knowing: Knowing,
    life: Duration,
    quotas: Quotas,
    /// The key that names the record; its own for each installation that shares the Redis.
    record: String,
    /// The name of the connection that was last asked where it leads, and the answer.
    led: Cell<(String, String)>,
    finding: Mutex<()>,
}

/// What the key says.
struct Record {
    epoch: i64,
    forgotten_until: Option<Timestamp>,
    run: String,
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
        let (label, _) = label.expose().split_first_chunk::<9>().unwrap_or((&[0; 9], &[]));
        let label = base64url::encode(label);
        let replay = Self {
            connection,
            knowing: knowing.clone(),
            life: limits.life,
            quotas: Quotas::new(limits.per_key_and_minute),
            record: format!("replay:record:{label}"),
            led: Cell::default(),
            finding: Mutex::default(),
        };
        replay.refuse_eviction().await?;
        replay.find_record().await?;
        Ok(replay)
    }

    /// Whether a use is remembered now; claims nothing.
    pub(super) async fn holds(&self, key: ReplayKey) -> Result<bool, StoreDown> {
        let mut ask = redis::cmd("EXISTS");
        let ask = ask.arg(name_of(key));
        in_time(ask.query_async(&mut self.connection.clone())).await
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
        let name = name_of(claim.key);
        let life = u64::try_from(self.life.as_millis()).unwrap_or(u64::MAX);
        let mut call = pipe();
        call.cmd("SET").arg(name).arg("").arg("NX").arg("PX").arg(life);
        // After the write: a record that still has its name now had it when the claim was written.
        call.cmd("GET").arg(&self.record);
        call.cmd("CLIENT").arg("GETNAME");
        let mut connection = self.connection.clone();
        let (set, record, name): Answer = in_time(call.query_async(&mut connection)).await?;
        if !self.is_known(claim.epoch, record.as_deref(), name.as_deref()) {
            self.find_record().await.map_err(StoreDown::because)?;
            // Only the connection was new: then the claim was written where it belongs.
            if self.knowing.now().epoch != claim.epoch {
                return Ok(Outcome::Forgotten);
            }
        }
        Ok(if set.is_some() { Outcome::Fresh } else { Outcome::Replayed })
    }

    fn is_known(&self, epoch: i64, record: Option<&str>, name: Option<&str>) -> bool {
        let led = self.led.lock().unwrap_or_else(PoisonError::into_inner);
        let record = record.and_then(Record::read);
        record.is_some_and(|record| record.epoch == epoch && record.run == led.1)
            && name.is_some_and(|name| name == led.0)
    }

    /// Finds the record that the database knows, or begins the next one.
    ///
    /// First in Redis, then in the database: who comes in between sees a record that is one ahead,
    /// and finishes what the other began.
    async fn find_record(&self) -> Result<()> {
        let _one_at_a_time = self.finding.lock().await;
        for _ in 0..TRIES {
            let run = self.follow_connection().await?;
            let mut get = redis::cmd("GET");
            let get = get.arg(&self.record);
            let found: Option<String> =
                in_time(get.query_async(&mut self.connection.clone())).await?;
            let seen = self.knowing.epoch().await?;
            let next = seen.unwrap_or(0) + 1;
            match found.as_deref().and_then(Record::read).filter(|record| record.run == run) {
                Some(record) if Some(record.epoch) == seen => {
                    self.knowing.learn(record.epoch, record.forgotten_until);
                    return Ok(());
                }
                Some(record) if record.epoch == next => {
                    self.knowing.next_epoch(seen).await?;
                }
                _ => {
                    // The first record of all has nothing to have forgotten.
                    let until = seen.map(|_| self.knowing.forgotten_from_now());
                    self.begin(found, Record { epoch: next, forgotten_until: until, run }).await?;
                }
            }
        }
        Err(Failure::new(Code::Unavailable).caused_by("replicas disagree about the replay record"))
    }

    /// Writes the record's key, unless somebody else has meanwhile.
    async fn begin(&self, found: Option<String>, record: Record) -> Result<()> {
        let script = Script::new(BEGIN);
        let mut call = script.key(&self.record);
        call.arg(found.unwrap_or_default()).arg(record.write());
        let begun: u32 = in_time(call.invoke_async(&mut self.connection.clone())).await?;
        if let (1, Some(until)) = (begun, record.forgotten_until) {
            tracing::warn!(%until, "Redis has forgotten used proofs; older ones are refused.");
        }
        Ok(())
    }

    /// Names the connection and asks, on the same one, which run of which server it leads to.
    async fn follow_connection(&self) -> Result<String> {
        let name = base64url::encode(self.knowing.ctx.random.bytes::<16>());
        let mut call = pipe();
        call.cmd("CLIENT").arg("SETNAME").arg(&name).ignore();
        call.cmd("INFO").arg("server");
        let mut connection = self.connection.clone();
        let (info,): (String,) = in_time(call.query_async(&mut connection)).await?;
        let run = facts(&info).get("run_id").map(|run| (*run).to_owned()).ok_or_else(|| {
            Failure::new(Code::NotConfigured)
                .caused_by("Redis does not tell its run_id (INFO server)")
        })?;
        *self.led.lock().unwrap_or_else(PoisonError::into_inner) = (name, run.clone());
        Ok(run)
    }

    /// A Redis that makes room by dropping keys would let the proofs behind them be used again.
    async fn refuse_eviction(&self) -> Result<()> {
        let mut connection = self.connection.clone();
        let mut info = redis::cmd("INFO");
        let info: String = in_time(info.arg("memory").query_async(&mut connection)).await?;
        let facts = facts(&info);
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

fn name_of(key: ReplayKey) -> Vec<u8> {
    [b"replay:".as_slice(), &key.to_bytes()].concat()
}

async fn in_time<T>(answer: impl Future<Output = redis::RedisResult<T>>) -> Result<T, StoreDown> {
    match timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(StoreDown::because),
        Err(late) => Err(StoreDown::because(late)),
    }
}

fn facts(info: &str) -> HashMap<&str, &str> {
    info.lines().filter_map(|line| line.trim().split_once(':')).collect()
}

impl Record {
    fn write(&self) -> String {
        let until = self.forgotten_until.map_or(0, Timestamp::micros);
        format!("{} {until} {}", self.epoch, self.run)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let epoch = parts.next()?.parse().ok()?;
        let until = Timestamp::from_micros(parts.next()?.parse().ok()?);
        let run = parts.next()?.to_owned();
        Some(Self { epoch, forgotten_until: (until.micros() != 0).then_some(until), run })
    }
}
