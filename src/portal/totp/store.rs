//! The statements of recovery codes.

use crate::{
    db::{self, DbError, Statement, Tx},
    portal::users::Person,
};

const INSERT: &str = "INSERT INTO portal_recovery_codes (merchant_id, user_id, code_hash)
    VALUES ($1, $2, $3)";

const TAKE: &str = "DELETE FROM portal_recovery_codes
    WHERE merchant_id = $1 AND user_id = $2 AND code_hash = $3";

const CLEAR: &str = "DELETE FROM portal_recovery_codes WHERE merchant_id = $1 AND user_id = $2";

const COUNT: &str = "SELECT COUNT(*) FROM portal_recovery_codes
    WHERE merchant_id = $1 AND user_id = $2";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT),
    Statement::same(TAKE),
    Statement::same(CLEAR),
    Statement::same(COUNT),
];

pub(super) async fn insert(tx: &mut Tx, person: &Person, hash: &str) -> Result<(), DbError> {
    db::exec!(tx, INSERT, person.merchant, person.id, hash)?;
    Ok(())
}

/// True for the one who brings it first.
pub(super) async fn take(tx: &mut Tx, person: &Person, hash: &str) -> Result<bool, DbError> {
    Ok(db::exec!(tx, TAKE, person.merchant, person.id, hash)? == 1)
}

pub(super) async fn clear(tx: &mut Tx, person: &Person) -> Result<(), DbError> {
    db::exec!(tx, CLEAR, person.merchant, person.id)?;
    Ok(())
}

pub(super) async fn count(tx: &mut Tx, person: &Person) -> Result<i64, DbError> {
    Ok(db::one!(tx, (i64,), COUNT, person.merchant, person.id)?.0)
}
