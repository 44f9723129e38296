//! The statements that close books.

use crate::{
    base::ids::MerchantId,
    db::{self, DbError, Statement, Tx},
    money::Amount,
};

const POSTINGS: &str = "DELETE FROM ledger_postings WHERE merchant_id = $1";
const ENTRIES: &str = "DELETE FROM ledger_entries WHERE merchant_id = $1";
const ACCOUNTS: &str = "DELETE FROM ledger_accounts WHERE merchant_id = $1";
const HOLDS: &str = "DELETE FROM ledger_holds WHERE merchant_id = $1";

const HELD: &str = "SELECT currency, CAST(SUM(amount_minor) AS BIGINT) FROM ledger_holds
    WHERE merchant_id = $1 AND state = 'held' GROUP BY currency ORDER BY currency LIMIT 1000";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(POSTINGS),
    Statement::same(ENTRIES),
    Statement::same(ACCOUNTS),
    Statement::same(HOLDS),
    Statement::same(HELD),
];

pub(super) async fn erase_books(tx: &mut Tx, merchant: MerchantId) -> Result<(), DbError> {
    for sql in [POSTINGS, ENTRIES, ACCOUNTS] {
        db::exec!(tx, sql, merchant)?;
    }
    Ok(())
}

pub(super) async fn erase_holds(tx: &mut Tx, merchant: MerchantId) -> Result<(), DbError> {
    db::exec!(tx, HOLDS, merchant)?;
    Ok(())
}

pub(super) async fn held(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<Amount>, DbError> {
    let rows = db::all!(tx, (String, i64), HELD, merchant)?;
    let read = |(currency, minor): (String, i64)| {
        let currency = currency.parse().map_err(|error| DbError::unreadable("currency", error))?;
        Ok(Amount::from_minor(minor, currency))
    };
    rows.into_iter().map(read).collect()
}
