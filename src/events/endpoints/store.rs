//! The statements of endpoints.

use super::{
    Because, Endpoint, Filter, Health, LATEST, Metadata, Status, WAITING_SHOWN, secrets::Sealed,
};
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
    events::EndpointId,
};

/// It begins with what happens from now on.
const INSERT: &str = "INSERT INTO webhook_endpoints
    (merchant_id, id, url, filter, dialect, version, metadata, status, secret,
     created_at_us, updated_at_us, planned_through, failures, paused_until_us, leased_until_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $8, $9, $9,
        COALESCE((SELECT s.last FROM event_sequences s WHERE s.merchant_id = $1), 0), 0, 0, 0)";

const COUNT: &str =
    "SELECT COUNT(*) FROM webhook_endpoints WHERE merchant_id = $1 AND status <> 'deleted'";

const FIND: &str = "SELECT id, url, filter, dialect, version, metadata, status, disabled_because,
        failing_since_us, warned_at_us, created_at_us, updated_at_us
    FROM webhook_endpoints WHERE merchant_id = $1 AND id = $2 AND status <> 'deleted'";

const LIST: &str = "SELECT id, url, filter, dialect, version, metadata, status, disabled_because,
        failing_since_us, warned_at_us, created_at_us, updated_at_us
    FROM webhook_endpoints WHERE merchant_id = $1 AND status <> 'deleted' ORDER BY id LIMIT 1000";

/// Each count ends early: a page must not wait for a million rows.
const HEALTH: Statement = db::statement!(
    "SELECT w.id,
        COALESCE((SELECT s.last FROM event_sequences s WHERE s.merchant_id = w.merchant_id), 0)
            - w.planned_through AS behind,
        (SELECT COUNT(*) FROM (SELECT d.id FROM webhook_deliveries d",
    INDEXED_BY("webhook_deliveries_due"),
    "       WHERE d.merchant_id = w.merchant_id AND d.endpoint_id = w.id
            AND d.status = 'pending' LIMIT $2) x) AS waiting,
        (SELECT COUNT(*) FROM (SELECT d.status FROM webhook_deliveries d
            WHERE d.merchant_id = w.merchant_id AND d.endpoint_id = w.id
            ORDER BY d.id DESC LIMIT $3) x WHERE x.status = 'delivered') AS delivered,
        (SELECT COUNT(*) FROM (SELECT d.status FROM webhook_deliveries d
            WHERE d.merchant_id = w.merchant_id AND d.endpoint_id = w.id
            ORDER BY d.id DESC LIMIT $3) x WHERE x.status = 'failed') AS failed,
        w.failures, w.paused_until_us, w.old_secret_ends_us
    FROM webhook_endpoints w
    WHERE w.merchant_id = $1 AND w.status <> 'deleted' ORDER BY w.id LIMIT 1000"
);

/// With another address it gets another chance at once; taking the lease away tells whoever is delivering
/// to the old one to stop, and to judge nothing by it.
const UPDATE: &str = "UPDATE webhook_endpoints SET url = $3, filter = $4, metadata = $5,
        failures = CASE WHEN url = $3 THEN failures ELSE 0 END,
        failing_since_us = CASE WHEN url = $3 THEN failing_since_us END,
        paused_until_us = CASE WHEN url = $3 THEN paused_until_us ELSE 0 END,
        warned_at_us = CASE WHEN url = $3 THEN warned_at_us END,
        lease_id = CASE WHEN url = $3 THEN lease_id END,
        leased_until_us = CASE WHEN url = $3 THEN leased_until_us ELSE 0 END,
        updated_at_us = $6
    WHERE merchant_id = $1 AND id = $2 AND status <> 'deleted'";

/// Taking the lease away tells whoever is delivering there to stop.
const DEACTIVATE: &str = "UPDATE webhook_endpoints
    SET status = 'inactive', disabled_because = NULL, lease_id = NULL, leased_until_us = 0,
        updated_at_us = $3
    WHERE merchant_id = $1 AND id = $2 AND status IN ('active', 'disabled')";

/// Whatever was due while it was off is due now.
const REACTIVATE: &str = "UPDATE webhook_endpoints
    SET status = 'active', disabled_because = NULL, failures = 0, failing_since_us = NULL,
        warned_at_us = NULL, paused_until_us = 0, due_at_us = $3, updated_at_us = $3
    WHERE merchant_id = $1 AND id = $2 AND status IN ('inactive', 'disabled')";

const SKIP_MISSED: &str = "UPDATE webhook_endpoints
    SET planned_through =
        COALESCE((SELECT s.last FROM event_sequences s WHERE s.merchant_id = $1), 0)
    WHERE merchant_id = $1 AND id = $2";

/// Its secrets are overwritten: nothing is signed for it any more.
const DELETE: &str = "UPDATE webhook_endpoints
    SET status = 'deleted', secret = $4, old_secret = NULL, old_secret_ends_us = NULL,
        lease_id = NULL, leased_until_us = 0, updated_at_us = $3
    WHERE merchant_id = $1 AND id = $2 AND status <> 'deleted'";

const CANCEL_PENDING: &str = "UPDATE webhook_deliveries
    SET status = 'cancelled', next_attempt_at_us = NULL, updated_at_us = $3
    WHERE merchant_id = $1 AND endpoint_id = $2 AND status = 'pending'";

const SEALED: &str = "SELECT secret, old_secret, old_secret_ends_us
    FROM webhook_endpoints WHERE merchant_id = $1 AND id = $2 AND status <> 'deleted'";

const ROTATE: &str = "UPDATE webhook_endpoints
    SET old_secret = CASE WHEN CAST($4 AS BIGINT) > CAST($5 AS BIGINT) THEN secret END,
        old_secret_ends_us = CASE WHEN CAST($4 AS BIGINT) > CAST($5 AS BIGINT) THEN $4 END,
        secret = $3, updated_at_us = $5
    WHERE merchant_id = $1 AND id = $2 AND status <> 'deleted'";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT),
    Statement::same(COUNT),
    Statement::same(FIND),
    Statement::same(LIST),
    HEALTH,
    Statement::same(UPDATE),
    Statement::same(DEACTIVATE),
    Statement::same(REACTIVATE),
    Statement::same(SKIP_MISSED),
    Statement::same(DELETE),
    Statement::same(CANCEL_PENDING),
    Statement::same(SEALED),
    Statement::same(ROTATE),
];

db::row! {
    struct EndpointRow {
        id: EndpointId,
        url: String,
        filter: String,
        dialect: String,
        version: String,
        metadata: String,
        status: String,
        disabled_because: Option<String>,
        failing_since_us: Option<Timestamp>,
        warned_at_us: Option<Timestamp>,
        created_at_us: Timestamp,
        updated_at_us: Timestamp,
    }
}

impl TryFrom<EndpointRow> for Endpoint {
    type Error = DbError;

    fn try_from(row: EndpointRow) -> Result<Self, DbError> {
        let unreadable = |what: &str| DbError::unreadable("webhook endpoint", what.to_owned());
        Ok(Self {
            id: row.id,
            url: row.url,
            filter: read_filter(&row.filter)?,
            dialect: row.dialect.parse().map_err(unreadable)?,
            version: row.version,
            metadata: read_metadata(&row.metadata)?,
            status: Status::parse(&row.status).ok_or_else(|| unreadable("its status"))?,
            because: row.disabled_because.as_deref().and_then(Because::parse),
            failing_since: row.failing_since_us,
            warned_at: row.warned_at_us,
            created_at: row.created_at_us,
            updated_at: row.updated_at_us,
        })
    }
}

pub(crate) fn read_filter(text: &str) -> Result<Filter, DbError> {
    Filter::read(text.split(' ')).map_err(|why| DbError::unreadable("webhook endpoint", why))
}

fn filter_text(filter: &Filter) -> String {
    filter.words().join(" ")
}

fn read_metadata(text: &str) -> Result<Metadata, DbError> {
    serde_json::from_str(text).map_err(|error| DbError::unreadable("webhook endpoint", error))
}

fn metadata_text(metadata: &Metadata) -> String {
    serde_json::to_string(metadata).unwrap_or_else(|_| "{}".to_owned())
}

pub(super) async fn insert(
    tx: &mut Tx,
    merchant: MerchantId,
    endpoint: &Endpoint,
    sealed: &[u8],
) -> Result<(), DbError> {
    let Endpoint { id, url, filter, dialect, version, metadata, created_at, .. } = endpoint;
    let (filter, metadata) = (filter_text(filter), metadata_text(metadata));
    let dialect = dialect.as_str();
    db::exec!(
        tx, INSERT, merchant, id, url, filter, dialect, version, metadata, sealed, created_at
    )?;
    Ok(())
}

pub(super) async fn count(tx: &mut Tx, merchant: MerchantId) -> Result<i64, DbError> {
    Ok(db::one!(tx, (i64,), COUNT, merchant)?.0)
}

pub(super) async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    id: EndpointId,
) -> Result<Option<Endpoint>, DbError> {
    db::optional!(tx, EndpointRow, FIND, merchant, id)?.map(Endpoint::try_from).transpose()
}

pub(super) async fn list(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<Endpoint>, DbError> {
    db::all!(tx, EndpointRow, LIST, merchant)?.into_iter().map(Endpoint::try_from).collect()
}

pub(super) async fn update(
    tx: &mut Tx,
    merchant: MerchantId,
    endpoint: &Endpoint,
) -> Result<u64, DbError> {
    let Endpoint { id, url, filter, metadata, updated_at, .. } = endpoint;
    let (filter, metadata) = (filter_text(filter), metadata_text(metadata));
    db::exec!(tx, UPDATE, merchant, id, url, filter, metadata, updated_at)
}

pub(super) async fn deactivate(
    tx: &mut Tx,
    merchant: MerchantId,
    id: EndpointId,
    now: Timestamp,
) -> Result<u64, DbError> {
    db::exec!(tx, DEACTIVATE, merchant, id, now)
}

pub(super) async fn reactivate(
    tx: &mut Tx,
    merchant: MerchantId,
    id: EndpointId,
    now: Timestamp,
) -> Result<u64, DbError> {
    db::exec!(tx, REACTIVATE, merchant, id, now)
}

/// Moves to the end of the log and calls off what was planned.
pub(super) async fn skip_missed(
    tx: &mut Tx,
    merchant: MerchantId,
    id: EndpointId,
    now: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, SKIP_MISSED, merchant, id)?;
    db::exec!(tx, CANCEL_PENDING, merchant, id, now)?;
    Ok(())
}

pub(super) async fn delete(
    tx: &mut Tx,
    merchant: MerchantId,
    id: EndpointId,
    now: Timestamp,
) -> Result<u64, DbError> {
    let nothing: &[u8] = &[];
    let deleted = db::exec!(tx, DELETE, merchant, id, now, nothing)?;
    db::exec!(tx, CANCEL_PENDING, merchant, id, now)?;
    Ok(deleted)
}

pub(super) async fn sealed(
    tx: &mut Tx,
    merchant: MerchantId,
    id: EndpointId,
) -> Result<Option<Sealed>, DbError> {
    type Row = (Vec<u8>, Option<Vec<u8>>, Option<Timestamp>);
    let row = db::optional!(tx, Row, SEALED, merchant, id)?;
    Ok(row.map(|(current, old, old_ends)| Sealed { current, old, old_ends }))
}

/// The secret becomes the old one, good until `old_ends`; in the past, it is forgotten at once.
pub(super) async fn rotate(
    tx: &mut Tx,
    merchant: MerchantId,
    id: EndpointId,
    sealed: &[u8],
    (old_ends, now): (Timestamp, Timestamp),
) -> Result<u64, DbError> {
    db::exec!(tx, ROTATE, merchant, id, sealed, old_ends, now)
}

db::row! {
    struct HealthRow {
        id: EndpointId,
        behind: i64,
        waiting: i64,
        delivered: i64,
        failed: i64,
        failures: i64,
        paused_until_us: Timestamp,
        old_secret_ends_us: Option<Timestamp>,
    }
}

pub(super) async fn health(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<Health>, DbError> {
    let sql = HEALTH.on(tx.engine());
    let rows = db::all!(tx, HealthRow, sql, merchant, WAITING_SHOWN, LATEST)?;
    let read = |row: HealthRow| Health {
        endpoint: row.id,
        behind: row.behind,
        waiting: row.waiting,
        delivered: row.delivered,
        failed: row.failed,
        failures: row.failures,
        paused_until: row.paused_until_us,
        old_secret_ends: row.old_secret_ends_us,
    };
    Ok(rows.into_iter().map(read).collect())
}
