//! The statements that empty this room of one merchant.

use crate::{
    base::ids::MerchantId,
    db::{self, DbError, Statement, Tx},
};

const DEPOSITS: &str = "DELETE FROM deposits WHERE merchant_id = $1";

const ATTEMPTS: &str = "DELETE FROM payout_attempts WHERE merchant_id = $1";
const DECISIONS: &str = "DELETE FROM payout_decisions WHERE merchant_id = $1";
const TRANSITIONS: &str = "DELETE FROM payout_transitions WHERE merchant_id = $1";
const PAYOUTS: &str = "DELETE FROM payouts WHERE merchant_id = $1";
const VOLUMES: &str = "DELETE FROM payout_volumes WHERE merchant_id = $1";
const DAYS: &str = "DELETE FROM payout_days WHERE merchant_id = $1";
const INSTRUMENTS: &str = "DELETE FROM instruments WHERE merchant_id = $1";
const BENEFICIARIES: &str = "DELETE FROM beneficiaries WHERE merchant_id = $1";

/// In this order: what refers goes before what is referred to.
const RESOURCES: [&str; 8] =
    [ATTEMPTS, DECISIONS, TRANSITIONS, PAYOUTS, VOLUMES, DAYS, INSTRUMENTS, BENEFICIARIES];

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(DEPOSITS),
    Statement::same(ATTEMPTS),
    Statement::same(DECISIONS),
    Statement::same(TRANSITIONS),
    Statement::same(PAYOUTS),
    Statement::same(VOLUMES),
    Statement::same(DAYS),
    Statement::same(INSTRUMENTS),
    Statement::same(BENEFICIARIES),
];

pub(super) async fn erase_deposits(tx: &mut Tx, merchant: MerchantId) -> Result<(), DbError> {
    db::exec!(tx, DEPOSITS, merchant)?;
    Ok(())
}

/// Payouts with all that belongs to them, instruments, beneficiaries.
pub(super) async fn erase_resources(tx: &mut Tx, merchant: MerchantId) -> Result<(), DbError> {
    for sql in RESOURCES {
        db::exec!(tx, sql, merchant)?;
    }
    Ok(())
}
