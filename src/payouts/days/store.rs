//! The statements of days.

use std::collections::HashMap;

use super::tally::{Count, Facts, Measure};
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
};

/// A total that would not fit any more stays at its ceiling, rather than stop the count for ever.
const ADD: &str = "INSERT INTO payout_days (merchant_id, day, measure, name, count, total)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (merchant_id, day, measure, name) DO UPDATE
        SET count = payout_days.count + excluded.count,
            total = CASE WHEN payout_days.total > 9223372036854775807 - excluded.total
                THEN 9223372036854775807 ELSE payout_days.total + excluded.total END";

const SINCE: &str = "SELECT day, measure, name, count, total FROM payout_days
    WHERE merchant_id = $1 AND day >= $2 ORDER BY day, measure, name LIMIT 100000";

const PLACE: &str = "SELECT sequence FROM payout_day_marks WHERE merchant_id = $1";

/// Moves on from where the caller has read, and from nowhere else.
const MOVE: &str = "INSERT INTO payout_day_marks (merchant_id, sequence) VALUES ($1, $3)
    ON CONFLICT (merchant_id) DO UPDATE SET sequence = excluded.sequence
        WHERE payout_day_marks.sequence = $2";

macro_rules! facts {
    ($ids:literal) => {
        concat!(
            "SELECT id, source_currency, source_minor, fee_currency, fee_minor, method,
                processed_at_us, completed_at_us
            FROM payouts WHERE merchant_id = $1 AND id IN (SELECT value FROM ",
            $ids,
            ") ORDER BY id LIMIT 10000"
        )
    };
}
const FACTS: Statement = Statement {
    sqlite: facts!("json_each($2)"),
    postgres: facts!("jsonb_array_elements_text(CAST($2 AS JSONB))"),
};

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(ADD),
    Statement::same(SINCE),
    Statement::same(PLACE),
    Statement::same(MOVE),
    FACTS,
];

pub(super) async fn add(
    tx: &mut Tx,
    merchant: MerchantId,
    (day, measure, name): &(String, Measure, String),
    (count, total): (i64, i64),
) -> Result<(), DbError> {
    db::exec!(tx, ADD, merchant, day, measure.as_str(), name, count, total)?;
    Ok(())
}

/// The counts of a day and of all after it.
pub(super) async fn since(
    tx: &mut Tx,
    merchant: MerchantId,
    day: &str,
) -> Result<Vec<Count>, DbError> {
    let rows = db::all!(tx, (String, String, String, i64, i64), SINCE, merchant, day)?;
    let read = |(day, measure, name, count, total): (_, String, _, _, _)| {
        let known = Measure::parse(&measure);
        let measure = known.ok_or_else(|| DbError::unreadable("count", format!("of {measure}")))?;
        Ok(Count { day, measure, name, count, total })
    };
    rows.into_iter().map(read).collect()
}

/// The number of the last event that is counted; zero before the first.
pub(super) async fn place(tx: &mut Tx, merchant: MerchantId) -> Result<i64, DbError> {
    Ok(db::optional!(tx, (i64,), PLACE, merchant)?.map_or(0, |(sequence,)| sequence))
}

/// Whether it was still where the caller has read.
pub(super) async fn move_on(
    tx: &mut Tx,
    merchant: MerchantId,
    from: i64,
    to: i64,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, MOVE, merchant, from, to)? == 1)
}

db::row! {
    struct FactsRow {
        id: String,
        source_currency: String,
        source_minor: i64,
        fee_currency: String,
        fee_minor: i64,
        method: String,
        processed_at_us: Option<Timestamp>,
        completed_at_us: Option<Timestamp>,
    }
}

/// What is counted of these payouts; one that is not there any more was erased with its sandbox.
pub(super) async fn facts(
    tx: &mut Tx,
    merchant: MerchantId,
    ids: &str,
) -> Result<HashMap<String, Facts>, DbError> {
    let sql = FACTS.on(tx.engine());
    let rows = db::all!(tx, FactsRow, sql, merchant, ids)?;
    let read = |row: FactsRow| {
        let facts = Facts {
            source: (row.source_currency, row.source_minor),
            fee: (row.fee_currency, row.fee_minor),
            rail: row.method,
            asked_at: row.processed_at_us,
            arrived_at: row.completed_at_us,
        };
        (row.id, facts)
    };
    Ok(rows.into_iter().map(read).collect())
}
