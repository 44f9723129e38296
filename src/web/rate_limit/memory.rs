//! Counts of this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use moka::{Expiry, policy::EvictionPolicy, sync::Cache};

use super::{Buckets, Key, Quota, Verdict};
use crate::base::timestamp::Timestamp;

/// Of one quota. An entry is a few words, so that a quota takes some ten megabytes at the most.
const MOST_KEYS: u64 = 100_000;

/// Each quota has its own room: a flood of invented clients or addresses pushes out the counts of
/// clients or addresses that have not called for the longest time, and never a merchant's.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<RwLock<HashMap<&'static str, Arc<Counts>>>>);

type Counts = Cache<Key, Count>;

#[derive(Clone, Debug)]
struct Count {
    window: Duration,
    buckets: Arc<Mutex<Buckets>>,
}

impl Memory {
    pub(super) fn take(&self, quota: Quota, who: Key, now: Timestamp) -> Verdict {
        let new = || Count { window: quota.window, buckets: Arc::default() };
        let count = self.of(quota.name).get_with(who, new);
        // A panic inside cannot leave two numbers half written.
        count.buckets.lock().unwrap_or_else(PoisonError::into_inner).take(quota, now)
    }

    fn of(&self, name: &'static str) -> Arc<Counts> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.unwrap_or_else(|| {
            let mut quotas = self.0.write().unwrap_or_else(PoisonError::into_inner);
            quotas.entry(name).or_insert_with(|| Arc::new(counts())).clone()
        })
    }
}

fn counts() -> Counts {
    Cache::builder()
        .max_capacity(MOST_KEYS)
        // The usual policy lets no newcomer in during a flood, and who is not in is not counted.
        .eviction_policy(EvictionPolicy::lru())
        .expire_after(Faded)
        .build()
}

/// After two windows without a call both buckets are of no account, and not before.
#[derive(Debug)]
struct Faded;

impl Expiry<Key, Count> for Faded {
    fn expire_after_create(&self, _: &Key, count: &Count, _: Instant) -> Option<Duration> {
        Some(count.window * 2)
    }

    fn expire_after_read(
        &self,
        _: &Key,
        count: &Count,
        _: Instant,
        _: Option<Duration>,
        _: Instant,
    ) -> Option<Duration> {
        Some(count.window * 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(name: &'static str, window: Duration) -> Quota {
        Quota { name, calls: 2, window }
    }

    fn passes(memory: &Memory, quota: Quota, who: &str) -> bool {
        let now = Timestamp::from_unix_seconds(600);
        memory.take(quota, Key::of(who), now).into_result().is_ok()
    }

    fn held(memory: &Memory, name: &'static str) -> u64 {
        let counts = memory.of(name);
        counts.run_pending_tasks();
        counts.entry_count()
    }

    #[test]
    fn a_flood_of_invented_keys_is_bounded_and_a_caller_keeps_its_count() {
        let memory = Memory::default();
        let (names, merchants) =
            (quota("name", Duration::from_mins(1)), quota("merchant", Duration::from_mins(1)));
        while passes(&memory, merchants, "mer_1") {}
        while passes(&memory, names, "busy") {}
        let long = "x".repeat(100);
        for number in 0..MOST_KEYS + 20_000 {
            passes(&memory, names, &format!("{long}{number}"));
            if number % 1_000 == 0 {
                assert!(!passes(&memory, names, "busy"), "who calls on is not forgotten");
            }
        }
        assert!(held(&memory, "name") <= MOST_KEYS);
        assert!(!passes(&memory, merchants, "mer_1"), "another quota's flood pushes nobody out");
        // One that comes in the middle of a flood is counted like any other.
        assert!(passes(&memory, names, "new") && passes(&memory, names, "new"));
        assert!(!passes(&memory, names, "new"));
    }

    #[test]
    fn counts_that_have_faded_are_let_go() {
        let memory = Memory::default();
        let short = quota("short", Duration::from_micros(1));
        for number in 0..100 {
            passes(&memory, short, &number.to_string());
        }
        // moka looks at the machine's clock only.
        while held(&memory, "short") > 0 {
            std::thread::yield_now();
        }
        assert!(passes(&memory, short, "1"));
    }
}
