//! The statements of the lists of names.

use super::{List, Listed};
use crate::{
    base::timestamp::Timestamp,
    db::{self, DbError, Statement, Tx},
};

const CLEAR: &str = "DELETE FROM screening_names WHERE list = $1";

const INSERT: &str = "INSERT INTO screening_names (list, entry, folded) VALUES ($1, $2, $3)
    ON CONFLICT (list, entry, folded) DO NOTHING";

const STAMP: &str = "INSERT INTO screening_lists (list, version, imported_at_us) VALUES ($1, 1, $2)
    ON CONFLICT (list) DO UPDATE
        SET version = screening_lists.version + 1, imported_at_us = excluded.imported_at_us";

const VERSION: &str = "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM screening_lists";

const PAGE: &str = "SELECT list, entry, folded FROM screening_names
    WHERE (list, entry, folded) > ($1, $2, $3) ORDER BY list, entry, folded LIMIT 5000";

const LISTS: &str = "SELECT l.list, l.version, l.imported_at_us,
        (SELECT COUNT(*) FROM screening_names n WHERE n.list = l.list)
    FROM screening_lists l ORDER BY l.list LIMIT 1000";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(CLEAR),
    Statement::same(INSERT),
    Statement::same(STAMP),
    Statement::same(VERSION),
    Statement::same(PAGE),
    Statement::same(LISTS),
];

/// Puts a list in the place of its last version.
pub(super) async fn replace(
    tx: &mut Tx,
    list: &str,
    names: &[Listed],
    now: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, CLEAR, list)?;
    for Listed { entry, folded, .. } in names {
        db::exec!(tx, INSERT, list, entry, folded)?;
    }
    db::exec!(tx, STAMP, list, now)?;
    Ok(())
}

/// Changes whenever any list does.
pub(super) async fn version(tx: &mut Tx) -> Result<i64, DbError> {
    let (version,) = db::one!(tx, (i64,), VERSION)?;
    Ok(version)
}

/// The next names after one.
pub(super) async fn page(tx: &mut Tx, after: &Listed) -> Result<Vec<Listed>, DbError> {
    let Listed { list, entry, folded } = after;
    let rows = db::all!(tx, (String, String, String), PAGE, list, entry, folded)?;
    Ok(rows.into_iter().map(|(list, entry, folded)| Listed { list, entry, folded }).collect())
}

/// Every list, by its name.
pub(super) async fn lists(tx: &mut Tx) -> Result<Vec<List>, DbError> {
    let rows = db::all!(tx, (String, i64, Timestamp, i64), LISTS)?;
    let list = |(name, version, imported_at, names)| List { name, names, version, imported_at };
    Ok(rows.into_iter().map(list).collect())
}
