//! The statements of links.

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
    portal::users::UserId,
};

use super::{LinkId, Purpose};

const INSERT: &str = "INSERT INTO portal_links (merchant_id, id, user_id, purpose, expires_at_us)
    VALUES ($1, $2, $3, $4, $5)";

const END_OLDER: &str = "UPDATE portal_links SET used_at_us = $4
    WHERE merchant_id = $1 AND user_id = $2 AND purpose = $3 AND used_at_us IS NULL";

const OPEN: &str = "SELECT user_id, purpose FROM portal_links
    WHERE merchant_id = $1 AND id = $2 AND used_at_us IS NULL AND expires_at_us > $3";

const TAKE: &str = "UPDATE portal_links SET used_at_us = $3
    WHERE merchant_id = $1 AND id = $2 AND used_at_us IS NULL AND expires_at_us > $3";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT),
    Statement::same(END_OLDER),
    Statement::same(OPEN),
    Statement::same(TAKE),
];

pub(super) async fn insert(
    tx: &mut Tx,
    merchant: MerchantId,
    id: LinkId,
    user: UserId,
    purpose: Purpose,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, INSERT, merchant, id, user, purpose.as_str(), expires_at)?;
    Ok(())
}

pub(super) async fn end_older(
    tx: &mut Tx,
    merchant: MerchantId,
    user: UserId,
    purpose: Purpose,
    now: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, END_OLDER, merchant, user, purpose.as_str(), now)?;
    Ok(())
}

pub(super) async fn open(
    tx: &mut Tx,
    merchant: MerchantId,
    id: LinkId,
    now: Timestamp,
) -> Result<Option<(UserId, Purpose)>, DbError> {
    let row = db::optional!(tx, (UserId, String), OPEN, merchant, id, now)?;
    row.map(|(user, purpose)| {
        let read = Purpose::parse(&purpose);
        Ok((user, read.ok_or_else(|| DbError::unreadable("purpose of a link", purpose))?))
    })
    .transpose()
}

/// True for one caller only.
pub(super) async fn take(
    tx: &mut Tx,
    merchant: MerchantId,
    id: LinkId,
    now: Timestamp,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, TAKE, merchant, id, now)? == 1)
}
