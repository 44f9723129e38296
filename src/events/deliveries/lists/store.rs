//! The statements that show deliveries to people.

use crate::{
    base::{ids::MerchantId, pagination::PageRequest, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx, statement},
    events::{
        DeliveryId, EndpointId, EventId,
        deliveries::{Delivery, Status, model::Lines},
        signatures::{Dialect, Message},
    },
};

const OF_EVENT: &str = "SELECT d.id, d.event_id, d.endpoint_id, w.url, d.status, d.attempts,
        d.max_attempts, d.next_attempt_at_us, d.signed_at_s, d.signatures, d.response_status,
        d.response_headers, d.response_body, d.error, d.duration_ms, d.delivered_at_us,
        d.created_at_us, d.updated_at_us, w.dialect,
        (SELECT e.kind FROM events e
         WHERE e.merchant_id = d.merchant_id AND e.sequence = d.sequence) AS kind
    FROM webhook_deliveries d
    JOIN webhook_endpoints w ON w.merchant_id = d.merchant_id AND w.id = d.endpoint_id
    WHERE d.merchant_id = $1 AND d.sequence = $2 ORDER BY d.endpoint_id, d.round LIMIT 1000";

/// One list for all deliveries of an endpoint and one for the dead letters, which are few among many.
macro_rules! of_endpoint {
    ($index:literal, $narrow:literal) => {
        statement!(
            "SELECT d.id, d.event_id, d.endpoint_id, w.url, d.status, d.attempts,
                d.max_attempts, d.next_attempt_at_us, d.signed_at_s, d.signatures,
                d.response_status, d.response_headers, d.response_body, d.error, d.duration_ms,
                d.delivered_at_us, d.created_at_us, d.updated_at_us, w.dialect,
                (SELECT e.kind FROM events e
                 WHERE e.merchant_id = d.merchant_id AND e.sequence = d.sequence) AS kind
            FROM webhook_deliveries d",
            INDEXED_BY($index),
            concat!(
                "JOIN webhook_endpoints w ON w.merchant_id = d.merchant_id AND w.id = d.endpoint_id
                WHERE d.merchant_id = $1 AND d.endpoint_id = $2 AND d.id < $3 AND d.id >= $6",
                $narrow,
                " AND ($4 = '' OR d.status = $4)
                ORDER BY d.id DESC LIMIT $5"
            )
        )
    };
}
const OF_ENDPOINT: Statement = of_endpoint!("webhook_deliveries_of_endpoint", "");
const DEAD: Statement = of_endpoint!("webhook_deliveries_failed", " AND d.status = 'failed'");

/// The last id among so many.
const FLOOR: Statement = statement!(
    "SELECT id FROM webhook_deliveries",
    INDEXED_BY("webhook_deliveries_of_endpoint"),
    "WHERE merchant_id = $1 AND endpoint_id = $2 AND id < $3 ORDER BY id DESC LIMIT 1 OFFSET $4"
);

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[Statement::same(OF_EVENT), OF_ENDPOINT, DEAD, FLOOR];

/// After every id in the order of bytes.
const AFTER_ALL: &str = "dlv_~";

db::row! {
    struct DeliveryRow {
        id: DeliveryId,
        event_id: EventId,
        endpoint_id: EndpointId,
        url: String,
        status: String,
        attempts: i64,
        max_attempts: i64,
        next_attempt_at_us: Option<Timestamp>,
        signed_at_s: Option<i64>,
        signatures: Option<String>,
        response_status: Option<i64>,
        response_headers: Option<String>,
        response_body: Option<String>,
        error: Option<String>,
        duration_ms: Option<i64>,
        delivered_at_us: Option<Timestamp>,
        created_at_us: Timestamp,
        updated_at_us: Timestamp,
        dialect: String,
        kind: Option<String>,
    }
}

impl DeliveryRow {
    /// What the last attempt said: what can be told from the row, and the signatures that it kept.
    fn request_headers(&self) -> Result<Option<Lines>, DbError> {
        let (Some(unix_seconds), Some(signatures)) = (self.signed_at_s, &self.signatures) else {
            return Ok(None);
        };
        let unreadable = |what: &str| DbError::unreadable("delivery", what.to_owned());
        let dialect: Dialect = self.dialect.parse().map_err(unreadable)?;
        let (event, delivery) = (self.event_id.to_string(), self.id.to_string());
        let plain = dialect.plain_headers(&Message {
            event: &event,
            kind: self.kind.as_deref().unwrap_or_default(),
            delivery: &delivery,
            attempt: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            unix_seconds,
            body: &[],
        });
        let mut lines = lines(signatures)?;
        lines.extend(plain.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Ok(Some(lines))
    }
}

fn lines(json: &str) -> Result<Lines, DbError> {
    serde_json::from_str(json).map_err(|error| DbError::unreadable("headers", error))
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = DbError;

    fn try_from(row: DeliveryRow) -> Result<Self, DbError> {
        let status = Status::parse(&row.status)
            .ok_or_else(|| DbError::unreadable("delivery", format!("it is {}", row.status)))?;
        let request_headers = row.request_headers()?;
        let response_headers = row.response_headers.as_deref().map(lines).transpose()?;
        Ok(Self {
            id: row.id,
            event_id: row.event_id,
            endpoint_id: row.endpoint_id,
            url: row.url,
            status,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            next_attempt_at: row.next_attempt_at_us,
            request_headers,
            response_status: row.response_status,
            response_headers,
            response_body: row.response_body,
            error: row.error,
            duration_ms: row.duration_ms,
            delivered_at: row.delivered_at_us,
            created_at: row.created_at_us,
            updated_at: row.updated_at_us,
        })
    }
}

pub(in crate::events::deliveries) async fn of_event(
    tx: &mut Tx,
    merchant: MerchantId,
    sequence: i64,
) -> Result<Vec<Delivery>, DbError> {
    let rows = db::all!(tx, DeliveryRow, OF_EVENT, merchant, sequence)?;
    rows.into_iter().map(Delivery::try_from).collect()
}

/// The newest first, none of them older than the floor.
pub(in crate::events::deliveries) async fn of_endpoint(
    tx: &mut Tx,
    (merchant, endpoint): (MerchantId, EndpointId),
    status: Option<Status>,
    page: &PageRequest,
    floor: Option<DeliveryId>,
) -> Result<Vec<Delivery>, DbError> {
    let after = page.after.as_deref().unwrap_or(AFTER_ALL);
    let list = if status == Some(Status::Failed) { DEAD } else { OF_ENDPOINT };
    let (sql, status) = (list.on(tx.engine()), status.map_or("", Status::as_str));
    let (most, floor) = (page.fetch(), floor.map(|id| id.to_string()).unwrap_or_default());
    let rows = db::all!(tx, DeliveryRow, sql, merchant, endpoint, after, status, most, floor)?;
    rows.into_iter().map(Delivery::try_from).collect()
}

/// The last of so many deliveries of an endpoint, if there are as many.
pub(in crate::events::deliveries) async fn floor(
    tx: &mut Tx,
    (merchant, endpoint): (MerchantId, EndpointId),
    page: &PageRequest,
    many: i64,
) -> Result<Option<DeliveryId>, DbError> {
    let after = page.after.as_deref().unwrap_or(AFTER_ALL);
    let sql = FLOOR.on(tx.engine());
    let row = db::optional!(tx, (DeliveryId,), sql, merchant, endpoint, after, many - 1)?;
    Ok(row.map(|(id,)| id))
}
