//! The statements of deliveries.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx, statement},
    events::{DeliveryId, EndpointId, EventId, log::EventType},
};

/// A stretch of the log. Bounded on both sides, so that no other index than that of
/// the numbers looks as good to a planner who knows nothing of the table yet.
const AHEAD: &str = "SELECT sequence, id, kind, about, body, created_at_us
    FROM events WHERE merchant_id = $1 AND sequence > $2 AND sequence <= $2 + $3
    ORDER BY sequence LIMIT $3";

/// Where the log ends, and where it goes on after events that were dropped. One statement: an event that
/// is written between two would be passed over.
const OLDEST: &str = "SELECT s.last, (SELECT MIN(e.sequence) FROM events e
        WHERE e.merchant_id = $1 AND e.sequence > $2)
    FROM event_sequences s WHERE s.merchant_id = $1";

/// The first round, with what came of the first attempt. An event gets it once for each endpoint, because
/// the endpoint moves past it in the same transaction.
const WRITE: Statement = Statement {
    sqlite: "INSERT INTO webhook_deliveries
        (merchant_id, id, endpoint_id, sequence, round, event_id, about, status, attempts,
         max_attempts, next_attempt_at_us, signed_at_s, signatures, response_status,
         response_headers, response_body, error, duration_ms, delivered_at_us, created_at_us,
         updated_at_us)
        SELECT $1, j.value->>'id', $2, j.value->>'sequence', 0, j.value->>'event',
            j.value->>'about', j.value->>'status', j.value->>'attempts', $4, j.value->>'next',
            j.value->>'signed_at', j.value->>'signatures', j.value->>'code', j.value->>'headers',
            j.value->>'body', j.value->>'error', j.value->>'ms',
            CASE WHEN j.value->>'status' = 'delivered' THEN $5 END, $5, $5
        FROM json_each($3) AS j",
    postgres: "INSERT INTO webhook_deliveries
        (merchant_id, id, endpoint_id, sequence, round, event_id, about, status, attempts,
         max_attempts, next_attempt_at_us, signed_at_s, signatures, response_status,
         response_headers, response_body, error, duration_ms, delivered_at_us, created_at_us,
         updated_at_us)
        SELECT CAST($1 AS TEXT), j.id, CAST($2 AS TEXT), j.sequence, 0, j.event, j.about,
            j.status, j.attempts, CAST($4 AS BIGINT), j.next, j.signed_at, j.signatures, j.code,
            j.headers, j.body, j.error, j.ms,
            CASE WHEN j.status = 'delivered' THEN CAST($5 AS BIGINT) END, CAST($5 AS BIGINT),
            CAST($5 AS BIGINT)
        FROM json_to_recordset(CAST($3 AS JSON)) AS j (id TEXT, sequence BIGINT, event TEXT,
            about TEXT, status TEXT, attempts BIGINT, next BIGINT, signed_at BIGINT,
            signatures TEXT, code BIGINT, headers TEXT, body TEXT, error TEXT, ms BIGINT)",
};

/// A round for each re-delivery, from 1 on.
const PLAN_AGAIN: Statement = statement!(
    "INSERT INTO webhook_deliveries
    (merchant_id, id, endpoint_id, sequence, round, event_id, about, status, attempts,
     max_attempts, next_attempt_at_us, created_at_us, updated_at_us)
    SELECT CAST($1 AS TEXT), j.value->>'id', CAST($2 AS TEXT),
        CAST(j.value->>'sequence' AS BIGINT),
        (SELECT COALESCE(MAX(d.round), 0) + 1 FROM webhook_deliveries d
         WHERE d.merchant_id = $1 AND d.endpoint_id = $2
         AND d.sequence = CAST(j.value->>'sequence' AS BIGINT)),
        j.value->>'event', j.value->>'about', 'pending', 0, CAST($4 AS BIGINT),
        CAST($5 AS BIGINT), CAST($5 AS BIGINT), CAST($5 AS BIGINT)
    FROM ",
    JSON_ROWS("$3"),
    ""
);

/// The event is looked up row by row: as a join, a plan made while the tables were small would read
/// the merchant's whole log.
const DUE: &str = "SELECT d.id, d.event_id, d.sequence, d.about, d.attempts,
        (SELECT e.kind FROM events e
         WHERE e.merchant_id = d.merchant_id AND e.sequence = d.sequence),
        (SELECT e.body FROM events e
         WHERE e.merchant_id = d.merchant_id AND e.sequence = d.sequence),
        (SELECT e.created_at_us FROM events e
         WHERE e.merchant_id = d.merchant_id AND e.sequence = d.sequence)
    FROM webhook_deliveries d
    WHERE d.merchant_id = $1 AND d.endpoint_id = $2 AND d.status = 'pending'
    AND d.next_attempt_at_us <= $3
    ORDER BY d.next_attempt_at_us, d.sequence LIMIT $4";

/// Guarded by the number of attempts: what another replica has recorded meanwhile stays. The merchant is
/// asked of each row, none of which names one, so that SQLite goes from row to delivery; the other way round
/// it would read all deliveries of the merchant for each.
const RECORD: Statement = statement!(
    "UPDATE webhook_deliveries SET
        status = j.value->>'status',
        attempts = CAST(j.value->>'attempts' AS BIGINT),
        next_attempt_at_us = CAST(j.value->>'next' AS BIGINT),
        signed_at_s = CAST(j.value->>'signed_at' AS BIGINT),
        signatures = j.value->>'signatures',
        response_status = CAST(j.value->>'code' AS BIGINT),
        response_headers = j.value->>'headers',
        response_body = j.value->>'body',
        error = j.value->>'error',
        duration_ms = CAST(j.value->>'ms' AS BIGINT),
        delivered_at_us = CASE WHEN j.value->>'status' = 'delivered' THEN CAST($3 AS BIGINT) END,
        updated_at_us = CAST($3 AS BIGINT)
    FROM ",
    JSON_ROWS("$2"),
    "
    WHERE webhook_deliveries.merchant_id = COALESCE(j.value->>'merchant', $1)
    AND webhook_deliveries.id = j.value->>'id'
    AND webhook_deliveries.status = 'pending'
    AND webhook_deliveries.attempts = CAST(j.value->>'attempts' AS BIGINT) - 1"
);

/// What is on its way already is not planned a second time: it has a row that waits, or the endpoint has not
/// come to it yet.
const AGAIN: Statement = statement!(
    "SELECT e.sequence, e.id, e.kind, e.about FROM events e
    WHERE e.merchant_id = $1 AND e.sequence > $3 AND e.sequence <= $4
    AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d",
    INDEXED_BY("sqlite_autoindex_webhook_deliveries_2"),
    "WHERE d.merchant_id = $1 AND d.sequence = e.sequence AND d.endpoint_id = $2
        AND d.status = 'pending')
    AND e.sequence <= (SELECT w.planned_through FROM webhook_endpoints w
        WHERE w.merchant_id = $1 AND w.id = $2)
    AND ($6 = '' OR EXISTS (SELECT 1 FROM webhook_deliveries d
        WHERE d.merchant_id = $1 AND d.sequence = e.sequence AND d.endpoint_id = $2
        AND d.status = 'failed'))
    AND ($6 = '' OR NOT EXISTS (SELECT 1 FROM webhook_deliveries d
        WHERE d.merchant_id = $1 AND d.sequence = e.sequence AND d.endpoint_id = $2
        AND d.status = 'delivered'))
    ORDER BY e.sequence LIMIT $5"
);

const MAKE_DUE: &str = "UPDATE webhook_endpoints SET due_at_us = $3
    WHERE merchant_id = $1 AND id = $2 AND (due_at_us IS NULL OR due_at_us > $3)";

const FORGET: &str = "DELETE FROM webhook_deliveries WHERE (merchant_id, id) IN (
        SELECT d.merchant_id, d.id FROM webhook_deliveries d
        WHERE d.created_at_us < $1 AND d.status <> 'pending'
        ORDER BY d.created_at_us LIMIT $2)";

/// From the oldest on, and never past one that is younger or still to be delivered: the log of each
/// merchant stays one run without a gap, even where the clock was once set back.
const FORGET_EVENTS: Statement = statement!(
    "DELETE FROM events WHERE (merchant_id, sequence) IN (
        SELECT e.merchant_id, e.sequence FROM events e",
    INDEXED_BY("events_by_age"),
    "WHERE e.created_at_us < $1
        AND NOT EXISTS (SELECT 1 FROM events y
            WHERE y.merchant_id = e.merchant_id AND y.sequence < e.sequence
            AND y.created_at_us >= $1)
        AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d
            WHERE d.merchant_id = e.merchant_id AND d.sequence <= e.sequence)
        ORDER BY e.merchant_id, e.sequence LIMIT $2)"
);

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(AHEAD),
    Statement::same(OLDEST),
    WRITE,
    PLAN_AGAIN,
    Statement::same(DUE),
    RECORD,
    AGAIN,
    Statement::same(MAKE_DUE),
    Statement::same(FORGET),
    FORGET_EVENTS,
];

/// An event as planning sees it.
#[derive(Clone, Debug)]
pub(crate) struct Ahead {
    pub(crate) sequence: i64,
    pub(crate) id: EventId,
    pub(crate) kind: EventType,
    pub(crate) about: String,
    body: Bytes,
    happened_at: Timestamp,
}

impl Ahead {
    /// One without a body, for tests.
    #[cfg(test)]
    pub(crate) fn new(sequence: i64, id: EventId, kind: EventType, at: Timestamp) -> Self {
        Self { sequence, id, kind, about: String::new(), body: Bytes::new(), happened_at: at }
    }

    /// Its first delivery, due now.
    pub(crate) fn due(self, id: DeliveryId) -> Due {
        let Self { sequence, id: event, kind, about, body, happened_at } = self;
        Due { id, event, sequence, kind, about, attempts: 0, body, happened_at }
    }
}

type AheadRow = (i64, EventId, String, String, Vec<u8>, Timestamp);

fn ahead_of(row: AheadRow) -> Result<Ahead, DbError> {
    let (sequence, id, kind, about, body, happened_at) = row;
    Ok(Ahead { sequence, id, kind: kind_of(&kind)?, about, body: body.into(), happened_at })
}

fn kind_of(word: &str) -> Result<EventType, DbError> {
    EventType::parse(word)
        .ok_or_else(|| DbError::unreadable("event", format!("its kind is {word}")))
}

pub(crate) async fn ahead(
    tx: &mut Tx,
    merchant: MerchantId,
    after: i64,
    limit: i64,
) -> Result<(Vec<Ahead>, i64), DbError> {
    let mut end = after;
    let mut rows = db::all!(tx, AheadRow, AHEAD, merchant, after, limit)?;
    if rows.is_empty() {
        match db::optional!(tx, (i64, Option<i64>), OLDEST, merchant, after)? {
            Some((_, Some(oldest))) => {
                rows = db::all!(tx, AheadRow, AHEAD, merchant, oldest.saturating_sub(1), limit)?;
            }
            Some((last, None)) => end = last.max(after),
            None => {}
        }
    }
    let rows: Vec<Ahead> = rows.into_iter().map(ahead_of).collect::<Result<_, _>>()?;
    let end = rows.last().map_or(end, |event| event.sequence);
    Ok((rows, end))
}

/// A delivery to be planned.
#[derive(Debug, Serialize)]
pub(super) struct Planned {
    pub(super) id: DeliveryId,
    pub(super) sequence: i64,
    pub(super) event: EventId,
    pub(super) about: String,
}

/// An event that gets its row, with what came of the first attempt.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    pub(crate) sequence: i64,
    pub(crate) event: EventId,
    pub(crate) about: String,
    #[serde(flatten)]
    pub(crate) last: Attempted,
}

pub(crate) async fn write(
    tx: &mut Tx,
    (merchant, endpoint): (MerchantId, EndpointId),
    written: &[Written],
    (max_attempts, now): (u32, Timestamp),
) -> Result<(), DbError> {
    let (rows, attempts) = (db::rows(written)?, i64::from(max_attempts));
    let sql = WRITE.on(tx.engine());
    db::exec!(tx, sql, merchant, endpoint, rows, attempts, now)?;
    Ok(())
}

/// Plans once more what may have been planned before.
pub(super) async fn plan_again(
    tx: &mut Tx,
    (merchant, endpoint): (MerchantId, EndpointId),
    planned: &[Planned],
    (max_attempts, now): (u32, Timestamp),
) -> Result<(), DbError> {
    let (rows, attempts) = (db::rows(planned)?, i64::from(max_attempts));
    let sql = PLAN_AGAIN.on(tx.engine());
    db::exec!(tx, sql, merchant, endpoint, rows, attempts, now)?;
    Ok(())
}

/// A delivery whose next attempt is due, with the bytes to send.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) id: DeliveryId,
    pub(crate) event: EventId,
    pub(crate) sequence: i64,
    pub(crate) kind: EventType,
    pub(crate) about: String,
    pub(crate) attempts: i64,
    pub(crate) body: Bytes,
    pub(crate) happened_at: Timestamp,
}

pub(crate) async fn due(
    tx: &mut Tx,
    (merchant, endpoint): (MerchantId, EndpointId),
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Due>, DbError> {
    type Row = (DeliveryId, EventId, i64, String, i64, String, Vec<u8>, Timestamp);
    let rows = db::all!(tx, Row, DUE, merchant, endpoint, now, limit)?;
    let read = |(id, event, sequence, about, attempts, kind, body, happened_at): Row| {
        let (kind, body) = (kind_of(&kind)?, body.into());
        Ok(Due { id, event, sequence, kind, about, attempts, body, happened_at })
    };
    rows.into_iter().map(read).collect()
}

/// What came of an attempt.
#[derive(Debug, Serialize)]
pub(crate) struct Attempted {
    pub(crate) id: DeliveryId,
    pub(crate) attempts: i64,
    pub(crate) status: &'static str,
    pub(crate) next: Option<i64>,
    pub(crate) signed_at: Option<i64>,
    pub(crate) signatures: Option<BTreeMap<&'static str, String>>,
    pub(crate) code: Option<u16>,
    pub(crate) headers: Option<BTreeMap<&'static str, String>>,
    pub(crate) body: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) ms: Option<u64>,
}

pub(crate) async fn record(
    tx: &mut Tx,
    merchant: MerchantId,
    attempted: &[Attempted],
    now: Timestamp,
) -> Result<u64, DbError> {
    let rows = db::rows(attempted)?;
    let sql = RECORD.on(tx.engine());
    db::exec!(tx, sql, merchant, rows, now)
}

/// An event that can be sent once more.
pub(super) struct Sendable {
    pub(super) sequence: i64,
    pub(super) id: EventId,
    pub(super) kind: EventType,
    pub(super) about: String,
}

/// Events of a range that can be sent to an endpoint once more.
pub(super) async fn again(
    tx: &mut Tx,
    (merchant, endpoint): (MerchantId, EndpointId),
    (after, through): (i64, i64),
    limit: i64,
    only_failed: bool,
) -> Result<Vec<Sendable>, DbError> {
    type Row = (i64, EventId, String, String);
    let only = if only_failed { "failed" } else { "" };
    let sql = AGAIN.on(tx.engine());
    let rows = db::all!(tx, Row, sql, merchant, endpoint, after, through, limit, only)?;
    let read = |(sequence, id, kind, about): Row| {
        Ok(Sendable { sequence, id, kind: kind_of(&kind)?, about })
    };
    rows.into_iter().map(read).collect()
}

/// Lets the courier look at an endpoint now.
pub(super) async fn make_due(
    tx: &mut Tx,
    merchant: MerchantId,
    endpoint: EndpointId,
    now: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, MAKE_DUE, merchant, endpoint, now)?;
    Ok(())
}

/// Drops some deliveries that are done and older than this; gives how many.
pub(super) async fn forget(tx: &mut Tx, before: Timestamp, most: i64) -> Result<u64, DbError> {
    db::exec!(tx, FORGET, before, most)
}

/// Drops some events that are older than this; gives how many.
pub(super) async fn forget_events(
    tx: &mut Tx,
    before: Timestamp,
    most: i64,
) -> Result<u64, DbError> {
    let sql = FORGET_EVENTS.on(tx.engine());
    db::exec!(tx, sql, before, most)
}
