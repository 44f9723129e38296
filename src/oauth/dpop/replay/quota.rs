//! The share of each key.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{base::timestamp::Timestamp, oauth::jose::Jkt};

/// Uses per key in the current minute, so that one client cannot fill the record for all.
///
/// Every replica counts for itself, with a shared record too: what is bounded is the room that one
/// key can take, and that bound is then this one times the replicas, for no further trip. Only keys
/// that have passed every check get here, so the map is bounded by the keys that are registered.
#[derive(Debug)]
pub(super) struct Quotas {
    per_minute: u32,
    spent: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    minute: i64,
    by_key: HashMap<Jkt, u32>,
}

impl Quotas {
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute, spent: Mutex::default() }
    }

    /// Whether there was one left.
    pub(super) fn spend(&self, jkt: &Jkt, now: Timestamp) -> bool {
        let mut spent = self.of_minute(now);
        let own = spent.by_key.entry(*jkt).or_default();
        let left = *own < self.per_minute;
        *own += u32::from(left);
        left
    }

    /// For a claim that took no place after all.
    pub(super) fn give_back(&self, jkt: &Jkt, now: Timestamp) {
        if let Some(own) = self.of_minute(now).by_key.get_mut(jkt) {
            *own = own.saturating_sub(1);
        }
    }

    /// A panic elsewhere leaves the counts usable; refusing everybody for ever would be worse.
    fn of_minute(&self, now: Timestamp) -> MutexGuard<'_, Spent> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.unix_seconds().div_euclid(60);
        if spent.minute != minute {
            spent.minute = minute;
            spent.by_key.clear();
        }
        spent
    }
}
