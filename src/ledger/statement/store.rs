//! The statements of statements of account.

use super::Movement;
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
    ledger::{AccountKind, EntryId, EntryKind},
    money::{Amount, Currency},
};

macro_rules! statement {
    ($entries:literal) => {
        concat!(
            "SELECT e.id, e.kind, e.cause, e.created_at_us, r.id AS reversed_by,
                p.currency, p.kind AS account, p.change_minor
            FROM (",
            $entries,
            ") AS t
            JOIN ledger_entries e ON e.merchant_id = $1 AND e.id = t.id
            LEFT JOIN ledger_entries r ON r.merchant_id = $1 AND r.reverses = t.id
            LEFT JOIN ledger_postings p ON p.merchant_id = $1 AND p.entry_id = t.id
                AND p.kind IN ('available', 'pending')
            ORDER BY e.id DESC, p.currency, p.kind LIMIT 10000"
        )
    };
}

const ALL: &str = statement!(
    "SELECT id FROM ledger_entries WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
);

/// The words of the condition are those of the index that it walks.
const OF_CURRENCY: &str = statement!(
    "SELECT DISTINCT entry_id AS id FROM ledger_postings
     WHERE merchant_id = $1 AND currency = $4 AND entry_id < $2
        AND kind IN ('available', 'pending')
     ORDER BY entry_id DESC LIMIT $3"
);

const OF_CAUSE: &str = statement!(
    "SELECT id FROM ledger_entries WHERE merchant_id = $1 AND cause = $2 ORDER BY id DESC LIMIT $3"
);

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] =
    &[Statement::same(ALL), Statement::same(OF_CURRENCY), Statement::same(OF_CAUSE)];

/// Comes after every id in the order of bytes: where a statement begins.
pub(super) fn after_all() -> String {
    format!("{}~", EntryId::PREFIX)
}

/// Comes after this id and before the next.
pub(super) fn up_to(entry: EntryId) -> String {
    format!("{entry}~")
}

db::row! {
    struct Row {
        id: EntryId,
        kind: String,
        cause: String,
        created_at_us: Timestamp,
        reversed_by: Option<EntryId>,
        currency: Option<String>,
        account: Option<String>,
        change_minor: Option<i64>,
    }
}

/// Some entries below a place, the newest first, each with what it moved.
pub(super) async fn entries(
    tx: &mut Tx,
    merchant: MerchantId,
    currency: Option<Currency>,
    below: &str,
    limit: i64,
) -> Result<Vec<(EntryId, Vec<Movement>)>, DbError> {
    let rows = match currency {
        Some(only) => db::all!(tx, Row, OF_CURRENCY, merchant, below, limit, only.code())?,
        None => db::all!(tx, Row, ALL, merchant, below, limit)?,
    };
    gathered(rows)
}

/// Some entries that one thing has caused, the newest first, each with what it moved.
pub(super) async fn entries_of(
    tx: &mut Tx,
    merchant: MerchantId,
    cause: &str,
    limit: i64,
) -> Result<Vec<(EntryId, Vec<Movement>)>, DbError> {
    gathered(db::all!(tx, Row, OF_CAUSE, merchant, cause, limit)?)
}

fn gathered(rows: Vec<Row>) -> Result<Vec<(EntryId, Vec<Movement>)>, DbError> {
    let mut entries: Vec<(EntryId, Vec<Movement>)> = Vec::new();
    for row in rows {
        if entries.last().is_none_or(|(last, _)| *last != row.id) {
            entries.push((row.id, Vec::new()));
        }
        if let (Some((_, movements)), Some(posting)) = (entries.last_mut(), posting(&row)?) {
            add(movements, row, posting)?;
        }
    }
    for (_, movements) in &mut entries {
        let has_twin = movements.len() > 1;
        for movement in movements {
            movement.has_twin = has_twin;
        }
    }
    Ok(entries)
}

/// An entry that moved nothing of the merchant's own has none.
fn posting(row: &Row) -> Result<Option<(AccountKind, Amount)>, DbError> {
    let (Some(currency), Some(account), Some(minor)) =
        (&row.currency, &row.account, row.change_minor)
    else {
        return Ok(None);
    };
    let currency: Currency =
        currency.parse().map_err(|error| DbError::unreadable("currency", error))?;
    let account = AccountKind::parse(account)
        .ok_or_else(|| DbError::unreadable("account kind", account.clone()))?;
    Ok(Some((account, Amount::from_minor(minor, currency))))
}

fn add(
    movements: &mut Vec<Movement>,
    row: Row,
    (account, change): (AccountKind, Amount),
) -> Result<(), DbError> {
    let nothing = Amount::zero(change.currency());
    if movements.last().is_none_or(|last| last.currency() != change.currency()) {
        movements.push(Movement {
            entry: row.id,
            kind: EntryKind::parse(&row.kind)
                .ok_or_else(|| DbError::unreadable("entry kind", row.kind))?,
            cause: row.cause,
            available: nothing,
            pending: nothing,
            has_twin: false,
            reversed: row.reversed_by.is_some(),
            at: row.created_at_us,
        });
    }
    if let Some(movement) = movements.last_mut() {
        match account {
            AccountKind::Pending => movement.pending = change,
            _ => movement.available = change,
        }
    }
    Ok(())
}
