//! The statements of deposits.

use super::Deposit;
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
    money::{Amount, Currency},
    payouts::DepositId,
};

const INSERT: &str = "INSERT INTO deposits
    (merchant_id, id, reference, currency, amount_minor, counterparty, created_at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (merchant_id, reference) DO NOTHING";

const FIND: &str = "SELECT id, reference, currency, amount_minor, counterparty, created_at_us
    FROM deposits WHERE merchant_id = $1 AND id = $2";

const FIND_BY_REFERENCE: &str =
    "SELECT id, reference, currency, amount_minor, counterparty, created_at_us
    FROM deposits WHERE merchant_id = $1 AND reference = $2";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] =
    &[Statement::same(INSERT), Statement::same(FIND), Statement::same(FIND_BY_REFERENCE)];

/// False when the merchant has a deposit with this reference.
pub(super) async fn insert(
    tx: &mut Tx,
    merchant: MerchantId,
    deposit: &Deposit,
) -> Result<bool, DbError> {
    let Deposit { id, amount, reference, counterparty, at } = deposit;
    let (currency, minor) = (amount.currency().code(), amount.minor());
    let name = counterparty.as_deref();
    Ok(db::exec!(tx, INSERT, merchant, id, reference, currency, minor, name, at)? == 1)
}

type Row = (DepositId, String, String, i64, Option<String>, Timestamp);

fn read((id, reference, currency, minor, counterparty, at): Row) -> Result<Deposit, DbError> {
    let currency: Currency =
        currency.parse().map_err(|error| DbError::unreadable("currency", error))?;
    Ok(Deposit { id, amount: Amount::from_minor(minor, currency), reference, counterparty, at })
}

/// One of the merchant's.
pub async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    id: DepositId,
) -> Result<Option<Deposit>, DbError> {
    db::optional!(tx, Row, FIND, merchant, id)?.map(read).transpose()
}

pub(super) async fn find_by_reference(
    tx: &mut Tx,
    merchant: MerchantId,
    reference: &str,
) -> Result<Option<Deposit>, DbError> {
    db::optional!(tx, Row, FIND_BY_REFERENCE, merchant, reference)?.map(read).transpose()
}
