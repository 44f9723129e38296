//! The statements of the trail.

use crate::{
    base::{ids::MerchantId, pagination::PageRequest, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
};

use super::{Action, Line, TrailId, Who};

const INSERT: &str = "INSERT INTO portal_trail
    (merchant_id, id, user_id, email, action, subject, note, address, at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const PAGE: &str = "SELECT id, at_us, email, action, subject, note, address FROM portal_trail
    WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

/// Whoever registers a credential or adds a key has held the private half.
const HELD_KEY: &str = "SELECT COUNT(*) FROM (SELECT id FROM portal_trail
    WHERE merchant_id = $1 AND subject = $2 AND user_id = $3
        AND action IN ('credential_registered', 'key_added') LIMIT 1) AS held";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] =
    &[Statement::same(INSERT), Statement::same(PAGE), Statement::same(HELD_KEY)];

pub(super) async fn insert(tx: &mut Tx, who: &Who, line: &Line) -> Result<(), DbError> {
    let Line { id, at, email, action, subject, note, address } = line;
    let (merchant, action) = (who.merchant, action.as_str());
    db::exec!(tx, INSERT, merchant, id, who.user, email, action, subject, note, address, at)?;
    Ok(())
}

db::row! {
    struct Row {
        id: TrailId,
        at_us: Timestamp,
        email: String,
        action: String,
        subject: String,
        note: String,
        address: String,
    }
}

pub(super) async fn page(
    tx: &mut Tx,
    merchant: MerchantId,
    request: &PageRequest,
) -> Result<Vec<Line>, DbError> {
    // Without a place to go on from: before what comes after every id.
    let before = request.after.as_deref().unwrap_or("trl_~");
    let rows = db::all!(tx, Row, PAGE, merchant, before, request.fetch())?;
    let read = |row: Row| {
        let action = Action::parse(&row.action);
        Ok(Line {
            id: row.id,
            at: row.at_us,
            email: row.email,
            action: action.ok_or_else(|| DbError::unreadable("action", row.action))?,
            subject: row.subject,
            note: row.note,
            address: row.address,
        })
    };
    rows.into_iter().map(read).collect()
}

pub(super) async fn held_key(tx: &mut Tx, who: &Who, client: &str) -> Result<bool, DbError> {
    let (held,) = db::one!(tx, (i64,), HELD_KEY, who.merchant, client, who.user)?;
    Ok(held > 0)
}
