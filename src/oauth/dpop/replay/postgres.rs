//! Used proofs in one unlogged table of PostgreSQL.
//!
//! Claims that arrive together go in one statement: a trip costs the same for one as for a hundred.
//! They have a lane of their own, since the other lanes' commits wait for the disk and these need
//! not: a transaction that touched unlogged rows only is not flushed.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::timeout;

use super::{
    Claim, MemoryLimits, Outcome, PATIENCE, ReplayKey, StoreDown, known::Knowing, quota::Quotas,
    store,
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        timestamp::Timestamp,
        together::{self, Together},
    },
    db::{self, Owner},
};

/// Claims in one statement at most.
const BATCH: usize = 256;
/// Claims that may wait; beyond them the database is too slow and callers are refused at once.
const QUEUE: usize = 4_096;
/// How often two replicas may get in each other's way before the requests are refused.
const TRIES: usize = 4;

/// The record.
#[derive(Debug)]
pub(super) struct PostgresReplay {
    quotas: Quotas,
    desk: Arc<Together<Desk>>,
}

/// Where claims are collected and asked about.
#[derive(Debug)]
struct Desk {
    knowing: Knowing,
    life: Duration,
}

type Waiting = together::Waiting<Claim, Result<Outcome, StoreDown>>;

impl PostgresReplay {
    pub(super) async fn open(limits: MemoryLimits, knowing: &Knowing) -> Result<Self> {
        let desk = Desk { knowing: knowing.clone(), life: limits.life };
        desk.find_record().await?;
        let desk = Together::new(desk, BATCH, QUEUE);
        Ok(Self { quotas: Quotas::new(limits.per_key_and_minute), desk })
    }

    pub(super) async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreDown> {
        if !self.quotas.spend(&claim.jkt, claim.now) {
            return Ok(Outcome::QuotaSpent);
        }
        let outcome = match self.desk.ask(*claim) {
            Ok(answer) => match timeout(PATIENCE, answer).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(gone)) => Err(StoreDown::because(gone)),
                Err(late) => Err(StoreDown::because(late)),
            },
            Err(together::Full) => Err(StoreDown::because("too many claims wait")),
        };
        if !matches!(outcome, Ok(Outcome::Fresh)) {
            self.quotas.give_back(&claim.jkt, claim.now);
        }
        outcome
    }

    pub(super) async fn holds(&self, key: ReplayKey, now: Timestamp) -> Result<bool> {
        let ctx = &self.desk.desk().knowing.ctx;
        db::read!(ctx.db, |tx| Ok(store::is_used(tx, key, now).await?))
    }
}

impl together::Desk for Desk {
    type Asked = Claim;
    type Answer = Result<Outcome, StoreDown>;

    async fn serve(&self, mut batch: Vec<Waiting>) {
        // Callers that have given up need no place in the record.
        batch.retain(|waiting| !waiting.has_left());
        self.answer(batch).await;
    }
}

impl Desk {
    async fn answer(&self, batch: Vec<Waiting>) {
        let epoch = self.knowing.now().epoch;
        let mut copies: BTreeMap<ReplayKey, Vec<Waiting>> = BTreeMap::new();
        for waiting in batch {
            if waiting.asked.epoch == epoch {
                copies.entry(waiting.asked.key).or_default().push(waiting);
            } else {
                waiting.tell(Ok(Outcome::Forgotten));
            }
        }
        if copies.is_empty() {
            return;
        }
        // In order, so that two replicas with the same claims cannot wait for each other.
        let keys: Vec<_> = copies.keys().copied().collect();
        let now = copies.values().flatten().map(|waiting| waiting.asked.now).max();
        let asked = self.ask(epoch, &keys, now.unwrap_or_else(|| self.knowing.ctx.now())).await;
        for (key, waiting) in copies {
            let mut first = true;
            for waiting in waiting {
                let outcome = match &asked {
                    Ok(Some(fresh)) if first && fresh.contains(&key) => Ok(Outcome::Fresh),
                    Ok(Some(_)) => Ok(Outcome::Replayed),
                    Ok(None) => Ok(Outcome::Forgotten),
                    Err(failure) => Err(StoreDown::because(
                        failure.cause_chain().unwrap_or_else(|| failure.to_string()),
                    )),
                };
                first = false;
                waiting.tell(outcome);
            }
        }
    }

    /// Those that were new; `None` when the record that they were meant for is gone.
    async fn ask(
        &self,
        epoch: i64,
        keys: &[ReplayKey],
        now: Timestamp,
    ) -> Result<Option<HashSet<ReplayKey>>> {
        let expires_at = now.plus(self.life);
        let db = &self.knowing.ctx.db;
        let fresh = db::write_one!(db, Owner::Passing, |tx| {
            Ok(store::claim(tx, epoch, keys, now, expires_at).await?)
        })?;
        // None written for two reasons: used before, or nowhere to write. Both are rare.
        if fresh.is_empty()
            && db::read!(db, |tx| Ok(store::find_record(tx, epoch).await?))?.is_none()
        {
            self.find_record().await?;
            return Ok(None);
        }
        Ok(Some(HashSet::from_iter(fresh)))
    }

    /// Finds the record that the database knows, or begins the next one.
    async fn find_record(&self) -> Result<()> {
        for _ in 0..TRIES {
            let until = self.knowing.forgotten_from_now();
            // The number is a logged row: this commit waits for the disk, as it must.
            let found = db::write!(self.knowing.ctx.db, Owner::Passing, |tx| {
                let epoch = store::epoch(tx).await?;
                if let Some(epoch) = epoch
                    && let Some(until) = store::find_record(tx, epoch).await?
                {
                    return Ok(Some((epoch, (until.micros() != 0).then_some(until))));
                }
                let mine = match epoch {
                    None => store::first_epoch(tx).await?,
                    Some(seen) => store::next_epoch(tx, seen).await?,
                };
                if !mine {
                    return Ok(None);
                }
                // The first record of all has nothing to have forgotten.
                let (next, until) = (epoch.unwrap_or(0) + 1, epoch.map(|_| until));
                let stored = until.unwrap_or(Timestamp::from_micros(0));
                store::begin_record(tx, next, stored).await?;
                Ok(Some((next, until)))
            })?;
            if let Some((epoch, until)) = found {
                self.knowing.learn(epoch, until);
                return Ok(());
            }
        }
        Err(Failure::new(Code::Unavailable).caused_by("replicas disagree about the replay record"))
    }
}
