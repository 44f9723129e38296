//! The statements of the counters.

use crate::db::{self, DbError, Statement, Tx, expect_one};

const READ: &str = "SELECT value FROM pricing_generations WHERE name = $1";

const GROW: &str = "UPDATE pricing_generations SET value = value + 1 WHERE name = $1";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[Statement::same(READ), Statement::same(GROW)];

pub(super) async fn read(tx: &mut Tx, name: &str) -> Result<i64, DbError> {
    Ok(db::one!(tx, (i64,), READ, name)?.0)
}

pub(super) async fn grow(tx: &mut Tx, name: &str) -> Result<(), DbError> {
    expect_one(db::exec!(tx, GROW, name)?)
}
