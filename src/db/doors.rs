//! The two doors.
//!
//! They are macros because an async closure that borrows from its caller cannot yet be shown to be
//! `Send` in a generic function, and a handler's future must be. What they expand to is a loop
//! around [`Reading`] or [`Writing`]; the body's `?` and `return` leave the body, not the caller.

use std::sync::Arc;

use super::{
    Tx,
    error::{is_lost_connection, wants_retry},
    lane::{Lane, Turn},
    pools::Pools,
};
use crate::base::failure::Result;

/// How often a body is run again after the engine asked for it.
const RETRIES: u32 = 4;

/// The reading door: `db::read!(ctx.db, |tx| Ok(store::find(tx, id).await?))`.
///
/// Statements see what was committed when each began; call [`Tx::snapshot`] first when several must
/// agree with each other.
#[doc(hidden)]
#[macro_export]
macro_rules! __db_read {
    ($db:expr, |$tx:ident| $work:expr) => {
        $crate::db::through!($db.reading(), $tx, $work)
    };
}

/// The writing door: one savepoint in the transaction that the owner's lane has open, durable once
/// this has its value. An error undoes everything the body did and nothing that others did.
#[doc(hidden)]
#[macro_export]
macro_rules! __db_write {
    ($db:expr, $owner:expr, |$tx:ident| $work:expr) => {
        match $db.writing($owner) {
            Ok(door) => $crate::db::through!(door, $tx, $work),
            Err(failure) => Err(failure),
        }
    };
}

/// The writing door for one statement, which is a transaction by itself wherever nobody is there to share a
/// commit with: one trip to the database instead of three. For statements that add rows, or change one.
#[doc(hidden)]
#[macro_export]
macro_rules! __db_write_one {
    ($db:expr, $owner:expr, |$tx:ident| $work:expr) => {
        match $db.writing($owner) {
            Ok(door) => $crate::db::through!(door.of_one(), $tx, $work),
            Err(failure) => Err(failure),
        }
    };
}

/// Opens a door, runs the body, closes it, and starts over when the engine asks for that.
#[doc(hidden)]
#[macro_export]
macro_rules! __db_through {
    ($door:expr, $tx:ident, $work:expr) => {{
        let mut door = $door;
        loop {
            let outcome: $crate::base::failure::Result<_> = match door.open().await {
                Ok($tx) => async { $work }.await,
                Err(failure) => Err(failure),
            };
            if let Some(outcome) = door.close(outcome).await {
                break outcome;
            }
        }
    }};
}

#[doc(inline)]
pub use {
    __db_read as read, __db_through as through, __db_write as write, __db_write_one as write_one,
};

/// Behind [`read!`].
#[doc(hidden)]
pub struct Reading {
    pools: Pools,
    tx: Option<Tx>,
    attempts: u32,
}

impl Reading {
    pub(super) fn new(pools: Pools) -> Self {
        Self { pools, tx: None, attempts: 0 }
    }

    pub async fn open(&mut self) -> Result<&mut Tx> {
        Ok(self.tx.insert(self.pools.reader().await?))
    }

    pub async fn close<T>(&mut self, outcome: Result<T>) -> Option<Result<T>> {
        self.attempts += 1;
        let Some(mut tx) = self.tx.take() else { return Some(outcome) };
        match &outcome {
            Err(failure) if is_lost_connection(failure) => tx.discard(),
            _ => tx.end_snapshot().await,
        }
        again(self.attempts, outcome)
    }
}

/// Behind [`write!`].
#[doc(hidden)]
pub struct Writing {
    lane: Arc<Lane>,
    owner: Option<i64>,
    of_one: bool,
    turn: Option<Turn>,
    attempts: u32,
}

impl Writing {
    pub(super) fn new(lane: Arc<Lane>, owner: Option<i64>) -> Self {
        Self { lane, owner, of_one: false, turn: None, attempts: 0 }
    }

    /// For a body of one statement.
    #[must_use]
    pub fn of_one(self) -> Self {
        Self { of_one: true, ..self }
    }

    pub async fn open(&mut self) -> Result<&mut Tx> {
        let turn = self.lane.turn().await?;
        let turn = self.turn.insert(turn);
        if self.of_one { turn.open_for_one(self.owner).await } else { turn.open(self.owner).await }
    }

    pub async fn close<T>(&mut self, outcome: Result<T>) -> Option<Result<T>> {
        self.attempts += 1;
        let Some(turn) = self.turn.take() else { return Some(outcome) };
        match outcome {
            Ok(value) => Some(turn.keep().await.map(|()| value)),
            Err(failure) => {
                let failure = turn.undo(failure).await;
                again(self.attempts, Err(failure))
            }
        }
    }
}

fn again<T>(attempts: u32, outcome: Result<T>) -> Option<Result<T>> {
    match outcome {
        Err(failure)
            if attempts <= RETRIES && (wants_retry(&failure) || is_lost_connection(&failure)) =>
        {
            metrics::counter!("db_bodies_run_again_total").increment(1);
            None
        }
        outcome => Some(outcome),
    }
}
