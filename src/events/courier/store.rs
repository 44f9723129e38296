//! The statements by which endpoints are taken, kept and given back.

use super::health::Health;
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx, statement},
    events::{
        EndpointId,
        endpoints::{Because, Filter, Sealed, read_filter},
        signatures::Dialect,
    },
};

/// Whether there is anything to take; asked through the reading door, so that an idle server writes
/// nothing.
const READY: &str = "SELECT COUNT(*) FROM (SELECT e.id FROM webhook_endpoints e
    WHERE e.status = 'active' AND e.leased_until_us <= $1 AND e.paused_until_us <= $1
    AND e.failures BETWEEN $2 AND $3
    AND (e.due_at_us <= $1 OR e.planned_through <
        (SELECT s.last FROM event_sequences s WHERE s.merchant_id = e.merchant_id))
    LIMIT 1) AS ready";

/// Who was visited longest ago comes first.
const CLAIM: Statement = statement!(
    "WITH ready AS (
        SELECT e.merchant_id, e.id FROM webhook_endpoints e
        WHERE e.status = 'active' AND e.leased_until_us <= $1 AND e.paused_until_us <= $1
        AND e.failures BETWEEN $2 AND $3
        AND (e.due_at_us <= $1 OR e.planned_through <
            (SELECT s.last FROM event_sequences s WHERE s.merchant_id = e.merchant_id))
        ORDER BY e.leased_until_us LIMIT $4 ",
    SKIP_LOCKED,
    "
    )
    UPDATE webhook_endpoints SET lease_id = $5, leased_until_us = $6
    FROM ready
    WHERE webhook_endpoints.merchant_id = ready.merchant_id AND webhook_endpoints.id = ready.id
    RETURNING webhook_endpoints.merchant_id, webhook_endpoints.id, webhook_endpoints.url,
        webhook_endpoints.filter, webhook_endpoints.dialect, webhook_endpoints.secret,
        webhook_endpoints.old_secret, webhook_endpoints.old_secret_ends_us,
        webhook_endpoints.planned_through, webhook_endpoints.failures,
        webhook_endpoints.failing_since_us, webhook_endpoints.paused_until_us,
        webhook_endpoints.warned_at_us"
);

const ADVANCE: &str = "UPDATE webhook_endpoints SET planned_through = $5
    WHERE merchant_id = $1 AND id = $2 AND lease_id = $3 AND planned_through = $4
    AND status = 'active'";

const KEEP: &str = "UPDATE webhook_endpoints
    SET failures = $4, failing_since_us = $5, paused_until_us = $6, leased_until_us = $7,
        warned_at_us = $8
    WHERE merchant_id = $1 AND id = $2 AND lease_id = $3 AND status = 'active'";

const RELEASE: &str = "UPDATE webhook_endpoints
    SET lease_id = NULL, leased_until_us = $4, due_at_us =
        (SELECT MIN(d.next_attempt_at_us) FROM webhook_deliveries d
         WHERE d.merchant_id = $1 AND d.endpoint_id = $2 AND d.status = 'pending')
    WHERE merchant_id = $1 AND id = $2 AND lease_id = $3";

const DISABLE: &str = "UPDATE webhook_endpoints
    SET status = 'disabled', disabled_because = $3, updated_at_us = $4
    WHERE merchant_id = $1 AND id = $2 AND status = 'active'";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(READY),
    CLAIM,
    Statement::same(ADVANCE),
    Statement::same(KEEP),
    Statement::same(RELEASE),
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
    pub(super) health: Health,
}

#[derive(sqlx::FromRow)]
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
}

/// Which endpoints are meant, by how many failures in a row they have.
pub(super) type Failures = (i64, i64);

pub(super) async fn any_ready(
    tx: &mut Tx,
    now: Timestamp,
    (least, most): Failures,
) -> Result<bool, DbError> {
    Ok(db::one!(tx, (i64,), READY, now, least, most)?.0 > 0)
}

pub(super) async fn claim(
    tx: &mut Tx,
    (now, until): (Timestamp, Timestamp),
    (least, most): Failures,
    limit: i64,
    visit: &str,
) -> Result<Vec<Leased>, DbError> {
    let sql = CLAIM.on(tx.engine());
    let rows = db::all!(tx, LeasedRow, sql, now, least, most, limit, visit, until)?;
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

/// Moves on in the log; false when the endpoint is no longer ours.
pub(super) async fn advance(tx: &mut Tx, leased: &Leased, to: i64) -> Result<bool, DbError> {
    let Leased { merchant, id, lease, planned_through, .. } = leased;
    Ok(db::exec!(tx, ADVANCE, merchant, id, lease, planned_through, to)? == 1)
}

/// Writes down how it is doing and keeps it; false when it is no longer ours.
pub(super) async fn keep(
    tx: &mut Tx,
    leased: &Leased,
    health: &Health,
    until: Timestamp,
) -> Result<bool, DbError> {
    let Leased { merchant, id, lease, .. } = leased;
    let Health { failures, failing_since, paused_until, warned_at } = health;
    let failures = i64::from(*failures);
    let kept = db::exec!(
        tx,
        KEEP,
        merchant,
        id,
        lease,
        failures,
        failing_since,
        paused_until,
        until,
        warned_at
    )?;
    Ok(kept == 1)
}

pub(super) async fn release(tx: &mut Tx, leased: &Leased, now: Timestamp) -> Result<(), DbError> {
    let Leased { merchant, id, lease, .. } = leased;
    db::exec!(tx, RELEASE, merchant, id, lease, now)?;
    Ok(())
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
