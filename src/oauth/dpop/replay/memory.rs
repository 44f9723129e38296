//! Used proofs in the memory of one process.
//!
//! A moka cache without capacity and without a life of its own: its `entry` is the atomic claim, and
//! nothing in it can be evicted. moka measures life on a clock that nobody can hand in, so a cache
//! with `time_to_live` would forget by another clock than the one that judges `iat`: after the clock
//! of the machine is set back, a proof would become valid again when its record is gone. So the
//! entry holds the time of the claim, our clock decides whether it lives, and each claim sweeps away
//! a few of the dead.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use moka::{ops::compute::Op, sync::Cache};

use super::{Claim, Outcome, ReplayKey, key::AsItIs, quota::Quotas};
use crate::base::timestamp::Timestamp;

/// Enough that claims rarely meet at a lock, few enough to look at all of them.
const SHARDS: usize = 16;

/// Dead records removed per claim. More than one per claim lets the sweep catch up after a pause.
const SWEPT_PER_CLAIM: usize = 4;

/// The bounds of the memory.
#[derive(Debug, Clone, Copy)]
pub struct MemoryLimits {
    /// How long a use is remembered.
    pub life: Duration,
    /// Records at most, of all keys together.
    pub ceiling: usize,
    /// Uses per key and minute.
    pub per_key_and_minute: u32,
}

/// The record.
#[derive(Debug)]
pub struct MemoryReplay {
    limits: MemoryLimits,
    used: Cache<ReplayKey, Timestamp, AsItIs>,
    count: AtomicUsize,
    /// What was claimed in which minute, so that the dead are found without a scan.
    minutes: Vec<Mutex<BTreeMap<i64, Vec<ReplayKey>>>>,
    quotas: Quotas,
}

impl MemoryReplay {
    /// An empty record.
    pub fn new(limits: MemoryLimits) -> Self {
        Self {
            limits,
            used: Cache::builder().build_with_hasher(AsItIs::default()),
            count: AtomicUsize::new(0),
            minutes: (0..SHARDS).map(|_| Mutex::default()).collect(),
            quotas: Quotas::new(limits.per_key_and_minute),
        }
    }

    /// Claims a proof.
    pub fn claim(&self, claim: &Claim) -> Outcome {
        let mut outcome = self.try_claim(claim);
        if outcome == Outcome::Full {
            // The ceiling counts the dead that nobody has swept yet.
            (0..SHARDS).for_each(|shard| self.sweep(shard, claim.now, usize::MAX));
            outcome = self.try_claim(claim);
        }
        if outcome == Outcome::Fresh {
            self.list(claim.key, claim.now);
        }
        self.sweep(claim.key.spread(SHARDS), claim.now, SWEPT_PER_CLAIM);
        outcome
    }

    /// Records that are held, the dead among them that are not yet swept included.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes over what was live before a restart. Neither ceiling nor quota apply: it happened.
    pub fn restore(&self, key: ReplayKey, claimed_at: Timestamp) {
        self.used.entry(key).and_compute_with(|existing| {
            if existing.is_none() {
                self.count.fetch_add(1, Ordering::Relaxed);
            }
            Op::Put(claimed_at)
        });
        self.list(key, claimed_at);
    }

    /// Whether a use is remembered now; claims nothing.
    pub fn holds(&self, key: ReplayKey, now: Timestamp) -> bool {
        self.used.get(&key).is_some_and(|claimed_at| self.is_live(claimed_at, now))
    }

    /// moka runs the closure for one caller per key at a time, so look and write are one step.
    fn try_claim(&self, claim: &Claim) -> Outcome {
        let mut outcome = Outcome::Replayed;
        self.used.entry(claim.key).and_compute_with(|existing| {
            outcome = match &existing {
                Some(entry) if self.is_live(*entry.value(), claim.now) => Outcome::Replayed,
                Some(_) => self.spend_quota(claim),
                None if !self.take_place() => Outcome::Full,
                None => match self.spend_quota(claim) {
                    Outcome::Fresh => Outcome::Fresh,
                    refused => {
                        self.count.fetch_sub(1, Ordering::Relaxed);
                        refused
                    }
                },
            };
            if outcome == Outcome::Fresh { Op::Put(claim.now) } else { Op::Nop }
        });
        outcome
    }

    /// A record of the future lives too: the clock was set back, and its proof will be valid again.
    fn is_live(&self, claimed_at: Timestamp, now: Timestamp) -> bool {
        now < claimed_at.plus(self.limits.life)
    }

    fn take_place(&self) -> bool {
        let taken = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count < self.limits.ceiling).then_some(count + 1)
        });
        taken.is_ok()
    }

    fn spend_quota(&self, claim: &Claim) -> Outcome {
        if self.quotas.spend(&claim.jkt, claim.now) { Outcome::Fresh } else { Outcome::QuotaSpent }
    }

    /// Removes up to `most` records whose life is over, oldest minute first.
    fn sweep(&self, shard: usize, now: Timestamp, most: usize) {
        for key in self.take_dead(shard, now, most) {
            self.bury(key, now);
        }
    }

    fn bury(&self, key: ReplayKey, now: Timestamp) {
        self.used.entry(key).and_compute_with(|existing| match existing {
            // Claimed again after it had died: then it is listed under its new minute too.
            Some(entry) if self.is_live(*entry.value(), now) => Op::Nop,
            Some(_) => {
                self.count.fetch_sub(1, Ordering::Relaxed);
                Op::Remove
            }
            None => Op::Nop,
        });
    }

    fn take_dead(&self, shard: usize, now: Timestamp, most: usize) -> Vec<ReplayKey> {
        let mut dead = Vec::new();
        let Some(mut minutes) = self.shard(shard) else { return dead };
        while let Some(mut oldest) = minutes.first_entry() {
            let end =
                Timestamp::from_unix_seconds(oldest.key().saturating_add(1).saturating_mul(60));
            if self.is_live(end, now) {
                break;
            }
            let keys = oldest.get_mut();
            let kept = keys.len().saturating_sub(most.saturating_sub(dead.len()));
            dead.extend(keys.drain(kept..));
            if !keys.is_empty() {
                break;
            }
            oldest.remove();
        }
        dead
    }

    /// `None` only for a shard that does not exist.
    fn shard(&self, shard: usize) -> Option<MutexGuard<'_, BTreeMap<i64, Vec<ReplayKey>>>> {
        self.minutes.get(shard).map(unpoisoned)
    }

    fn list(&self, key: ReplayKey, claimed_at: Timestamp) {
        if let Some(mut minutes) = self.shard(key.spread(SHARDS)) {
            minutes.entry(minute_of(claimed_at)).or_default().push(key);
        }
    }
}

/// A panic elsewhere leaves lists and counters usable; refusing everybody for ever would be worse.
fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn minute_of(moment: Timestamp) -> i64 {
    moment.unix_seconds().div_euclid(60)
}

#[cfg(test)]
mod orders;

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;
    use crate::{base::secret::Secret, oauth::dpop::replay::ReplayKeyer};

    const START: i64 = 1_562_262_600;
    const ONE: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    const TWO: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    fn record(ceiling: usize, per_key_and_minute: u32) -> MemoryReplay {
        let life = super::super::LIFE;
        MemoryReplay::new(MemoryLimits { life, ceiling, per_key_and_minute })
    }

    fn claim(jkt: &str, jti: &str, second: i64) -> Claim {
        let jkt = jkt.parse().unwrap();
        let key = ReplayKeyer::new(&Secret::new([1; 32])).name(&jkt, jti);
        Claim { key, jkt, now: Timestamp::from_unix_seconds(START + second), epoch: 1 }
    }

    #[test]
    fn a_use_is_remembered_for_five_minutes_of_our_clock() {
        let record = record(10, 10);
        assert_eq!(record.claim(&claim(ONE, "a", 0)), Outcome::Fresh);
        // P65, and X6: the clock set back remembers it no less.
        for second in [0, 1, 61, 90, 118, 299, -30, -3_600] {
            assert_eq!(record.claim(&claim(ONE, "a", second)), Outcome::Replayed, "{second}");
        }
        // P63: another key's jti is another.
        assert_eq!(record.claim(&claim(TWO, "a", 1)), Outcome::Fresh);
        assert_eq!(record.claim(&claim(ONE, "a", 300)), Outcome::Fresh);
        assert_eq!(record.claim(&claim(ONE, "a", 301)), Outcome::Replayed);
    }

    #[test]
    fn of_many_at_once_exactly_one_wins() {
        for round in 0..20 {
            let (record, gate) = (record(1_000, 1_000), Barrier::new(50));
            let claim = claim(ONE, &format!("round {round}"), 0);
            let fresh = thread::scope(|scope| {
                let racers: Vec<_> = (0..50)
                    .map(|_| {
                        scope.spawn(|| {
                            gate.wait();
                            record.claim(&claim)
                        })
                    })
                    .collect();
                let outcomes = racers.into_iter().map(|racer| racer.join().unwrap());
                outcomes.filter(|outcome| *outcome == Outcome::Fresh).count()
            });
            assert_eq!((fresh, record.len()), (1, 1));
        }
    }

    #[test]
    fn a_dead_record_is_claimed_again_by_exactly_one() {
        let (record, gate) = (record(1_000, 1_000), Barrier::new(20));
        assert_eq!(record.claim(&claim(ONE, "a", 0)), Outcome::Fresh);
        let again = claim(ONE, "a", 600);
        let fresh = thread::scope(|scope| {
            let race = || {
                gate.wait();
                record.claim(&again)
            };
            let racers: Vec<_> = (0..20).map(|_| scope.spawn(race)).collect();
            let outcomes = racers.into_iter().map(|racer| racer.join().unwrap());
            outcomes.filter(|outcome| *outcome == Outcome::Fresh).count()
        });
        assert_eq!((fresh, record.len()), (1, 1));
    }

    #[test]
    fn when_full_it_refuses_and_forgets_nothing() {
        let record = record(3, 100);
        for jti in ["a", "b", "c"] {
            assert_eq!(record.claim(&claim(ONE, jti, 0)), Outcome::Fresh);
        }
        assert_eq!(record.claim(&claim(ONE, "d", 1)), Outcome::Full);
        for jti in ["a", "b", "c"] {
            assert_eq!(record.claim(&claim(ONE, jti, 299)), Outcome::Replayed);
        }
        // The dead make room as soon as it is needed.
        assert_eq!(record.claim(&claim(ONE, "d", 360)), Outcome::Fresh);
        assert_eq!(record.len(), 1);
    }

    #[test]
    fn a_greedy_key_stops_itself_only() {
        let record = record(100, 2);
        assert_eq!(record.claim(&claim(ONE, "a", 0)), Outcome::Fresh);
        assert_eq!(record.claim(&claim(ONE, "b", 1)), Outcome::Fresh);
        assert_eq!(record.claim(&claim(ONE, "c", 2)), Outcome::QuotaSpent);
        assert_eq!(record.claim(&claim(ONE, "a", 2)), Outcome::Replayed);
        assert_eq!(record.claim(&claim(TWO, "c", 2)), Outcome::Fresh);
        assert_eq!(record.len(), 3, "a refused claim takes no place");
        assert_eq!(record.claim(&claim(ONE, "c", 60)), Outcome::Fresh);
    }

    #[test]
    fn the_sweep_keeps_up_with_the_claims() {
        let record = record(usize::MAX, u32::MAX);
        for second in 0..4_000 {
            record.claim(&claim(ONE, &second.to_string(), second));
        }
        // 300 live ones, one minute that is not over, and a few per shard on the way out.
        assert!(record.len() < 500, "{}", record.len());
    }

    #[test]
    fn what_another_process_claimed_can_be_taken_over() {
        let record = record(1, 1);
        let old = claim(ONE, "a", 0);
        record.restore(old.key, old.now);
        record.restore(old.key, old.now);
        assert_eq!(record.len(), 1);
        assert_eq!(record.claim(&claim(ONE, "a", 6)), Outcome::Replayed);
        assert_eq!(record.claim(&claim(ONE, "a", 300)), Outcome::Fresh);
    }
}
