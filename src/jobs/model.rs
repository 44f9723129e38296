//! Jobs, and when a failed one comes back.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use crate::base::{
    failure::{Failure, Result},
    ids::JobId,
    random::Random,
    timestamp::Timestamp,
};

/// A job to be queued.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub(super) kind: &'static str,
    pub(super) payload: Vec<u8>,
    pub(super) run_at: Timestamp,
    pub(super) unique_key: Option<String>,
}

impl NewJob {
    /// A job of `kind`, due at `run_at`, carrying what its handler needs (ids rather than data).
    pub fn new(kind: &'static str, run_at: Timestamp, payload: &impl Serialize) -> Result<Self> {
        let payload = serde_json::to_vec(payload).map_err(Failure::internal)?;
        Ok(Self { kind, payload, run_at, unique_key: None })
    }

    /// At most one job with this key waits or runs at a time.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }
}

/// A job that this process has leased.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name in logs.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: String,
    /// How often it has been started, this time included.
    pub attempts: i64,
    pub(super) payload: Vec<u8>,
    pub(super) lease_id: String,
}

impl Job {
    /// What the job was queued with.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.payload).map_err(Failure::internal)
    }
}

/// What a handler wants to happen to its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Forget it.
    Done,
    /// The handler called [`super::finish`] itself.
    Finished,
    /// Run it again then; this is how recurring work goes on.
    At(Timestamp),
}

impl Next {
    /// For what is swept once an hour, in portions that leave room for other work: where a portion was not
    /// all, a rest that waited for the next hour could grow for ever.
    pub fn swept(now: Timestamp, all: bool) -> Self {
        Self::At(now.plus(if all { Duration::from_hours(1) } else { Duration::from_mins(1) }))
    }
}

/// How patient a kind of job is with failure.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// After this many starts it is dead.
    pub max_attempts: i64,
    /// The pause after the first failure; it doubles from there.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: 12,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_hours(1),
        }
    }
}

impl Retry {
    /// When a job that failed at `now` runs again, or `None` when it has died.
    ///
    /// A tenth of jitter keeps jobs that failed together from coming back together.
    pub fn next(&self, attempts: i64, now: Timestamp, random: &Random) -> Option<Timestamp> {
        if attempts >= self.max_attempts {
            return None;
        }
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(30);
        let pause = self.first_pause.saturating_mul(1 << doublings).min(self.longest_pause);
        let tenth = u64::try_from(pause.as_micros() / 10).unwrap_or(u64::MAX);
        Some(now.plus(pause).plus(Duration::from_micros(random.below(tenth.max(1)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_then_the_job_dies() {
        let retry = Retry {
            max_attempts: 5,
            first_pause: Duration::from_secs(10),
            longest_pause: Duration::from_secs(35),
        };
        let start = Timestamp::from_unix_seconds(0);
        let pause =
            |attempts| retry.next(attempts, start, &Random::seeded(3)).map(Timestamp::unix_seconds);
        assert!((10..=11).contains(&pause(1).unwrap()));
        assert!((20..=22).contains(&pause(2).unwrap()));
        assert!((35..=38).contains(&pause(3).unwrap()));
        assert!((35..=38).contains(&pause(4).unwrap()));
        assert_eq!(pause(5), None);
    }
}
