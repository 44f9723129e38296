//! The statements of volumes.

use crate::{
    base::ids::MerchantId,
    db::{self, DbError, Statement, Tx},
    money::{Amount, Currency},
};

const COUNT: &str = "INSERT INTO payout_volumes (merchant_id, day, currency, count, minor)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (merchant_id, day, currency) DO UPDATE
        SET count = payout_volumes.count + excluded.count, minor = payout_volumes.minor + excluded.minor";

/// Days are written so that those of a month begin with it and stand together in the key.
const SENT: &str = "SELECT CAST(COALESCE(SUM(minor), 0) AS BIGINT) FROM payout_volumes
    WHERE merchant_id = $1 AND day >= $2 AND day < $3 AND currency = $4";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[Statement::same(COUNT), Statement::same(SENT)];

pub(super) async fn count(
    tx: &mut Tx,
    merchant: MerchantId,
    day: &str,
    payouts: i64,
    amount: Amount,
) -> Result<(), DbError> {
    let currency = amount.currency().code();
    db::exec!(tx, COUNT, merchant, day, currency, payouts, amount.minor())?;
    Ok(())
}

/// What went out on the days that begin with these letters, in minor units.
pub(super) async fn sent(
    tx: &mut Tx,
    merchant: MerchantId,
    prefix: &str,
    currency: Currency,
) -> Result<i64, DbError> {
    let end = format!("{prefix}~");
    let (minor,) = db::one!(tx, (i64,), SENT, merchant, prefix, end, currency.code())?;
    Ok(minor)
}
