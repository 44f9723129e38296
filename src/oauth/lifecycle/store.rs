//! The statements of revoked tokens.

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
};

const INSERT: &str = "INSERT INTO revoked_tokens (merchant_id, jti, expires_at_us)
    VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const EXISTS: &str = "SELECT expires_at_us FROM revoked_tokens WHERE merchant_id = $1 AND jti = $2";

const FORGET: &str = "DELETE FROM revoked_tokens WHERE expires_at_us < $1";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] =
    &[Statement::same(INSERT), Statement::same(EXISTS), Statement::same(FORGET)];

/// False when it was there already.
pub(super) async fn insert(
    tx: &mut Tx,
    merchant: MerchantId,
    jti: &str,
    expires_at: Timestamp,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, INSERT, merchant, jti, expires_at)? == 1)
}

pub(super) async fn exists(tx: &mut Tx, merchant: MerchantId, jti: &str) -> Result<bool, DbError> {
    Ok(db::optional!(tx, (Timestamp,), EXISTS, merchant, jti)?.is_some())
}

/// Drops those that would have expired by themselves before this moment.
pub(super) async fn forget(tx: &mut Tx, before: Timestamp) -> Result<u64, DbError> {
    db::exec!(tx, FORGET, before)
}
