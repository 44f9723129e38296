//! The statements of names.

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
};

const CLAIM: &str = "INSERT INTO portal_names (name, merchant_id, subject, forget_at_us)
    VALUES ($1, $2, $3, $4)";

const FIND: &str = "SELECT merchant_id, subject FROM portal_names WHERE name = $1";

const RELEASE: &str = "DELETE FROM portal_names WHERE name = $1";

const FORGET: &str = "DELETE FROM portal_names WHERE forget_at_us < $1";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(CLAIM),
    Statement::same(FIND),
    Statement::same(RELEASE),
    Statement::same(FORGET),
];

/// Makes a name lead to something of a merchant.
pub(in crate::portal) async fn claim(
    tx: &mut Tx,
    name: &str,
    merchant: MerchantId,
    subject: &str,
    forget_at: Option<Timestamp>,
) -> Result<(), DbError> {
    db::exec!(tx, CLAIM, name, merchant, subject, forget_at)?;
    Ok(())
}

/// What a name leads to.
pub(in crate::portal) async fn find(
    tx: &mut Tx,
    name: &str,
) -> Result<Option<(MerchantId, String)>, DbError> {
    db::optional!(tx, (MerchantId, String), FIND, name)
}

/// Lets a name go; false when nobody had it.
pub(in crate::portal) async fn release(tx: &mut Tx, name: &str) -> Result<bool, DbError> {
    Ok(db::exec!(tx, RELEASE, name)? == 1)
}

/// Drops names whose time is over.
pub(in crate::portal) async fn forget(tx: &mut Tx, now: Timestamp) -> Result<u64, DbError> {
    db::exec!(tx, FORGET, now)
}
