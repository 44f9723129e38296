//! Group commit: callers take turns on one open transaction, then all wait for one commit.
//!
//! A flush to disk costs the same for one row as for sixty-four. So a write does not commit for
//! itself: it does its work inside a savepoint, and if somebody else already waits it hands the open
//! transaction over. Whoever finds nobody behind commits for all. A caller alone pays no savepoint
//! and no waiting; a crowd shares the flush. Nobody is told of success before the flush is done.
//!
//! On `PostgreSQL` other replicas have lanes too. A transaction that holds rows of one merchant and waits
//! for another's would meet one that waits the other way round, again and again. So each transaction
//! holds an advisory lock for every merchant in it, and **waits for one only while it holds nothing**:
//! where a merchant is busy elsewhere, what is open is committed first.
//!
//! ```text
//! BEGIN · a's work · SAVEPOINT · b's work · RELEASE, SAVEPOINT · c fails · ROLLBACK TO · COMMIT
//!                                                                     then a and b are answered
//! ```

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use super::{
    Options, Tx,
    bells::Bell,
    dispatch::Alone,
    error::{is_lost_connection, may_have_happened, unavailable},
    ground::{Commit, Ground, State, unknown},
    outliving::Outliving,
    pools::Pools,
};
use crate::base::failure::{Failure, Result};

/// One serial writer.
pub(super) struct Lane {
    pools: Pools,
    ground: Arc<Mutex<Ground>>,
    places: Arc<Semaphore>,
    /// How many callers have asked for the ground and not yet got it.
    waiting: AtomicUsize,
    max_batch: usize,
    patience: Duration,
}

impl Lane {
    pub(super) fn new(pools: Pools, options: &Options, bell: Bell) -> Self {
        Self {
            pools,
            ground: Arc::new(Mutex::new(Ground::new(bell, options.fresh))),
            places: Arc::new(Semaphore::new(options.queue_depth.max(1))),
            waiting: AtomicUsize::new(0),
            max_batch: options.max_batch.max(1),
            patience: options.patience,
        }
    }

    /// Waits for the ground; refuses at once when too many wait already.
    pub(super) async fn turn(self: &Arc<Self>) -> Result<Turn> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| {
            metrics::counter!("db_writes_refused_total").increment(1);
            unavailable().caused_by("the write queue is full")
        })?;
        let in_line = InLine::join(self);
        let ground = timeout(self.patience, self.ground.clone().lock_owned())
            .await
            .map_err(|_| unavailable().caused_by("no turn in the write lane in time"))?;
        in_line.served();
        Ok(Turn { lane: self.clone(), ground: Some(ground), _place: place })
    }

    fn nobody_waits(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0
    }

    /// Commits now, or leaves the open transaction to the next in line.
    async fn pass_on(self: &Arc<Self>, mut ground: OwnedMutexGuard<Ground>) {
        let full = ground.batch.len() >= self.max_batch;
        if ground.state != State::Closed && (full || self.nobody_waits()) {
            Outliving::new(async move { ground.commit().await }).await;
        }
    }

    /// For the caller who left the line: what it was expected to commit must still be committed.
    #[expect(clippy::disallowed_methods, reason = "the caller has gone and cannot wait")]
    fn settle(self: &Arc<Self>) {
        let lane = self.clone();
        tokio::spawn(async move {
            let ground = lane.ground.clone().lock_owned().await;
            lane.pass_on(ground).await;
        });
    }

    pub(super) async fn close(&self) {
        let mut ground = self.ground.lock().await;
        ground.commit().await;
        ground.tx = None;
        ground.is_closed = true;
    }
}

/// A place in the queue, given back however the wait ends.
struct InLine<'a> {
    lane: &'a Arc<Lane>,
    served: bool,
}

impl<'a> InLine<'a> {
    fn join(lane: &'a Arc<Lane>) -> Self {
        lane.waiting.fetch_add(1, Ordering::SeqCst);
        Self { lane, served: false }
    }

    fn served(mut self) {
        self.served = true;
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.lane.waiting.fetch_sub(1, Ordering::SeqCst);
        // Whoever was served decides itself. One who gave up may have been the one that the
        // last turn left its commit to.
        if !self.served {
            self.lane.settle();
        }
    }
}

/// The right to use the ground, which is never left in the middle: a caller that is dropped while
/// it works (its client went away) has its savepoint undone by a task of its own.
pub(super) struct Turn {
    lane: Arc<Lane>,
    ground: Option<OwnedMutexGuard<Ground>>,
    _place: OwnedSemaphorePermit,
}

impl Turn {
    /// Makes a clean savepoint, on a fresh connection if need be. `owner` is the number of the merchant whose
    /// rows will be changed.
    pub(super) async fn open(&mut self, owner: Option<i64>) -> Result<&mut Tx> {
        let (ground, pools) = self.ground_and_pools()?;
        if !ground.open(pools, owner).await? {
            self.commit_what_is_open().await?;
            let (ground, pools) = self.ground_and_pools()?;
            ground.open(pools, owner).await?;
        }
        self.tx()
    }

    fn ground_and_pools(&mut self) -> Result<(&mut Ground, &Pools)> {
        let ground = self.ground.as_deref_mut().ok_or_else(unavailable)?;
        Ok((ground, &self.lane.pools))
    }

    fn tx(&mut self) -> Result<&mut Tx> {
        self.ground_and_pools()?.0.tx.as_mut().ok_or_else(unavailable)
    }

    /// For those who are in it: nothing of this caller's is.
    async fn commit_what_is_open(&mut self) -> Result<()> {
        let mut ground = self.ground.take().ok_or_else(unavailable)?;
        let committed = Outliving::new(async move {
            ground.commit().await;
            ground
        });
        self.ground = Some(committed.await);
        Ok(())
    }

    /// For one statement: where nobody is there to share a commit with, and nothing is open, it needs neither
    /// `BEGIN` nor `COMMIT`. It takes no merchant's lock then, and needs none: it holds nothing while it
    /// waits, unless it changes several rows that others change too.
    pub(super) async fn open_for_one(&mut self, owner: Option<i64>) -> Result<&mut Tx> {
        let shared = !self.lane.nobody_waits();
        let (ground, pools) = self.ground_and_pools()?;
        if shared || !ground.stand_alone(pools).await? {
            return self.open(owner).await;
        }
        self.tx()
    }

    /// Joins the batch and waits until its commit is durable.
    pub(super) async fn keep(mut self) -> Result<()> {
        let Some(mut ground) = self.ground.take() else { return Err(unavailable()) };
        match ground.end_alone() {
            None => {}
            // Whatever the body made of it: nobody may be told that what failed is durable.
            Some(Alone::Failed) => {
                ground.break_off();
                return Err(unknown());
            }
            Some(Alone::Done | Alone::Nothing) => {
                ground.tell_of_commit(1);
                return Ok(());
            }
        }
        let (done, committed) = oneshot::channel();
        ground.batch.push(done);
        if ground.state != State::Open {
            ground.state = State::Marked;
        }
        self.lane.pass_on(ground).await;
        match committed.await {
            Ok(Commit::Durable) => Ok(()),
            Ok(Commit::Unknown) => Err(unknown()),
            // The transaction was given up before anybody asked for its commit.
            Err(_) => Err(unavailable().caused_by("the shared transaction broke")),
        }
    }

    /// Takes back what this caller did, and only that. A statement that was its own transaction and failed has
    /// taken itself back, unless nobody can say whether it has; one that did not fail cannot be taken back. Neither
    /// may be called undone.
    pub(super) async fn undo(mut self, failure: Failure) -> Failure {
        let mut told = failure;
        if let Some(ground) = self.ground.as_mut() {
            let lost = is_lost_connection(&told);
            match ground.end_alone() {
                Some(Alone::Done) => told = unknown().caused_by(told),
                Some(Alone::Failed) if may_have_happened(&told) => {
                    ground.break_off();
                    told = unknown().caused_by(told);
                }
                _ if lost => ground.break_off(),
                _ => {}
            }
            ground.undo().await;
        }
        if let Some(ground) = self.ground.take() {
            self.lane.pass_on(ground).await;
        }
        told
    }
}

impl Drop for Turn {
    #[expect(clippy::disallowed_methods, reason = "the caller has gone and cannot wait")]
    fn drop(&mut self) {
        if let Some(mut ground) = self.ground.take() {
            let lane = self.lane.clone();
            tokio::spawn(async move {
                ground.undo().await;
                lane.pass_on(ground).await;
            });
        }
    }
}
