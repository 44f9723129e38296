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
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{
    sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Instant, timeout},
};

use super::{
    Options, Tx,
    bells::Bell,
    error::{is_lost_connection, unavailable},
    pools::Pools,
};
use crate::base::failure::{Code, Failure, Result};

/// After a failed connection, callers are refused at once for this long instead of queueing up.
const DOWN_TIME: Duration = Duration::from_millis(500);

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

/// What a turn stands on: the connection and the transaction that is open on it.
struct Ground {
    bell: Bell,
    tx: Option<Tx>,
    state: State,
    /// The merchants that this transaction has locked.
    owners: Vec<i64>,
    /// Those whose work is in the open transaction.
    batch: Vec<oneshot::Sender<Commit>>,
    down_until: Option<Instant>,
    /// For good: a straggler that took another connection now would keep the pool from closing.
    is_closed: bool,
}

/// What a batch is told.
#[derive(Clone, Copy, Debug)]
enum Commit {
    Durable,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No transaction.
    Closed,
    /// A transaction with no savepoint: the first caller's.
    Open,
    /// The savepoint holds kept work; the next caller needs a new one.
    Marked,
    /// The savepoint is empty; the next caller can use it.
    MarkedClean,
    /// A control statement was sent and its answer never seen.
    Unsure,
}

impl Lane {
    pub(super) fn new(pools: Pools, options: &Options, bell: Bell) -> Self {
        Self {
            pools,
            ground: Arc::new(Mutex::new(Ground::new(bell))),
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
        let pools = self.lane.pools.clone();
        let ground = self.ground.as_mut().ok_or_else(unavailable)?;
        ground.open(&pools, owner).await?;
        ground.tx.as_mut().ok_or_else(unavailable)
    }

    /// Joins the batch and waits until its commit is durable.
    pub(super) async fn keep(mut self) -> Result<()> {
        let Some(mut ground) = self.ground.take() else { return Err(unavailable()) };
        let (done, committed) = oneshot::channel();
        ground.batch.push(done);
        if ground.state != State::Open {
            ground.state = State::Marked;
        }
        self.lane.pass_on(ground).await;
        match committed.await {
            Ok(Commit::Durable) => Ok(()),
            Ok(Commit::Unknown) => {
                Err(Failure::new(Code::OutcomeUnknown).retry_after(Duration::from_secs(1)))
            }
            // The transaction was given up before anybody asked for its commit.
            Err(_) => Err(unavailable().caused_by("the shared transaction broke")),
        }
    }

    /// Takes back what this caller did, and only that.
    pub(super) async fn undo(mut self, connection_lost: bool) {
        if let Some(ground) = self.ground.as_mut() {
            if connection_lost {
                ground.break_off();
            }
            ground.undo().await;
        }
        if let Some(ground) = self.ground.take() {
            self.lane.pass_on(ground).await;
        }
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

/// A commit, which others wait for too, and which so must outlive the caller that makes it. While that
/// caller is there it runs in the caller's own task: another one would cost two wake-ups more.
struct Outliving(Option<BoxFuture<'static, ()>>);

impl Outliving {
    fn new(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl Future for Outliving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(work) = &mut self.0 {
            ready!(work.as_mut().poll(context));
        }
        self.0 = None;
        Poll::Ready(())
    }
}

impl Drop for Outliving {
    #[expect(clippy::disallowed_methods, reason = "the caller has gone and cannot wait")]
    fn drop(&mut self) {
        if let Some(rest) = self.0.take() {
            tokio::spawn(rest);
        }
    }
}

impl Ground {
    const fn new(bell: Bell) -> Self {
        Self {
            bell,
            tx: None,
            state: State::Closed,
            owners: Vec::new(),
            batch: Vec::new(),
            down_until: None,
            is_closed: false,
        }
    }

    async fn open(&mut self, pools: &Pools, owner: Option<i64>) -> Result<()> {
        let owner = owner.filter(|_| pools.engine() == super::Engine::Postgres);
        if let Some(owner) = owner.filter(|owner| !self.owners.contains(owner))
            && self.state != State::Closed
            && self.state != State::Unsure
        {
            if self.join_with(owner).await? {
                return Ok(());
            }
            self.commit().await;
        }
        match self.state {
            State::Closed => self.begin(pools, owner).await,
            State::Open => self.control("SAVEPOINT turn", State::MarkedClean).await,
            State::Marked => {
                self.control("RELEASE SAVEPOINT turn; SAVEPOINT turn", State::MarkedClean).await
            }
            State::MarkedClean => Ok(()),
            State::Unsure => {
                self.break_off();
                self.begin(pools, owner).await
            }
        }
    }

    /// Makes a clean savepoint and locks one merchant more, in one trip; false when somebody else has it.
    /// The lock is taken outside the savepoint, or undoing the caller's work would give it back.
    async fn join_with(&mut self, owner: i64) -> Result<bool> {
        let release = if self.state == State::Open { "" } else { "RELEASE SAVEPOINT turn;" };
        let Some(tx) = self.tx.as_mut() else { return Err(unavailable()) };
        self.state = State::Unsure;
        let joined = tx.try_lock(release, owner, "SAVEPOINT turn").await?;
        self.state = State::MarkedClean;
        if joined {
            self.owners.push(owner);
        }
        Ok(joined)
    }

    async fn begin(&mut self, pools: &Pools, owner: Option<i64>) -> Result<()> {
        if self.is_closed {
            return Err(unavailable().caused_by("the database is closed"));
        }
        if self.down_until.is_some_and(|until| Instant::now() < until) {
            return Err(unavailable().caused_by("the database was unreachable a moment ago"));
        }
        if self.tx.is_some() {
            match self.begin_here(owner).await {
                // The server may have restarted since; nothing was done yet, so start afresh.
                Err(failure) if is_lost_connection(&failure) => self.break_off(),
                outcome => return outcome,
            }
        }
        match pools.writer().await {
            Ok(tx) => self.tx = Some(tx),
            Err(failure) => {
                self.down_until = Some(Instant::now() + DOWN_TIME);
                return Err(failure);
            }
        }
        self.begin_here(owner).await
    }

    async fn begin_here(&mut self, owner: Option<i64>) -> Result<()> {
        self.owners.clear();
        let begin = match self.tx.as_ref().map(Tx::engine) {
            // A deferred transaction that reads and then writes fails at once when another
            // process wrote in between; an immediate one waits its turn.
            Some(super::Engine::Sqlite) => "BEGIN IMMEDIATE",
            _ => "BEGIN",
        };
        let outcome = match owner {
            Some(owner) => self.begin_with(owner).await,
            None => self.control(begin, State::Open).await,
        };
        self.forget_failures();
        if outcome.is_err() && self.state != State::Closed {
            self.state = State::Closed;
        }
        outcome
    }

    /// Waits for the merchant, holding nothing.
    async fn begin_with(&mut self, owner: i64) -> Result<()> {
        let Some(tx) = self.tx.as_mut() else { return Err(unavailable()) };
        self.state = State::Unsure;
        if let Err(error) = tx.begin_with_lock(owner).await {
            // The transaction may stand, aborted; nothing was done in it.
            self.break_off();
            return Err(error.into());
        }
        self.state = State::Open;
        self.owners.push(owner);
        Ok(())
    }

    /// Sends a control statement; until its answer is seen, the state is unsure.
    async fn control(&mut self, sql: &'static str, then: State) -> Result<()> {
        let Some(tx) = self.tx.as_mut() else { return Err(unavailable()) };
        self.state = State::Unsure;
        let outcome = tx.control(sql).await;
        if outcome.is_ok() {
            self.state = then;
        }
        Ok(outcome?)
    }

    /// Whether a statement has failed since the transaction was last known to be whole.
    fn has_failed(&self) -> bool {
        self.tx.as_ref().is_some_and(|tx| tx.has_failed)
    }

    fn forget_failures(&mut self) {
        if let Some(tx) = &mut self.tx {
            tx.has_failed = false;
        }
    }

    async fn undo(&mut self) {
        let outcome = match self.state {
            State::Open if self.batch.is_empty() => self.control("ROLLBACK", State::Closed).await,
            State::MarkedClean => {
                let undone = self.control("ROLLBACK TO SAVEPOINT turn", State::MarkedClean).await;
                self.forget_failures();
                undone
            }
            // No transaction, or kept work with no savepoint behind it: this caller did nothing.
            State::Closed | State::Open | State::Marked => Ok(()),
            State::Unsure => Err(unavailable()),
        };
        if outcome.is_err() {
            self.break_off();
        }
    }

    async fn commit(&mut self) {
        if self.state == State::Closed {
            return;
        }
        let batch = std::mem::take(&mut self.batch);
        let sql = match self.tx.as_ref().map(Tx::engine) {
            _ if batch.is_empty() => "ROLLBACK",
            // A transaction that went on after a failed statement answers COMMIT with ROLLBACK and no
            // error, and everybody in it would be told of success. It refuses every other statement.
            Some(super::Engine::Postgres) if self.has_failed() => "SELECT 1; COMMIT",
            _ => "COMMIT",
        };
        let answer = match self.control(sql, State::Closed).await {
            Ok(()) => {
                if let Some(tx) = &mut self.tx {
                    self.bell.ring_for(tx);
                }
                Commit::Durable
            }
            Err(failure) => {
                let cause = failure.cause_chain();
                tracing::error!(cause, writes = batch.len(), "A commit failed.");
                self.break_off();
                Commit::Unknown
            }
        };
        metrics::histogram!("db_commit_writes")
            .record(f64::from(u32::try_from(batch.len()).unwrap_or(u32::MAX)));
        for waiting in batch {
            // A caller that went away needs no answer.
            _ = waiting.send(answer);
        }
    }

    /// Gives up the connection: the engine undoes what was not committed, and nobody in the batch
    /// is told of success.
    fn break_off(&mut self) {
        if let Some(mut tx) = self.tx.take() {
            tx.discard();
        }
        self.batch.clear();
        self.state = State::Closed;
    }
}
