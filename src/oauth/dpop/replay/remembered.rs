//! The record in memory with its journal: what one replica uses.

use std::sync::Arc;

use super::{
    Claim, MemoryLimits, MemoryReplay, Outcome, ReplayKey, StoreDown,
    journal::{Found, Journal, JournalFault, Place, Shelf},
    known::Knowing,
};
use crate::base::{
    failure::{Code, Failure, Result},
    timestamp::Timestamp,
};

/// A record that survives its process.
#[derive(Debug)]
pub(super) struct Remembered {
    record: MemoryReplay,
    journal: Arc<Journal>,
}

impl Remembered {
    pub(super) async fn open(
        limits: MemoryLimits,
        knowing: &Knowing,
        place: &Place<'_>,
    ) -> Result<Self> {
        let shelf = Shelf::new(place, &knowing.derive(b"journal"));
        let record = MemoryReplay::new(limits);
        let seen = knowing.epoch().await?;
        let found = match shelf.read() {
            Ok(found) if Some(found.epoch) == seen => Ok(found),
            Ok(_) => Err(JournalFault::OtherRecord),
            Err(fault) => Err(fault),
        };
        let found = match found {
            Ok(mut found) => {
                restore(&record, &mut found, knowing, limits);
                knowing.learn(found.epoch, found.forgotten_until);
                Some(found)
            }
            Err(fault) => {
                begin_anew(knowing, seen, fault).await?;
                None
            }
        };
        let known = knowing.now();
        let (until, now) = (known.forgotten_until, knowing.ctx.now());
        let journal = shelf.go_on(found, known.epoch, until, limits.life, now);
        let journal =
            journal.map_err(|fault| Failure::new(Code::NotConfigured).caused_by(fault))?;
        Ok(Self { record, journal: journal.into() })
    }

    pub(super) fn claim(&self, claim: &Claim) -> Result<Outcome, StoreDown> {
        let outcome = self.record.claim(claim);
        if outcome == Outcome::Fresh {
            // A claim that a crash could forget must not be answered.
            self.journal.write(claim.key, claim.now).map_err(StoreDown::because)?;
        }
        let held = u32::try_from(self.record.len()).unwrap_or(u32::MAX);
        metrics::gauge!("dpop_uses_held").set(held);
        Ok(outcome)
    }

    pub(super) fn holds(&self, key: ReplayKey, now: Timestamp) -> bool {
        self.record.holds(key, now)
    }

    pub(super) async fn close(&self) -> Result<()> {
        let journal = self.journal.clone();
        let closed = tokio::task::spawn_blocking(move || journal.close());
        closed.await.map_err(Failure::internal)?.map_err(Failure::internal)
    }
}

fn restore(record: &MemoryReplay, found: &mut Found, knowing: &Knowing, limits: MemoryLimits) {
    let dead = knowing.ctx.now().minus(limits.life);
    for (key, claimed_at) in std::mem::take(&mut found.claims) {
        if claimed_at > dead {
            record.restore(key, claimed_at);
        }
    }
}

/// A record that knows nothing, under the next number.
async fn begin_anew(knowing: &Knowing, seen: Option<i64>, fault: JournalFault) -> Result<()> {
    // The first record of all has nothing to have forgotten.
    let until = seen.map(|_| knowing.forgotten_from_now());
    if let Some(until) = until {
        let cause = fault.to_string();
        tracing::warn!(cause, %until, "Used proofs may be forgotten; older ones are refused.");
    }
    let next = knowing.next_epoch(seen).await?.ok_or_else(|| {
        Failure::new(Code::NotConfigured).caused_by(
            "another replica began a record of used proofs at this moment; set redis_url, or \
             oauth.replay_store to \"postgres\", on every replica, or start one only",
        )
    })?;
    knowing.learn(next, until);
    Ok(())
}
