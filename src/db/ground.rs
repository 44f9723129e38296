//! The connection of one lane, the transaction that is open on it, and what state both are in.

use std::time::Duration;

use tokio::{sync::oneshot, time::Instant};

use super::{
    Engine, Tx,
    bells::Bell,
    dispatch::Alone,
    error::{is_lost_connection, unavailable},
    pools::Pools,
};
use crate::base::failure::{Code, Failure, Result};

/// After a failed connection, callers are refused at once for this long instead of queueing up.
const DOWN_TIME: Duration = Duration::from_millis(500);

/// What a turn stands on: the connection and the transaction that is open on it.
pub(super) struct Ground {
    bell: Bell,
    pub(super) tx: Option<Tx>,
    pub(super) state: State,
    /// The merchants that this transaction has locked.
    owners: Vec<i64>,
    /// Those whose work is in the open transaction.
    pub(super) batch: Vec<oneshot::Sender<Commit>>,
    down_until: Option<Instant>,
    /// When the connection last did what it was told.
    answered_at: Instant,
    fresh: Duration,
    /// For good: a straggler that took another connection now would keep the pool from closing.
    pub(super) is_closed: bool,
}

/// What a batch is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Commit {
    Durable,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No transaction.
    Closed,
    /// A transaction with no savepoint: the first caller's.
    Open,
    /// The savepoint holds kept work; the next caller needs a new one.
    Marked,
    /// The savepoint is empty; the next caller can use it.
    MarkedClean,
    /// No transaction, and one statement on its way that is a transaction by itself.
    Alone,
    /// A control statement was sent and its answer never seen.
    Unsure,
}

pub(super) fn unknown() -> Failure {
    Failure::new(Code::OutcomeUnknown).retry_after(Duration::from_secs(1))
}

impl Ground {
    pub(super) fn new(bell: Bell, fresh: Duration) -> Self {
        Self {
            bell,
            tx: None,
            state: State::Closed,
            owners: Vec::new(),
            batch: Vec::new(),
            down_until: None,
            answered_at: Instant::now(),
            fresh,
            is_closed: false,
        }
    }

    /// Makes a clean savepoint; false when the merchant is busy elsewhere, and what is open is to be committed
    /// before anybody waits for them.
    pub(super) async fn open(&mut self, pools: &Pools, owner: Option<i64>) -> Result<bool> {
        let owner = owner.filter(|_| pools.engine() == Engine::Postgres);
        let is_open = matches!(self.state, State::Open | State::Marked | State::MarkedClean);
        if let Some(owner) = owner.filter(|owner| is_open && !self.owners.contains(owner)) {
            return self.join_with(owner).await;
        }
        match self.state {
            State::Closed => self.begin(pools, owner).await?,
            State::Open => self.control("SAVEPOINT turn", State::MarkedClean).await?,
            State::Marked => {
                self.control("RELEASE SAVEPOINT turn; SAVEPOINT turn", State::MarkedClean).await?;
            }
            State::MarkedClean => {}
            State::Alone | State::Unsure => {
                self.break_off();
                self.begin(pools, owner).await?;
            }
        }
        Ok(true)
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
        if self.tx.is_some() {
            match self.begin_here(owner).await {
                // The server may have restarted since; nothing was done yet, so start afresh.
                Err(failure) if is_lost_connection(&failure) => self.break_off(),
                outcome => return outcome,
            }
        }
        self.connect(pools).await?;
        self.begin_here(owner).await
    }

    /// On a connection that is sure to be there: the loss of one that was lost long ago would be an unknown
    /// outcome here, where `BEGIN` loses nothing. A file is always there.
    pub(super) async fn stand_alone(&mut self, pools: &Pools) -> Result<bool> {
        if self.state != State::Closed {
            return Ok(false);
        }
        let is_file = pools.engine() == Engine::Sqlite;
        if self.tx.is_none() {
            self.connect(pools).await?;
        } else if !is_file && self.answered_at.elapsed() > self.fresh {
            return Ok(false);
        }
        let Some(tx) = self.tx.as_mut() else { return Err(unavailable()) };
        tx.begin_alone();
        self.state = State::Alone;
        Ok(true)
    }

    /// What became of the one statement; `None` where this is not a transaction of one statement.
    pub(super) fn end_alone(&mut self) -> Option<Alone> {
        if self.state != State::Alone {
            return None;
        }
        self.state = State::Closed;
        self.answered_at = Instant::now();
        self.tx.as_mut().map(Tx::end_alone)
    }

    async fn connect(&mut self, pools: &Pools) -> Result<()> {
        if self.is_closed {
            return Err(unavailable().caused_by("the database is closed"));
        }
        if self.down_until.is_some_and(|until| Instant::now() < until) {
            return Err(unavailable().caused_by("the database was unreachable a moment ago"));
        }
        match Box::pin(pools.writer()).await {
            Ok(tx) => self.tx = Some(tx),
            Err(failure) => {
                self.down_until = Some(Instant::now() + DOWN_TIME);
                return Err(failure);
            }
        }
        Ok(())
    }

    async fn begin_here(&mut self, owner: Option<i64>) -> Result<()> {
        self.owners.clear();
        let begin = match self.tx.as_ref().map(Tx::engine) {
            // A deferred transaction that reads and then writes fails at once when another
            // process wrote in between; an immediate one waits its turn.
            Some(Engine::Sqlite) => "BEGIN IMMEDIATE",
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
            self.answered_at = Instant::now();
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

    pub(super) async fn undo(&mut self) {
        let outcome = match self.state {
            State::Open if self.batch.is_empty() => self.control("ROLLBACK", State::Closed).await,
            State::MarkedClean => {
                let undone = self.control("ROLLBACK TO SAVEPOINT turn", State::MarkedClean).await;
                self.forget_failures();
                undone
            }
            // No transaction, or kept work with no savepoint behind it: this caller did nothing.
            State::Closed | State::Open | State::Marked => Ok(()),
            State::Alone | State::Unsure => Err(unavailable()),
        };
        if outcome.is_err() {
            self.break_off();
        }
    }

    pub(super) async fn commit(&mut self) {
        if self.state == State::Closed {
            return;
        }
        let batch = std::mem::take(&mut self.batch);
        let sql = match self.tx.as_ref().map(Tx::engine) {
            _ if batch.is_empty() => "ROLLBACK",
            // A transaction that went on after a failed statement answers COMMIT with ROLLBACK and no
            // error, and everybody in it would be told of success. It refuses every other statement.
            Some(Engine::Postgres) if self.has_failed() => "SELECT 1; COMMIT",
            _ => "COMMIT",
        };
        let answer = match self.control(sql, State::Closed).await {
            Ok(()) => {
                self.tell_of_commit(batch.len());
                Commit::Durable
            }
            Err(failure) => {
                let cause = failure.cause_chain();
                tracing::error!(cause, writes = batch.len(), "A commit failed.");
                self.break_off();
                Commit::Unknown
            }
        };
        for waiting in batch {
            // A caller that went away needs no answer.
            _ = waiting.send(answer);
        }
    }

    pub(super) fn tell_of_commit(&mut self, writes: usize) {
        if let Some(tx) = &mut self.tx {
            self.bell.ring_for(tx);
        }
        metrics::histogram!("db_commit_writes")
            .record(f64::from(u32::try_from(writes).unwrap_or(u32::MAX)));
    }

    /// Gives up the connection: the engine undoes what was not committed, and nobody in the batch
    /// is told of success.
    pub(super) fn break_off(&mut self) {
        if let Some(mut tx) = self.tx.take() {
            tx.discard();
        }
        self.batch.clear();
        self.state = State::Closed;
    }
}
