//! The statements of the audit.

use crate::{
    base::ids::MerchantId,
    db::{self, DbError, Statement, Tx},
};

const MERCHANTS: &str = "SELECT DISTINCT merchant_id FROM ledger_accounts WHERE merchant_id > $1
    ORDER BY merchant_id LIMIT $2";

const ACCOUNTS: &str = "SELECT a.currency, a.kind, a.balance_minor, a.version,
        (SELECT COUNT(*) FROM ledger_postings p
            WHERE p.merchant_id = a.merchant_id AND p.currency = a.currency AND p.kind = a.kind)
            AS postings,
        (SELECT CAST(COALESCE(SUM(p.change_minor), 0) AS BIGINT) FROM ledger_postings p
            WHERE p.merchant_id = a.merchant_id AND p.currency = a.currency AND p.kind = a.kind)
            AS sum_minor,
        (SELECT CAST(COALESCE(SUM(h.amount_minor), 0) AS BIGINT) FROM ledger_holds h
            WHERE h.merchant_id = a.merchant_id AND h.currency = a.currency AND h.state = 'held')
            AS held_minor
    FROM ledger_accounts a WHERE a.merchant_id = $1 ORDER BY a.currency, a.kind LIMIT 10000";

const UNBALANCED: &str = "SELECT entry_id, currency, CAST(SUM(change_minor) AS BIGINT)
    FROM ledger_postings WHERE merchant_id = $1
    GROUP BY entry_id, currency HAVING SUM(change_minor) <> 0 ORDER BY entry_id LIMIT 100";

const GAPS: &str = "SELECT p.currency, p.kind, p.version FROM ledger_postings p
    LEFT JOIN ledger_postings b ON b.merchant_id = p.merchant_id AND b.currency = p.currency
        AND b.kind = p.kind AND b.version = p.version - 1
    WHERE p.merchant_id = $1
        AND p.balance_minor <> COALESCE(b.balance_minor, 0) + p.change_minor
    ORDER BY p.currency, p.kind, p.version LIMIT 100";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(MERCHANTS),
    Statement::same(ACCOUNTS),
    Statement::same(UNBALANCED),
    Statement::same(GAPS),
];

/// The next merchants that have accounts.
pub(super) async fn merchants(
    tx: &mut Tx,
    after: Option<MerchantId>,
    limit: i64,
) -> Result<Vec<MerchantId>, DbError> {
    let after = after.map(|merchant| merchant.to_string()).unwrap_or_default();
    let rows = db::all!(tx, (MerchantId,), MERCHANTS, after, limit)?;
    Ok(rows.into_iter().map(|(merchant,)| merchant).collect())
}

db::row! {
    /// An account beside what its postings and holds say.
    pub(super) struct AccountRow {
        pub(super) currency: String,
        pub(super) kind: String,
        pub(super) balance_minor: i64,
        pub(super) version: i64,
        pub(super) postings: i64,
        pub(super) sum_minor: i64,
        pub(super) held_minor: i64,
    }
}

pub(super) async fn accounts(
    tx: &mut Tx,
    merchant: MerchantId,
) -> Result<Vec<AccountRow>, DbError> {
    db::all!(tx, AccountRow, ACCOUNTS, merchant)
}

/// Entries that do not sum to zero, by currency.
pub(super) async fn unbalanced(
    tx: &mut Tx,
    merchant: MerchantId,
) -> Result<Vec<(String, String, i64)>, DbError> {
    db::all!(tx, (String, String, i64), UNBALANCED, merchant)
}

/// Postings whose balance is not the one before plus their change.
pub(super) async fn gaps(
    tx: &mut Tx,
    merchant: MerchantId,
) -> Result<Vec<(String, String, i64)>, DbError> {
    db::all!(tx, (String, String, i64), GAPS, merchant)
}
