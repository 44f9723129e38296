//! What went wrong in the database, as far as a caller can act on it.

use std::{error::Error, time::Duration};

use sqlx::{error::DatabaseError, postgres::PgDatabaseError};

use crate::base::failure::{Code, Failure};

/// A database error, sorted by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A unique key is taken; the statement's owner says what that means.
    #[error("a unique key is taken")]
    Taken(#[source] sqlx::Error),
    /// The engine asks to run the transaction again.
    #[error("the transaction must run again")]
    RunAgain(#[source] sqlx::Error),
    /// Another transaction held the row for too long.
    #[error("another transaction holds the row")]
    Locked(#[source] sqlx::Error),
    /// The connection is gone; another one may do.
    #[error("the connection to the database is lost")]
    Lost(#[source] sqlx::Error),
    /// The database lives and has no time for us: no connection came, or a statement took too long.
    #[error("the database is too busy")]
    Busy(#[source] sqlx::Error),
    /// The database takes no writes: disk full, read-only, or somebody else holds the file.
    #[error("the database takes no writes")]
    NoWrites(#[source] sqlx::Error),
    /// A guarded update met another state than it expected.
    #[error("expected to change one row, changed {0}")]
    NotOneRow(u64),
    /// A stored value has a shape that this program does not know.
    #[error("a stored {what} cannot be read")]
    Unreadable {
        /// Which kind of value.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A body for one statement has sent another, or one whose end nobody waits for: what came before is
    /// durable already, and what comes after would not be known to be.
    #[error("a body of one statement must run one, and to its end")]
    NotForOne,
    /// A defect in a statement or a schema.
    #[error("the statement failed")]
    Other(#[source] sqlx::Error),
}

impl DbError {
    /// A stored value that its model refuses; this is damage, never a caller's fault.
    pub fn unreadable(what: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unreadable { what, source: source.into() }
    }

    /// Whether a unique key refused the row.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Taken(_))
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Database(inner) if inner.is_unique_violation() => Self::Taken(error),
            E::Database(inner) => match classify(inner.as_ref()) {
                Class::RunAgain => Self::RunAgain(error),
                Class::Locked => Self::Locked(error),
                Class::Lost => Self::Lost(error),
                Class::Busy => Self::Busy(error),
                Class::NoWrites => Self::NoWrites(error),
                Class::Other => Self::Other(error),
            },
            E::Io(_) | E::Tls(_) | E::Protocol(_) | E::WorkerCrashed => Self::Lost(error),
            E::PoolTimedOut | E::PoolClosed => Self::Busy(error),
            _ => Self::Other(error),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    RunAgain,
    Locked,
    Lost,
    Busy,
    NoWrites,
    Other,
}

/// By the engine that speaks, never by how its code looks: read as a number of `SQLite`, the
/// SQLSTATE 22021 (a NUL in a text) says BUSY, and a stranger could make us ask for repetitions.
fn classify(error: &dyn DatabaseError) -> Class {
    let code = error.code();
    let code = code.as_deref().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        of_sqlstate(code)
    } else {
        of_sqlite(code)
    }
}

/// Class 22, data exceptions, must stay among the others: no repetition mends them.
fn of_sqlstate(code: &str) -> Class {
    match code {
        "40001" | "40P01" => Class::RunAgain,
        "55P03" => Class::Locked,
        // The first is our own statement time-out.
        "57014" | "53300" => Class::Busy,
        // A server that shuts down, has crashed or is starting, and what else ends a session: its database is
        // dropped, or a time limit of the operator's has passed.
        "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" | "25P04" => Class::Lost,
        "25006" | "53100" => Class::NoWrites,
        _ if code.starts_with("08") => Class::Lost,
        _ => Class::Other,
    }
}

/// The extended result code as a decimal number; its low byte is the primary code.
fn of_sqlite(code: &str) -> Class {
    match code.parse::<u32>().map(|extended| extended & 0xff) {
        // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN
        Ok(5 | 6 | 8 | 10 | 13 | 14) => Class::NoWrites,
        _ => Class::Other,
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Lost(_)
            | DbError::Busy(_)
            | DbError::NoWrites(_)
            | DbError::RunAgain(_)
            | DbError::Locked(_) => unavailable().caused_by(error),
            error => Self::internal(error),
        }
    }
}

pub(super) fn unavailable() -> Failure {
    Failure::new(Code::Unavailable).retry_after(Duration::from_secs(1))
}

pub(super) fn wants_retry(failure: &Failure) -> bool {
    matches!(cause(failure), Some(DbError::RunAgain(_)))
}

pub(super) fn is_lost_connection(failure: &Failure) -> bool {
    matches!(cause(failure), Some(DbError::Lost(_)))
}

/// Whether a statement that was its own transaction may be durable although it has failed: its connection
/// was lost, or the disk has failed (IOERR), perhaps while it flushed what was written already.
pub(super) fn may_have_happened(failure: &Failure) -> bool {
    match cause(failure) {
        Some(DbError::Lost(_)) => true,
        Some(DbError::NoWrites(error)) => {
            let code = error.as_database_error().and_then(DatabaseError::code);
            let number = code.and_then(|code| code.parse::<u32>().ok());
            matches!(number.map(|extended| extended & 0xff), Some(10))
        }
        _ => false,
    }
}

fn cause(failure: &Failure) -> Option<&DbError> {
    failure.source()?.downcast_ref()
}

/// Says what a guarded update expects to change, and counts it.
pub fn expect_one(changed: u64) -> Result<(), DbError> {
    if changed == 1 { Ok(()) } else { Err(DbError::NotOneRow(changed)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_is_read_by_its_own_codes() {
        for number in 0..100_000 {
            let code = format!("{number:05}");
            if code.starts_with("22") {
                assert_eq!(of_sqlstate(&code), Class::Other, "{code}");
            }
        }
        for code in ["22021", "22P02", "22003", "23502", "42601", "25P02", ""] {
            assert_eq!(of_sqlstate(code), Class::Other, "{code}");
        }
        assert_eq!(of_sqlstate("40001"), Class::RunAgain);
        for ended in ["08006", "57P01", "57P04", "57P05", "25P03", "25P04"] {
            assert_eq!(of_sqlstate(ended), Class::Lost, "{ended}");
        }
        // SQLITE_BUSY_SNAPSHOT, and SQLITE_CONSTRAINT_NOTNULL.
        assert_eq!((of_sqlite("517"), of_sqlite("1299")), (Class::NoWrites, Class::Other));
        assert_eq!((of_sqlite("40001"), of_sqlite("08006")), (Class::Other, Class::Other));
    }
}
