//! How often somebody may ask.
//!
//! A quota counts over a rolling window with two buckets: the current one, and the last one weighed
//! by how much of it still lies inside the window. That assumes calls of the last bucket came evenly;
//! the count is off by at most what came unevenly there, and never lets more than twice the quota
//! pass in any window. In return a key costs a few words and no list of times.
//!
//! With Redis all replicas share one count. Redis may speed up or be away, never decide alone: when
//! it cannot be asked, the count of this replica is used.

mod memory;
mod shared;

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ipnet::IpNet;
use sha2::{Digest, Sha256};

use super::address::{self, Host};
use crate::base::{
    clock::Clock,
    failure::{Code, Failure, Result},
    timestamp::Timestamp,
};
use memory::Memory;
pub use shared::Shared;

/// A named allowance.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// Keeps the counts of different quotas apart.
    pub name: &'static str,
    /// How many calls fit into the window.
    pub calls: u32,
    /// The length of the window.
    pub window: Duration,
}

/// What a counted call is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    limit: u32,
    remaining: u32,
    reset: Timestamp,
    refused_for: Option<Duration>,
}

/// Who is counted, by a hash: callers choose the text, and must not choose how much we keep of it,
/// nor break out of the name of a Redis key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key(u128);

impl Key {
    fn of(who: &str) -> Self {
        let hash: [u8; 32] = Sha256::digest(who).into();
        // Half of it is enough: whoever finds two texts with one hash shares a count with itself.
        Self(hash.iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte)))
    }
}

/// The two buckets of one key, as any home keeps them.
#[derive(Clone, Copy, Debug, Default)]
struct Buckets {
    number: i64,
    current: u32,
    last: u32,
}

/// Counts calls.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    clock: Clock,
    memory: Memory,
    shared: Option<Shared>,
}

impl RateLimiter {
    /// Counts in this process, and in Redis when there is one.
    pub fn new(clock: Clock, shared: Option<Shared>) -> Self {
        Self { clock, memory: Memory::default(), shared }
    }

    /// Counts one call of `who`, if it still fits. Addresses are counted as [`Host`]s.
    pub async fn take(&self, quota: Quota, who: &str) -> Verdict {
        let (now, who) = (self.clock.now(), Key::of(who));
        if let Some(shared) = &self.shared
            && let Some(verdict) = shared.take(quota, who, now).await
        {
            return verdict;
        }
        self.memory.take(quota, who, now)
    }

    /// Like [`RateLimiter::take`], for those who only want to know whether to refuse.
    pub async fn check(&self, quota: Quota, who: &str) -> Result<Verdict> {
        let verdict = self.take(quota, who).await;
        verdict.into_result().map(|()| verdict)
    }
}

fn refusal(wait: Duration) -> Failure {
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    let message = format!("too many requests; try again in {seconds} s");
    Failure::because(Code::RateLimited, message).retry_after(wait)
}

impl Buckets {
    /// Moves to the bucket of `now` and counts one call there, if the window has room for it.
    fn take(&mut self, quota: Quota, now: Timestamp) -> Verdict {
        let window = i64::try_from(quota.window.as_micros()).unwrap_or(i64::MAX).max(1);
        let number = now.micros().div_euclid(window);
        match number - self.number {
            0 => {}
            1 => (self.last, self.current) = (self.current, 0),
            _ => (self.last, self.current) = (0, 0),
        }
        self.number = number;
        let left = window - now.micros().rem_euclid(window);
        let weighed = i128::from(self.last) * i128::from(left) / i128::from(window);
        let used = self.current.saturating_add(u32::try_from(weighed).unwrap_or(u32::MAX));
        let end = Timestamp::from_micros(now.micros().saturating_add(left));
        let fits = used < quota.calls;
        if fits {
            self.current += 1;
        }
        Verdict {
            limit: quota.calls,
            remaining: quota.calls.saturating_sub(used).saturating_sub(u32::from(fits)),
            reset: end,
            refused_for: (!fits).then(|| self.wait(quota, window, left)),
        }
    }

    /// How long until one more call fits: either the last bucket fades enough, or the current one
    /// must itself become the last.
    fn wait(&self, quota: Quota, window: i64, left: i64) -> Duration {
        let room = i64::from(quota.calls) - i64::from(self.current);
        let micros = if room > 0 && self.last > 0 {
            // last * (left - t) / window < room
            (left - room.saturating_mul(window) / i64::from(self.last)).clamp(0, left) + 1
        } else {
            let share =
                i64::from(quota.calls).saturating_mul(window) / i64::from(self.current.max(1));
            left + (window - share).max(0) + 1
        };
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}

impl Verdict {
    /// The refusal, if it is one.
    pub fn into_result(self) -> Result<()> {
        match self.refused_for {
            None => Ok(()),
            Some(wait) => Err(refusal(wait)),
        }
    }

    /// Writes the three published headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        let facts = [
            ("x-ratelimit-limit", i64::from(self.limit)),
            ("x-ratelimit-remaining", i64::from(self.remaining)),
            ("x-ratelimit-reset", self.reset.unix_seconds() + 1),
        ];
        for (name, value) in facts {
            headers.insert(name, HeaderValue::from(value));
        }
    }
}

/// A quota per client address, for routes that anybody may call.
#[derive(Clone, Debug)]
pub struct PerAddress {
    /// Who counts.
    pub limiter: RateLimiter,
    /// What fits.
    pub quota: Quota,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: std::sync::Arc<[IpNet]>,
}

/// The layer of [`PerAddress`].
pub async fn per_address(
    State(limit): State<PerAddress>,
    request: Request,
    next: Next,
) -> Response {
    let address = address::client(request.extensions(), request.headers(), &limit.proxies);
    let verdict = limit.limiter.take(limit.quota, &Host::from(address).to_string()).await;
    let mut response = match verdict.refused_for {
        None => next.run(request).await,
        Some(wait) => refusal(wait).into_response(),
    };
    verdict.write(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { name: "test", calls: 10, window: Duration::from_mins(1) };

    #[tokio::test]
    async fn the_window_rolls_and_the_wait_is_enough() {
        let (clock, hands) = Clock::hand_wound(Timestamp::from_unix_seconds(600));
        let limiter = RateLimiter::new(clock, None);
        for left in (0..10).rev() {
            assert_eq!(limiter.take(QUOTA, "a").await.remaining, left);
        }
        let refused = limiter.check(QUOTA, "a").await.unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited);
        assert!(limiter.check(QUOTA, "b").await.is_ok(), "another caller is not affected");
        for _ in 0..5 {
            let wait = limiter.take(QUOTA, "a").await.refused_for.unwrap();
            hands.advance(wait);
            assert_eq!(limiter.take(QUOTA, "a").await.refused_for, None, "after {wait:?}");
        }
    }

    #[tokio::test]
    async fn never_twice_the_quota_in_any_window() {
        let (clock, hands) = Clock::hand_wound(Timestamp::from_unix_seconds(600));
        let limiter = RateLimiter::new(clock, None);
        let mut passed = Vec::new();
        for second in 0..600_u32 {
            for _ in 0..(second % 7) {
                if limiter.check(QUOTA, "a").await.is_ok() {
                    passed.push(second);
                }
            }
            hands.advance(Duration::from_secs(1));
        }
        let most = passed
            .iter()
            .map(|from| passed.iter().filter(|at| (*from..from + 60).contains(at)).count());
        assert!(most.max().unwrap() < 20);
        assert!(passed.len() > 80, "about ten a minute for ten minutes pass: {}", passed.len());
    }
}
