//! Counts of this process.

use std::sync::{Arc, Mutex, PoisonError};

use moka::sync::Cache;

use super::{Buckets, Quota, Verdict};
use crate::base::timestamp::Timestamp;

/// Bounded: a flood of invented keys pushes out the oldest counts, which costs fairness, not memory.
const MOST_KEYS: u64 = 200_000;

type Key = (&'static str, Box<str>);

#[derive(Clone, Debug)]
pub(super) struct Memory(Cache<Key, Arc<Mutex<Buckets>>>);

impl Default for Memory {
    fn default() -> Self {
        Self(Cache::new(MOST_KEYS))
    }
}

impl Memory {
    pub(super) fn take(&self, quota: Quota, who: &str, now: Timestamp) -> Verdict {
        let buckets = self.0.get_with((quota.name, who.into()), Arc::default);
        // A panic inside cannot leave two numbers half written.
        buckets.lock().unwrap_or_else(PoisonError::into_inner).take(quota, now)
    }
}
