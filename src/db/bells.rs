//! Who is told when a commit has left work.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::{Tx, dispatch::Wakes};
use crate::base::ids::MerchantId;

/// No more merchants than this are remembered by name; the courier finds the others by itself.
const REMEMBERED: usize = 16_384;

/// Rung when committed work waits. Losing a ring costs time, never work.
pub(super) type Bell = Arc<Bells>;

/// One bell for each kind of listener: a bell that two wait for wakes one of them only.
#[derive(Default)]
pub(super) struct Bells {
    pub(super) work: Notify,
    pub(super) events: Notify,
    /// Whose events wait: with thousands of endpoints, looking at all of them for each event would take
    /// longer than delivering it.
    rung: Mutex<HashSet<MerchantId>>,
}

impl Bells {
    pub(super) fn ring_for(&self, tx: &mut Tx) {
        let Wakes { runner, courier } = std::mem::take(&mut tx.wakes);
        if runner {
            self.work.notify_one();
        }
        if !courier.is_empty() {
            self.ring_courier(courier);
        }
    }

    pub(super) fn ring_courier(&self, merchants: impl IntoIterator<Item = MerchantId>) {
        {
            let mut rung = self.rung();
            for merchant in merchants {
                if rung.len() < REMEMBERED {
                    rung.insert(merchant);
                }
            }
        }
        self.events.notify_one();
    }

    /// Takes some of those whose events wait.
    pub(super) fn answer(&self, most: usize) -> Vec<MerchantId> {
        let mut rung = self.rung();
        let some: Vec<MerchantId> = rung.iter().take(most).copied().collect();
        for merchant in &some {
            rung.remove(merchant);
        }
        if !rung.is_empty() {
            self.events.notify_one();
        }
        some
    }

    fn rung(&self) -> MutexGuard<'_, HashSet<MerchantId>> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
