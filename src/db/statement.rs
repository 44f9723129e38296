//! A statement, the few clauses in which the engines' words differ, and the rows that it answers.

use super::{DbError, Engine};

/// One statement in the words of each engine; mostly the same words.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// For the embedded file.
    pub sqlite: &'static str,
    /// For the server.
    pub postgres: &'static str,
}

impl Statement {
    /// A statement in the common subset.
    pub const fn same(sql: &'static str) -> Self {
        Self { sqlite: sql, postgres: sql }
    }

    /// The text for one engine.
    pub const fn on(self, engine: Engine) -> &'static str {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }
}

/// Many rows as one parameter: what `JSON_ROWS` of [`statement!`] reads.
pub fn rows<T: serde::Serialize>(rows: &[T]) -> Result<String, DbError> {
    serde_json::to_string(rows).map_err(|error| DbError::unreadable("rows", error))
}

/// Builds a statement with a hole that only `PostgreSQL` fills: `SQLite` has one writer, so a row
/// that is being changed cannot be seen by another and needs no lock.
#[doc(hidden)]
#[macro_export]
macro_rules! __db_statement {
    ($before:literal, SKIP_LOCKED, $after:literal) => {
        $crate::db::Statement {
            sqlite: concat!($before, $after),
            postgres: concat!($before, "FOR UPDATE SKIP LOCKED", $after),
        }
    };
    // The members of a JSON array that is one parameter: many rows in one trip.
    ($before:literal, JSON_ROWS($array:literal), $after:literal) => {
        $crate::db::Statement {
            sqlite: concat!($before, "jsonb_each(", $array, ") AS j", $after),
            postgres: concat!(
                $before,
                "jsonb_array_elements(CAST(",
                $array,
                " AS jsonb)) AS j(value)",
                $after
            ),
        }
    };
    // A statement that changes one row, and a second one if it did: one trip for both. The second reads
    // the row as it is now; on SQLite it is named by its key, on PostgreSQL it comes from the first.
    // Rows are affected if both did something, and none otherwise.
    ($first:expr, IF_CHANGED($row:literal), $then:literal, $rest:literal) => {
        $crate::db::Statement {
            sqlite: concat!($first, "; ", $then, " FROM ", $row, " AND changes() = 1 ", $rest),
            postgres: concat!(
                "WITH changed AS (",
                $first,
                " RETURNING *) ",
                $then,
                " FROM changed ",
                $rest
            ),
        }
    };
    // A list that must stay quick however many rows there are, by its index. SQLite, which knows nothing of
    // how rows are spread until somebody runs ANALYZE, takes the primary key for as good a way; PostgreSQL
    // counts for itself.
    ($before:expr, INDEXED_BY($index:literal), $after:expr) => {
        $crate::db::Statement {
            sqlite: concat!($before, " INDEXED BY ", $index, " ", $after),
            postgres: concat!($before, " ", $after),
        }
    };
    ($before:literal, FOR_UPDATE, $after:literal) => {
        $crate::db::Statement {
            sqlite: concat!($before, $after),
            postgres: concat!($before, "FOR UPDATE", $after),
        }
    };
}

/// A struct with a field for each column that a statement answers, by name.
#[doc(hidden)]
#[macro_export]
macro_rules! __db_row {
    ($(#[$about:meta])* $seen:vis struct $name:ident {
        $($field_seen:vis $field:ident: $kind:ty,)+
    }) => {
        $(#[$about])*
        $seen struct $name {
            $($field_seen $field: $kind,)+
        }

        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $name
        where
            &'static str: sqlx::ColumnIndex<R>,
            $($kind: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,)+
        {
            fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
                // A field that is a keyword is written `r#type`; its column is not.
                Ok(Self { $($field: row.try_get(stringify!($field).trim_start_matches("r#"))?,)+ })
            }
        }
    };
}

pub use {__db_row as row, __db_statement as statement};
