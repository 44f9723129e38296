//! Stored events, their deliveries, and one more attempt.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use super::{Again, Delivery, Status, Which, service};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        pagination::Page,
        timestamp::Timestamp,
    },
    db,
    events::{DeliveryId, EndpointId, EventId, Events, log},
    oauth::{access::May, scopes::right},
    web::{
        idempotency::{Answer, OptionalKey, Request},
        json::{JsonBody, text},
        query::{PathId, Query},
        routes::{Routes, routes},
    },
};

/// Every route.
pub(crate) fn routes() -> Routes<Events> {
    routes![event, of_event, redeliver_event, of_endpoint, redeliver_range]
}

/// An event as it is kept.
#[derive(Serialize, ToSchema)]
struct StoredEvent {
    #[schema(pattern = "^evt_[a-zA-Z0-9]+$")]
    id: String,
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    merchant_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    /// Its number among your events.
    sequence: i64,
    /// Byte for byte what is delivered.
    #[schema(value_type = Object)]
    payload: Box<RawValue>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// One event on its way to one endpoint.
#[derive(Serialize, ToSchema)]
struct DeliveryAnswer {
    #[schema(pattern = "^dlv_[a-zA-Z0-9]+$")]
    id: String,
    #[schema(pattern = "^evt_[a-zA-Z0-9]+$")]
    event_id: String,
    #[schema(pattern = "^wbh_[a-zA-Z0-9]+$")]
    subscription_id: String,
    /// `pending`, `delivered`, `failed` (every attempt was made) or `cancelled`.
    status: &'static str,
    url: String,
    attempts: i64,
    max_attempts: i64,
    /// Of the last attempt, its signatures included.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_headers: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_status: Option<i64>,
    /// Those that help to find the call in the receiver's logs; no cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_headers: Option<BTreeMap<String, String>>,
    /// The beginning of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_retry_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Delivery> for DeliveryAnswer {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id.to_string(),
            event_id: delivery.event_id.to_string(),
            subscription_id: delivery.endpoint_id.to_string(),
            status: delivery.status.as_str(),
            url: delivery.url,
            attempts: delivery.attempts,
            max_attempts: delivery.max_attempts,
            request_headers: delivery.request_headers,
            response_status: delivery.response_status,
            response_headers: delivery.response_headers,
            response_body: delivery.response_body,
            next_retry_at: delivery.next_attempt_at,
            error: delivery.error,
            duration_ms: delivery.duration_ms,
            delivered_at: delivery.delivered_at,
            created_at: delivery.created_at,
            updated_at: delivery.updated_at,
        }
    }
}

/// Deliveries of one event.
#[derive(Serialize, ToSchema)]
struct Deliveries {
    data: Vec<DeliveryAnswer>,
}

/// To where.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct RedeliverEventBody {
    #[schema(pattern = "^wbh_[a-zA-Z0-9]+$")]
    subscription_id: String,
}

/// Which part of the log.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct RedeliverRangeBody {
    /// The `sequence` after which to begin.
    #[schema(minimum = 0)]
    after: i64,
    /// The last `sequence`; your newest event without it.
    through: Option<i64>,
    /// Only events that failed and were never delivered.
    only_failed: Option<bool>,
}

/// What was planned again.
#[derive(Serialize, ToSchema)]
struct AgainAnswer {
    /// How many deliveries.
    planned: usize,
    /// The `sequence` up to which the log was looked through: at most 1000 events are planned by one
    /// call, so go on after this one until it is `through`.
    through: i64,
}

/// Show an event
#[utoipa::path(
    get, path = "/v1/webhooks/events/{id}", tag = "Webhooks",
    security(("oauth" = ["webhooks:read"])),
    params(("id" = String, Path, description = "Of the event")),
    responses(
        (status = 200, body = StoredEvent, description = "The event"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn event(
    State(room): State<Events>,
    caller: May<right::WebhooksRead>,
    PathId(id): PathId<EventId>,
) -> Result<Json<StoredEvent>> {
    let found = db::read!(room.ctx.db, |tx| log::find(tx, caller.merchant, id).await)?;
    let found = found.ok_or_else(|| Failure::new(Code::NotFound))?;
    Ok(Json(StoredEvent {
        id: found.id.to_string(),
        merchant_id: caller.merchant.to_string(),
        kind: found.kind.as_str(),
        sequence: found.sequence,
        payload: serde_json::from_slice(&found.body).map_err(Failure::internal)?,
        created_at: found.created_at,
    }))
}

/// List the deliveries of an event
#[utoipa::path(
    get, path = "/v1/webhooks/events/{id}/deliveries", tag = "Webhooks",
    security(("oauth" = ["webhooks:read"])),
    params(("id" = String, Path, description = "Of the event")),
    responses(
        (status = 200, body = Deliveries, description = "All of them, endpoint by endpoint"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn of_event(
    State(room): State<Events>,
    caller: May<right::WebhooksRead>,
    PathId(id): PathId<EventId>,
) -> Result<Json<Deliveries>> {
    let found = service::of_event(&room.ctx, caller.merchant, id).await?;
    Ok(Json(Deliveries { data: found.into_iter().map(DeliveryAnswer::from).collect() }))
}

/// Deliver an event again
///
/// To one endpoint, whether it wants such events or not, and whatever became of it before.
#[utoipa::path(
    post, path = "/v1/webhooks/events/{id}/redeliver", tag = "Webhooks",
    security(("oauth" = ["webhooks:write"])),
    params(
        ("id" = String, Path, description = "Of the event"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters"),
    ),
    request_body = RedeliverEventBody,
    responses(
        (status = 202, body = AgainAnswer, description = "It is on its way; `planned` is 0 when it was already"),
        (status = 404, description = "`not_found`: the event or the endpoint"),
        (status = 409, description = "`invalid_state`: the endpoint is switched off"),
        (status = 422, description = "`validation_error`"),
    )
)]
async fn redeliver_event(
    State(room): State<Events>,
    caller: May<right::WebhooksWrite>,
    PathId(id): PathId<EventId>,
    OptionalKey(key): OptionalKey,
    body: JsonBody,
) -> Result<Response> {
    let mut fields = body.fields()?;
    let endpoint = fields.required("subscription_id", text(str::parse::<EndpointId>));
    let endpoint = fields.finish(|| endpoint)?;
    let path = format!("/v1/webhooks/events/{id}/redeliver");
    let request =
        key.map(|key| Request::new(caller.merchant, "webhooks.redeliver", key, &path, &body.0));
    let which = Which::One(id);
    let (ctx, merchant) = (&room.ctx, caller.merchant);
    let answer =
        service::redeliver_once(ctx, merchant, endpoint, which, request.as_ref(), told).await?;
    Ok(answer.into_response())
}

/// List the deliveries of an endpoint
///
/// The newest first; with `status=failed`, the dead letters.
///
/// One request looks at a few thousand rows. A filter that finds little among them gives a short page, or
/// an empty one, with `has_more`: go on from its `next_cursor`.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/deliveries", tag = "Webhooks",
    security(("oauth" = ["webhooks:read"])),
    params(
        ("id" = String, Path, description = "Of the endpoint"),
        ("status" = Option<String>, Query, description = "`pending`, `delivered`, `failed` or `cancelled`"),
        ("limit" = Option<u16>, Query, description = "1 to 100, 20 without it"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of an earlier page"),
    ),
    responses(
        (status = 200, body = Page<DeliveryAnswer>, description = "A page"),
        (status = 400, description = "`invalid_parameter`"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn of_endpoint(
    State(room): State<Events>,
    caller: May<right::WebhooksRead>,
    PathId(id): PathId<EndpointId>,
    uri: Uri,
) -> Result<Json<Page<DeliveryAnswer>>> {
    let query = Query::read(&uri, &["status", "limit", "cursor"])?;
    let page = query.page().check(DeliveryId::PREFIX)?;
    let status = query.get("status").map(|word| {
        Status::parse(word).ok_or_else(|| {
            let message = "must be pending, delivered, failed or cancelled";
            Failure::new(Code::InvalidParameter).field("status", message)
        })
    });
    let status = status.transpose()?;
    let found = service::of_endpoint(&room.ctx, caller.merchant, id, status, &page).await?;
    Ok(Json(found.map(DeliveryAnswer::from)))
}

/// Deliver a range again
///
/// The events of a part of the log that this endpoint wants. What is on its way already is left alone.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/redeliver", tag = "Webhooks",
    security(("oauth" = ["webhooks:write"])),
    params(
        ("id" = String, Path, description = "Of the endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters"),
    ),
    request_body = RedeliverRangeBody,
    responses(
        (status = 202, body = AgainAnswer, description = "They are on their way"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`invalid_state`: the endpoint is switched off"),
        (status = 422, description = "`validation_error`"),
    )
)]
async fn redeliver_range(
    State(room): State<Events>,
    caller: May<right::WebhooksWrite>,
    PathId(id): PathId<EndpointId>,
    OptionalKey(key): OptionalKey,
    body: JsonBody,
) -> Result<Response> {
    let number = |value: &Value| {
        value
            .as_i64()
            .filter(|number| *number >= 0)
            .ok_or("must be a whole number, and not negative")
    };
    let mut fields = body.fields()?;
    let after = fields.required("after", number);
    let through = fields.optional("through", number);
    let only_failed =
        fields.optional("only_failed", |value| value.as_bool().ok_or("must be true or false"));
    let which = fields.finish(|| {
        Some(Which::Range {
            after: after?,
            through: through?.unwrap_or(i64::MAX),
            only_failed: only_failed?.unwrap_or(false),
        })
    })?;
    let path = format!("/v1/webhooks/{id}/redeliver");
    let request =
        key.map(|key| Request::new(caller.merchant, "webhooks.redeliver", key, &path, &body.0));
    let (ctx, merchant) = (&room.ctx, caller.merchant);
    let answer = service::redeliver_once(ctx, merchant, id, which, request.as_ref(), told).await?;
    Ok(answer.into_response())
}

fn told(Again { planned, through }: Again) -> Result<Answer> {
    Answer::json(202, &AgainAnswer { planned, through })
}
