//! One statement on whichever engine it is.
//!
//! What is asked and what is answered is compiled for each statement, once for each engine. There are hundreds of
//! them, so the waiting in between is compiled once for all.

use sqlx::{
    FromRow, PgConnection, Postgres, Sqlite, SqliteConnection,
    postgres::{PgArguments, PgRow},
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

use super::DbError;

/// A statement with its values, and the connection that it is for.
#[doc(hidden)]
pub enum Asked<'c> {
    Sqlite(&'c mut SqliteConnection, Query<'static, Sqlite, SqliteArguments>),
    Postgres(&'c mut PgConnection, Query<'static, Postgres, PgArguments>),
}

/// What one engine or the other has answered.
#[doc(hidden)]
pub enum Answered<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// A row.
#[doc(hidden)]
pub type Row = Answered<SqliteRow, PgRow>;

/// All rows.
#[doc(hidden)]
pub type Rows = Answered<Vec<SqliteRow>, Vec<PgRow>>;

/// What can be read from a row of either engine.
#[doc(hidden)]
pub trait Readable: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> {}

impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>> Readable for T {}

impl Asked<'_> {
    /// Gives the number of rows that were changed.
    pub async fn execute(self) -> Result<u64, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(c, query) => query.execute(c).await?.rows_affected(),
            Self::Postgres(c, query) => query.execute(c).await?.rows_affected(),
        })
    }

    pub async fn optional(self) -> Result<Option<Row>, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(c, query) => query.fetch_optional(c).await?.map(Answered::Sqlite),
            Self::Postgres(c, query) => query.fetch_optional(c).await?.map(Answered::Postgres),
        })
    }

    pub async fn one(self) -> Result<Row, sqlx::Error> {
        self.optional().await?.ok_or(sqlx::Error::RowNotFound)
    }

    pub async fn all(self) -> Result<Rows, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(c, query) => Answered::Sqlite(query.fetch_all(c).await?),
            Self::Postgres(c, query) => Answered::Postgres(query.fetch_all(c).await?),
        })
    }
}

impl Row {
    pub fn read<T: Readable>(self) -> Result<T, DbError> {
        Ok(match self {
            Self::Sqlite(row) => T::from_row(&row)?,
            Self::Postgres(row) => T::from_row(&row)?,
        })
    }
}

impl Rows {
    pub fn read<T: Readable>(self) -> Result<Vec<T>, DbError> {
        let read: Result<_, sqlx::Error> = match self {
            Self::Sqlite(rows) => rows.into_iter().map(|row| T::from_row(&row)).collect(),
            Self::Postgres(rows) => rows.into_iter().map(|row| T::from_row(&row)).collect(),
        };
        Ok(read?)
    }
}

/// Runs one statement if there may be one, and remembers whether it failed. One whose answer cannot be read has not.
#[doc(hidden)]
#[macro_export]
macro_rules! __db_ask {
    ($tx:expr, $sql:expr, $waits:literal, $how:ident $(, $bind:expr)*) => {
        match $tx.admit($sql, $waits) {
            Ok(()) => {
                let asked = match &mut $tx.connection {
                    $crate::db::Connection::Sqlite(c) => {
                        $crate::db::Asked::Sqlite(c, sqlx::query($sql)$(.bind($bind))*)
                    }
                    $crate::db::Connection::Postgres(c) => {
                        $crate::db::Asked::Postgres(c, sqlx::query($sql)$(.bind($bind))*)
                    }
                };
                asked.$how().await.map_err(|error| $tx.failed(error))
            }
            Err(refused) => Err(refused),
        }
    };
}

/// Runs a statement; gives the number of rows it changed.
#[doc(hidden)]
#[macro_export]
macro_rules! __db_exec {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::db::ask!($tx, $sql, true, execute $(, $bind)*)
    };
}

/// Fetches at most one row.
#[doc(hidden)]
#[macro_export]
macro_rules! __db_optional {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::db::ask!($tx, $sql, false, optional $(, $bind)*)
            .and_then(|row| row.map($crate::db::Row::read::<$row>).transpose())
    };
}

/// Fetches exactly one row; none is an error of ours.
#[doc(hidden)]
#[macro_export]
macro_rules! __db_one {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::db::ask!($tx, $sql, false, one $(, $bind)*).and_then($crate::db::Row::read::<$row>)
    };
}

/// Fetches all rows; the statement must have its own LIMIT.
#[doc(hidden)]
#[macro_export]
macro_rules! __db_all {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::db::ask!($tx, $sql, true, all $(, $bind)*).and_then($crate::db::Rows::read::<$row>)
    };
}

#[doc(inline)]
pub use {
    __db_all as all, __db_ask as ask, __db_exec as exec, __db_one as one, __db_optional as optional,
};
