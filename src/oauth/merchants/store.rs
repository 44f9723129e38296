//! The statements of merchants.

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
};

use super::{Merchant, MerchantStatus};

const INSERT: &str = "INSERT INTO merchants (id, name, email, status, created_at_us)
    VALUES ($1, $2, $3, $4, $5)";

const FIND: &str = "SELECT id, name, email, status, created_at_us FROM merchants WHERE id = $1";

const SET_STATUS: &str = "UPDATE merchants SET status = $2 WHERE id = $1 AND status <> $2";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] =
    &[Statement::same(INSERT), Statement::same(FIND), Statement::same(SET_STATUS)];

pub(super) async fn insert(tx: &mut Tx, merchant: &Merchant) -> Result<(), DbError> {
    let Merchant { id, name, email, status, created_at } = merchant;
    db::exec!(tx, INSERT, id, name, email, status.as_str(), created_at)?;
    Ok(())
}

db::row! {
    struct MerchantRow {
        id: MerchantId,
        name: String,
        email: String,
        status: String,
        created_at_us: Timestamp,
    }
}

impl TryFrom<MerchantRow> for Merchant {
    type Error = DbError;

    fn try_from(row: MerchantRow) -> Result<Self, DbError> {
        let MerchantRow { id, name, email, status, created_at_us: created_at } = row;
        let status = MerchantStatus::parse(&status)
            .ok_or_else(|| DbError::unreadable("merchant status", status))?;
        Ok(Self { id, name, email, status, created_at })
    }
}

pub(super) async fn find(tx: &mut Tx, id: MerchantId) -> Result<Option<Merchant>, DbError> {
    db::optional!(tx, MerchantRow, FIND, id)?.map(Merchant::try_from).transpose()
}

/// False when it had this status already, or there is no such merchant.
pub(super) async fn set_status(
    tx: &mut Tx,
    id: MerchantId,
    status: MerchantStatus,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, SET_STATUS, id, status.as_str())? == 1)
}
