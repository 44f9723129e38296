//! The statements by which endpoints are taken, kept and given back.

use serde::Serialize;

use super::{health::Health, outcome::Wrote};
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx, statement},
    events::{
        EndpointId,
        endpoints::{Because, Filter, Sealed, read_filter},
        signatures::Dialect,
    },
};

/// Who can be taken; asked through the reading door, so that an idle server writes nothing. Who was visited
/// longest ago comes first.
const READY: &str = "SELECT e.merchant_id, e.id FROM webhook_endpoints e
    WHERE e.status = 'active' AND e.leased_until_us <= $1 AND e.paused_until_us <= $1
    AND e.failures BETWEEN $2 AND $3
    AND (e.due_at_us <= $1 OR e.planned_through <
        (SELECT s.last FROM event_sequences s WHERE s.merchant_id = e.merchant_id))
    ORDER BY e.leased_until_us LIMIT $4";

/// The same among the endpoints of some merchants.
const READY_OF: Statement = statement!(
    "SELECT e.merchant_id, e.id FROM webhook_endpoints e
    WHERE e.status = 'active' AND e.leased_until_us <= $1 AND e.paused_until_us <= $1
    AND e.failures BETWEEN $2 AND $3
    AND (e.due_at_us <= $1 OR e.planned_through <
        (SELECT s.last FROM event_sequences s WHERE s.merchant_id = e.merchant_id))
    AND e.merchant_id IN (SELECT j.value->>'merchant' FROM ",
    JSON_ROWS("$5"),
    ") ORDER BY e.leased_until_us LIMIT $4"
);

/// Takes those of them that nobody has taken meanwhile.
const CLAIM: Statement = Statement {
    sqlite: "UPDATE webhook_endpoints SET lease_id = $3, leased_until_us = $4
        WHERE (merchant_id, id) IN
            (SELECT j.value->>'merchant', j.value->>'endpoint' FROM json_each($2) AS j)
        AND status = 'active' AND leased_until_us <= $1
        RETURNING merchant_id, id, url, filter, dialect, secret, old_secret, old_secret_ends_us,
            planned_through, failures, failing_since_us, paused_until_us, warned_at_us, due_at_us",
    // Two replicas that take several each would wait for each other's.
    postgres: "WITH ready AS (
            SELECT e.merchant_id, e.id FROM webhook_endpoints e
            WHERE (e.merchant_id, e.id) IN
                (SELECT j.value->>'merchant', j.value->>'endpoint'
                 FROM jsonb_array_elements(CAST($2 AS jsonb)) AS j(value))
            AND e.status = 'active' AND e.leased_until_us <= $1 FOR UPDATE SKIP LOCKED
        )
        UPDATE webhook_endpoints w SET lease_id = $3, leased_until_us = $4 FROM ready
        WHERE w.merchant_id = ready.merchant_id AND w.id = ready.id
        RETURNING w.merchant_id, w.id, w.url, w.filter, w.dialect, w.secret, w.old_secret,
            w.old_secret_ends_us, w.planned_through, w.failures, w.failing_since_us,
            w.paused_until_us, w.warned_at_us, w.due_at_us",
};

/// Moves on in the log, and only from where this visit believes the endpoint to be: no event is passed over
/// and none gets two rows. Rows that wait are found by others should this visit never leave.
const KEEP: &str = "UPDATE webhook_endpoints
    SET planned_through = $5, failures = $6, failing_since_us = $7, paused_until_us = $8,
        warned_at_us = $9, leased_until_us = $10,
        due_at_us = CASE WHEN due_at_us <= CAST($11 AS BIGINT) OR CAST($11 AS BIGINT) IS NULL
            THEN due_at_us ELSE CAST($11 AS BIGINT) END
    WHERE merchant_id = $1 AND id = $2 AND lease_id = $3 AND planned_through = $4
    AND status = 'active'
    RETURNING planned_through";

/// The same, and gives it back. The rows of this visit are not there yet: the least of their moments is
/// given. Events of this merchant are written before or after this, never meanwhile.
const LEAVE: &str = "UPDATE webhook_endpoints
    SET planned_through = $5, failures = $6, failing_since_us = $7, paused_until_us = $8,
        warned_at_us = $9, leased_until_us = $10, lease_id = NULL,
        due_at_us = (SELECT MIN(x.at) FROM
            (SELECT MIN(d.next_attempt_at_us) AS at FROM webhook_deliveries d
             WHERE d.merchant_id = $1 AND d.endpoint_id = $2 AND d.status = 'pending'
             UNION ALL SELECT CAST($11 AS BIGINT) AS at) x)
    WHERE merchant_id = $1 AND id = $2 AND lease_id = $3 AND planned_through = $4
    AND status = 'active'
    RETURNING (SELECT COUNT(*) FROM event_sequences s
        WHERE s.merchant_id = $1 AND s.last > $5)";

const DISABLE: &str = "UPDATE webhook_endpoints
    SET status = 'disabled', disabled_because = $3, updated_at_us = $4
    WHERE merchant_id = $1 AND id = $2 AND status = 'active'";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(READY),
    READY_OF,
    CLAIM,
    Statement::same(KEEP),
    Statement::same(LEAVE),
    Statement::same(DISABLE),
];

/// An endpoint that this process alone delivers to for a while.
#[derive(Debug)]
pub(super) struct Leased {
    pub(super) merchant: MerchantId,
    pub(super) id: EndpointId,
    pub(super) lease: String,
    pub(super) url: String,
    pub(super) filter: Filter,
    pub(super) dialect: Dialect,
    pub(super) sealed: Sealed,
    pub(super) planned_through: i64,
    pub(super) due_at: Option<Timestamp>,
    pub(super) health: Health,
}

db::row! {
    struct LeasedRow {
        merchant_id: MerchantId,
        id: EndpointId,
        url: String,
        filter: String,
        dialect: String,
        secret: Vec<u8>,
        old_secret: Option<Vec<u8>>,
        old_secret_ends_us: Option<Timestamp>,
        planned_through: i64,
        failures: i64,
        failing_since_us: Option<Timestamp>,
        paused_until_us: Timestamp,
        warned_at_us: Option<Timestamp>,
        due_at_us: Option<Timestamp>,
    }
}

/// Which endpoints are meant, by how many failures in a row they have.
pub(super) type Failures = (i64, i64);

/// An endpoint that can be taken.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    merchant: MerchantId,
    endpoint: EndpointId,
}

#[derive(Serialize)]
struct Named {
    merchant: MerchantId,
}

/// Who can be taken, of all or among some merchants' endpoints.
pub(super) async fn ready(
    tx: &mut Tx,
    now: Timestamp,
    (least, most): Failures,
    among: Option<&[MerchantId]>,
    limit: i64,
) -> Result<Vec<Ready>, DbError> {
    type Row = (MerchantId, EndpointId);
    let rows = match among {
        None => db::all!(tx, Row, READY, now, least, most, limit)?,
        Some(merchants) => {
            let named = |merchant: &MerchantId| Named { merchant: *merchant };
            let among = db::rows(&merchants.iter().map(named).collect::<Vec<_>>())?;
            let sql = READY_OF.on(tx.engine());
            db::all!(tx, Row, sql, now, least, most, limit, among)?
        }
    };
    Ok(rows.into_iter().map(|(merchant, endpoint)| Ready { merchant, endpoint }).collect())
}

/// Takes them, as far as they are still free.
pub(super) async fn claim(
    tx: &mut Tx,
    (now, until): (Timestamp, Timestamp),
    ready: &[Ready],
    visit: &str,
) -> Result<Vec<Leased>, DbError> {
    let sql = CLAIM.on(tx.engine());
    let rows = db::all!(tx, LeasedRow, sql, now, db::rows(ready)?, visit, until)?;
    let read = |row: LeasedRow| {
        let unreadable = |what: &str| DbError::unreadable("webhook endpoint", what.to_owned());
        Ok(Leased {
            merchant: row.merchant_id,
            id: row.id,
            lease: visit.to_owned(),
            url: row.url,
            filter: read_filter(&row.filter)?,
            dialect: row.dialect.parse().map_err(unreadable)?,
            sealed: Sealed {
                current: row.secret,
                old: row.old_secret,
                old_ends: row.old_secret_ends_us,
            },
            planned_through: row.planned_through,
            due_at: row.due_at_us,
            health: Health {
                failures: u32::try_from(row.failures).unwrap_or(u32::MAX),
                failing_since: row.failing_since_us,
                paused_until: row.paused_until_us,
                warned_at: row.warned_at_us,
            },
        })
    };
    rows.into_iter().map(read).collect()
}

/// Moves on from one number to another, writes down how it is doing, and keeps it.
pub(super) async fn keep(
    tx: &mut Tx,
    leased: &Leased,
    stretch: (i64, i64),
    health: &Health,
    until: (Timestamp, Option<i64>),
) -> Result<Wrote, DbError> {
    let kept = move_on(tx, KEEP, leased, stretch, health, until).await?;
    Ok(kept.map_or(Wrote::Lost, |_| Wrote::Ours { more: false }))
}

/// The same, and gives it back.
pub(super) async fn leave(
    tx: &mut Tx,
    leased: &Leased,
    stretch: (i64, i64),
    health: &Health,
    now: (Timestamp, Option<i64>),
) -> Result<Wrote, DbError> {
    let left = move_on(tx, LEAVE, leased, stretch, health, now).await?;
    Ok(left.map_or(Wrote::Lost, |(ahead,)| Wrote::Ours { more: ahead > 0 }))
}

async fn move_on(
    tx: &mut Tx,
    sql: &'static str,
    leased: &Leased,
    (from, through): (i64, i64),
    health: &Health,
    (leased_until, next): (Timestamp, Option<i64>),
) -> Result<Option<(i64,)>, DbError> {
    let Leased { merchant, id, lease, .. } = leased;
    let Health { failures, failing_since, paused_until, warned_at } = health;
    let failures = i64::from(*failures);
    db::optional!(
        tx,
        (i64,),
        sql,
        merchant,
        id,
        lease,
        from,
        through,
        failures,
        failing_since,
        paused_until,
        warned_at,
        leased_until,
        next
    )
}

/// Switches it off; false when somebody was faster.
pub(super) async fn disable(
    tx: &mut Tx,
    leased: &Leased,
    because: Because,
    now: Timestamp,
) -> Result<bool, DbError> {
    let Leased { merchant, id, .. } = leased;
    Ok(db::exec!(tx, DISABLE, merchant, id, because.as_str(), now)? == 1)
}
