//! The statements of the ledger.

use super::{
    AccountId, AccountKind, Balance, Entry, EntryId, EntryKind, Hold, HoldEnd, HoldId, HoldState,
    Line, Posting,
};
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx, expect_one},
    money::{Amount, Currency},
};

const INSERT_ENTRY: &str = "INSERT INTO ledger_entries
    (merchant_id, id, kind, cause, reverses, created_at_us) VALUES ($1, $2, $3, $4, $5, $6)";

const OPEN_ACCOUNT: &str = "INSERT INTO ledger_accounts
    (merchant_id, currency, kind, id, balance_minor, version, updated_at_us)
    VALUES ($1, $2, $3, $4, 0, 0, $5) ON CONFLICT (merchant_id, currency, kind) DO NOTHING";

/// Changes a balance within its bounds, and writes the posting that says so.
const POST: Statement = db::statement!(
    "UPDATE ledger_accounts
    SET balance_minor = balance_minor + $4, version = version + 1, updated_at_us = $5
    WHERE merchant_id = $1 AND currency = $2 AND kind = $3
        AND balance_minor >= $6 AND balance_minor <= $7",
    IF_CHANGED("ledger_accounts WHERE merchant_id = $1 AND currency = $2 AND kind = $3"),
    "INSERT INTO ledger_postings
    (merchant_id, currency, kind, version, entry_id, change_minor, balance_minor, created_at_us)
    SELECT merchant_id, currency, kind, version, $8, $4, balance_minor, updated_at_us",
    ""
);

const BALANCES: &str =
    "SELECT currency, kind, id, balance_minor, updated_at_us FROM ledger_accounts
    WHERE merchant_id = $1 AND kind IN ('available', 'pending') ORDER BY currency, kind LIMIT 1000";

const BALANCE: &str = "SELECT currency, kind, id, balance_minor, updated_at_us FROM ledger_accounts
    WHERE merchant_id = $1 AND currency = $2 AND kind IN ('available', 'pending') LIMIT 2";

const LINES: &str =
    "SELECT p.version, p.currency, p.change_minor, p.balance_minor, p.created_at_us,
        e.id, e.kind, e.cause
    FROM ledger_postings p
    JOIN ledger_entries e ON e.merchant_id = p.merchant_id AND e.id = p.entry_id
    WHERE p.merchant_id = $1 AND p.currency = $2 AND p.kind = $3 AND p.version < $4
    ORDER BY p.version DESC LIMIT $5";

const POSTINGS_OF: Statement = db::statement!(
    "SELECT currency, kind, change_minor FROM ledger_postings",
    INDEXED_BY("ledger_postings_by_entry"),
    "WHERE merchant_id = $1 AND entry_id = $2 ORDER BY currency, kind LIMIT 100"
);

const INSERT_HOLD: &str = "INSERT INTO ledger_holds
    (merchant_id, id, currency, amount_minor, cause, state, created_at_us, expires_at_us)
    VALUES ($1, $2, $3, $4, $5, 'held', $6, $7)";

const FIND_HOLD: &str = "SELECT id, currency, amount_minor, cause, state, used_minor, ended_at_us
    FROM ledger_holds WHERE merchant_id = $1 AND id = $2";

const END_HOLD: &str = "UPDATE ledger_holds SET state = $3, used_minor = $4, ended_at_us = $5
    WHERE merchant_id = $1 AND id = $2 AND state = 'held' AND amount_minor >= $4";

const DUE_HOLDS: &str = "SELECT merchant_id, id FROM ledger_holds
    WHERE state = 'held' AND expires_at_us <= $1 ORDER BY expires_at_us LIMIT 100";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT_ENTRY),
    Statement::same(OPEN_ACCOUNT),
    POST,
    Statement::same(BALANCES),
    Statement::same(BALANCE),
    Statement::same(LINES),
    POSTINGS_OF,
    Statement::same(INSERT_HOLD),
    Statement::same(FIND_HOLD),
    Statement::same(END_HOLD),
    Statement::same(DUE_HOLDS),
];

pub(super) async fn insert_entry(
    tx: &mut Tx,
    merchant: MerchantId,
    id: EntryId,
    entry: &Entry,
    now: Timestamp,
) -> Result<(), DbError> {
    let Entry { kind, cause, reverses, .. } = entry;
    db::exec!(tx, INSERT_ENTRY, merchant, id, kind.as_str(), cause, *reverses, now)?;
    Ok(())
}

pub(super) async fn open_account(
    tx: &mut Tx,
    merchant: MerchantId,
    posting: Posting,
    id: AccountId,
    now: Timestamp,
) -> Result<(), DbError> {
    let (currency, kind) = (posting.change.currency().code(), posting.account.as_str());
    db::exec!(tx, OPEN_ACCOUNT, merchant, currency, kind, id, now)?;
    Ok(())
}

/// Changes one account's balance and writes the posting. False when there is no such account, or its
/// balance does not allow it.
pub(super) async fn post(
    tx: &mut Tx,
    merchant: MerchantId,
    entry: EntryId,
    posting: Posting,
    now: Timestamp,
) -> Result<bool, DbError> {
    let (currency, kind) = (posting.change.currency().code(), posting.account.as_str());
    let (change, (lowest, highest)) = (posting.change.minor(), posting.bounds());
    let sql = POST.on(tx.engine());
    let written =
        db::exec!(tx, sql, merchant, currency, kind, change, now, lowest, highest, entry)?;
    Ok(written > 0)
}

db::row! {
    struct AccountRow {
        currency: String,
        kind: String,
        id: AccountId,
        balance_minor: i64,
        updated_at_us: Timestamp,
    }
}

/// The balances of a merchant, by currency; of one currency only, if it is named.
pub(super) async fn balances(
    tx: &mut Tx,
    merchant: MerchantId,
    only: Option<Currency>,
) -> Result<Vec<Balance>, DbError> {
    let rows = match only {
        Some(currency) => db::all!(tx, AccountRow, BALANCE, merchant, currency.code())?,
        None => db::all!(tx, AccountRow, BALANCES, merchant)?,
    };
    let mut balances: Vec<Balance> = Vec::new();
    let (available, pending): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.kind == AccountKind::Available.as_str());
    for AccountRow { currency, id, balance_minor, updated_at_us: updated_at, .. } in available {
        let currency = read_currency(&currency)?;
        let available = Amount::from_minor(balance_minor, currency);
        balances.push(Balance { id, available, pending: Amount::zero(currency), updated_at });
    }
    for row in pending {
        let currency = read_currency(&row.currency)?;
        let same = balances.iter_mut().find(|balance| balance.currency() == currency);
        if let Some(balance) = same {
            balance.pending = Amount::from_minor(row.balance_minor, currency);
            balance.updated_at = balance.updated_at.max(row.updated_at_us);
        }
    }
    Ok(balances)
}

db::row! {
    struct LineRow {
        version: i64,
        currency: String,
        change_minor: i64,
        balance_minor: i64,
        created_at_us: Timestamp,
        id: EntryId,
        kind: String,
        cause: String,
    }
}

/// The lines of an account before a version, newest first, each with its version.
pub(super) async fn lines(
    tx: &mut Tx,
    merchant: MerchantId,
    currency: Currency,
    account: AccountKind,
    before: i64,
    limit: i64,
) -> Result<Vec<(i64, Line)>, DbError> {
    let (code, kind) = (currency.code(), account.as_str());
    let rows = db::all!(tx, LineRow, LINES, merchant, code, kind, before, limit)?;
    let read = |row: LineRow| {
        let currency = read_currency(&row.currency)?;
        let line = Line {
            entry: row.id,
            kind: EntryKind::parse(&row.kind)
                .ok_or_else(|| DbError::unreadable("entry kind", row.kind))?,
            cause: row.cause,
            change: Amount::from_minor(row.change_minor, currency),
            balance_after: Amount::from_minor(row.balance_minor, currency),
            at: row.created_at_us,
        };
        Ok((row.version, line))
    };
    rows.into_iter().map(read).collect()
}

/// What an entry did, for the one that undoes it.
pub(super) async fn postings_of(
    tx: &mut Tx,
    merchant: MerchantId,
    entry: EntryId,
) -> Result<Vec<Posting>, DbError> {
    let sql = POSTINGS_OF.on(tx.engine());
    let rows = db::all!(tx, (String, String, i64), sql, merchant, entry)?;
    let read = |(currency, kind, minor): (String, String, i64)| {
        let account = AccountKind::parse(&kind);
        let account = account.ok_or_else(|| DbError::unreadable("account kind", kind))?;
        Ok(Posting { account, change: Amount::from_minor(minor, read_currency(&currency)?) })
    };
    rows.into_iter().map(read).collect()
}

pub(super) async fn insert_hold(
    tx: &mut Tx,
    merchant: MerchantId,
    hold: &Hold,
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<(), DbError> {
    let (currency, minor) = (hold.amount.currency().code(), hold.amount.minor());
    db::exec!(tx, INSERT_HOLD, merchant, hold.id, currency, minor, &hold.cause, now, expires_at)?;
    Ok(())
}

db::row! {
    struct HoldRow {
        id: HoldId,
        currency: String,
        amount_minor: i64,
        cause: String,
        state: String,
        used_minor: Option<i64>,
        ended_at_us: Option<Timestamp>,
    }
}

pub(super) async fn find_hold(
    tx: &mut Tx,
    merchant: MerchantId,
    id: HoldId,
) -> Result<Option<Hold>, DbError> {
    let Some(row) = db::optional!(tx, HoldRow, FIND_HOLD, merchant, id)? else { return Ok(None) };
    let currency = read_currency(&row.currency)?;
    let state =
        match (row.state.as_str(), HoldEnd::parse(&row.state), row.used_minor, row.ended_at_us) {
            ("held", _, None, None) => HoldState::Held,
            (_, Some(how), Some(used), Some(at)) => {
                HoldState::Ended { how, used: Amount::from_minor(used, currency), at }
            }
            _ => return Err(DbError::unreadable("hold state", row.state)),
        };
    let amount = Amount::from_minor(row.amount_minor, currency);
    Ok(Some(Hold { id: row.id, amount, cause: row.cause, state }))
}

/// Ends a hold that is still held; any other is refused, which keeps it from ending twice.
pub(super) async fn end_hold(
    tx: &mut Tx,
    merchant: MerchantId,
    id: HoldId,
    how: HoldEnd,
    used: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    expect_one(db::exec!(tx, END_HOLD, merchant, id, how.as_str(), used, now)?)
}

pub(super) async fn due_holds(
    tx: &mut Tx,
    now: Timestamp,
) -> Result<Vec<(MerchantId, HoldId)>, DbError> {
    db::all!(tx, (MerchantId, HoldId), DUE_HOLDS, now)
}

fn read_currency(code: &str) -> Result<Currency, DbError> {
    code.parse().map_err(|error| DbError::unreadable("currency", error))
}
