//! Counts that replicas share in Redis.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use redis::{Script, aio::ConnectionManager};
use tokio::time::timeout;

use super::{Buckets, Key, Quota, Verdict};
use crate::base::timestamp::Timestamp;

/// A limit that waits longer than this for its count would itself be the slow part.
const PATIENCE: Duration = Duration::from_millis(100);

/// One trip: the last bucket is read, the current one is counted up if there is room. The key's tag
/// `{…}` keeps both buckets in one slot of a cluster.
const TAKE: &str = r"
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
local used = current + math.floor(last * tonumber(ARGV[1]) / tonumber(ARGV[2]))
if used < tonumber(ARGV[3]) then
  redis.call('SET', KEYS[1], current + 1, 'PX', ARGV[4])
end
return {current, last}
";

/// The Redis home of counts.
#[derive(Clone)]
pub struct Shared {
    redis: ConnectionManager,
    script: Arc<Script>,
    warned_at: Arc<AtomicI64>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    /// Counts through this connection, which reconnects by itself.
    pub fn new(redis: ConnectionManager) -> Self {
        Self { redis, script: Arc::new(Script::new(TAKE)), warned_at: Arc::default() }
    }

    /// `None` when Redis cannot be asked.
    pub(super) async fn take(&self, quota: Quota, who: Key, now: Timestamp) -> Option<Verdict> {
        let window = i64::try_from(quota.window.as_micros()).unwrap_or(i64::MAX).max(1);
        let number = now.micros().div_euclid(window);
        let left = window - now.micros().rem_euclid(window);
        let key = |number: i64| format!("rate:{}:{{{:032x}}}:{number}", quota.name, who.0);
        let mut redis = self.redis.clone();
        let mut call = self.script.key(key(number));
        call.key(key(number - 1)).arg(left).arg(window).arg(quota.calls).arg(window / 500);
        match timeout(PATIENCE, call.invoke_async::<(u32, u32)>(&mut redis)).await {
            Ok(Ok((current, last))) => Some(Buckets { number, current, last }.take(quota, now)),
            Ok(Err(error)) => self.warn(now, &error.to_string()),
            Err(_) => self.warn(now, "no answer in time"),
        }
    }

    fn warn(&self, now: Timestamp, cause: &str) -> Option<Verdict> {
        let last = self.warned_at.load(Ordering::Relaxed);
        if now.unix_seconds() - last >= 60 {
            self.warned_at.store(now.unix_seconds(), Ordering::Relaxed);
            tracing::warn!(cause, "Redis cannot count calls; this replica counts alone.");
        }
        None
    }
}
