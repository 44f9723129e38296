//! `/v1/webhooks`.

use std::{collections::BTreeMap, time::Duration};

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse, response::Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Changes, Endpoint, Filter, Metadata, NewEndpoint, Rotated, Status, model::VERSION, service,
};
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    events::{EndpointId, EventId, Events, outbound::Target, signatures::Dialect},
    oauth::{access::May, scopes::right},
    web::{
        idempotency::{Answer, OptionalKey, Request},
        json::{Fields, JsonBody, OptionalJsonBody, text},
        query::PathId,
        rate_limit::Quota,
    },
};

/// How long an old secret signs beside the new one, unless the merchant says otherwise.
const GRACE: Duration = Duration::from_hours(24);

/// Every route.
pub fn routes() -> OpenApiRouter<Events> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(find, update, delete))
        .routes(routes!(deactivate))
        .routes(routes!(reactivate))
        .routes(routes!(secret))
        .routes(routes!(rotate))
        .routes(routes!(test))
}

/// What to send where.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct EndpointBody {
    /// A public `https` address.
    url: String,
    /// Event types, groups such as `payout.*`, or `*` for all.
    #[schema(min_items = 1)]
    events: Vec<String>,
    /// `payouts` without it; `standard` signs as Standard Webhooks says.
    dialect: Option<String>,
    /// The shape of what is sent; `2024-01-01` without it.
    version: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
}

/// What to change; what is missing stays.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct ChangeBody {
    url: Option<String>,
    events: Option<Vec<String>>,
    /// Replaced as a whole.
    metadata: Option<BTreeMap<String, String>>,
}

/// How to go on.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct ReactivateBody {
    /// Begin with what happens from now on, and call off what waits.
    skip_missed: Option<bool>,
}

/// How to change over.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct RotateBody {
    /// How long the old secret signs as well; 86400 without it. With 0 it ends at once: for a secret
    /// that others have seen.
    #[schema(minimum = 0, maximum = 86400)]
    grace_seconds: Option<u32>,
}

/// Where events are sent.
#[derive(Debug, Serialize, ToSchema)]
struct EndpointAnswer {
    #[schema(pattern = "^wbh_[a-zA-Z0-9]+$")]
    id: String,
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    merchant_id: String,
    url: String,
    events: Vec<String>,
    /// `active`, `inactive` (by you) or `disabled` (by us).
    status: &'static str,
    /// `failing` or `gone`, if we switched it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<&'static str>,
    /// Since when every attempt has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    dialect: &'static str,
    version: String,
    metadata: Metadata,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl EndpointAnswer {
    fn of(merchant: MerchantId, endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            merchant_id: merchant.to_string(),
            url: endpoint.url.clone(),
            events: endpoint.filter.words(),
            status: endpoint.status.as_str(),
            disabled_reason: endpoint
                .because
                .filter(|_| endpoint.status == Status::Disabled)
                .map(super::Because::as_str),
            failing_since: endpoint.failing_since,
            dialect: endpoint.dialect.as_str(),
            version: endpoint.version.clone(),
            metadata: endpoint.metadata.clone(),
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

/// A new endpoint, with its secret.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the secret is put in after the answer was kept")]
struct Created {
    #[schema(inline)]
    #[serde(flatten)]
    endpoint: EndpointAnswer,
    #[schema(pattern = "^whsec_[0-9a-f]{64}$")]
    secret: String,
}

/// All endpoints.
#[derive(Debug, Serialize, ToSchema)]
struct Endpoints {
    data: Vec<EndpointAnswer>,
}

/// What deliveries are signed with.
#[derive(Debug, Serialize, ToSchema)]
struct SecretAnswer {
    #[schema(pattern = "^whsec_[0-9a-f]{64}$")]
    secret: String,
    /// For `v1a` signatures of Standard Webhooks: who has this can check and not forge.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    /// Until when the secret before this one signs as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_secret_ends_at: Option<Value>,
}

/// A test event on its way.
#[derive(Debug, Serialize, ToSchema)]
struct TestAnswer {
    #[schema(pattern = "^evt_[a-zA-Z0-9]+$")]
    event_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// Create an endpoint
///
/// The secret is in the answer, and nowhere in a log. Deliveries begin with what happens from now on.
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "Webhooks", security(("oauth" = ["webhooks:write"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each endpoint")),
    request_body = EndpointBody,
    responses(
        (status = 201, body = Created, description = "The endpoint"),
        (status = 409, description = "`idempotency_conflict`, or `invalid_state`: there are 100 already"),
        (status = 422, description = "`validation_error`"),
    )
)]
async fn create(
    State(room): State<Events>,
    caller: May<right::WebhooksWrite>,
    OptionalKey(key): OptionalKey,
    body: JsonBody,
) -> Result<Response> {
    let merchant = caller.merchant;
    let mut fields = body.fields()?;
    let target = match target(&room, &mut fields).await {
        Some(None) => {
            fields.fault("url", "is required");
            None
        }
        target => target.flatten(),
    };
    let filter = fields.required("events", filter);
    let dialect = fields.optional("dialect", text(dialect));
    let version = fields.optional("version", text(version));
    let metadata = fields.optional("metadata", metadata);
    let new = fields.finish(|| {
        version?;
        Some(NewEndpoint {
            target: target?,
            filter: filter?,
            dialect: dialect?.unwrap_or(Dialect::Payouts),
            metadata: metadata?.unwrap_or_default(),
        })
    })?;
    let request =
        key.map(|key| Request::new(merchant, "webhooks.create", key, "/v1/webhooks", &body.0));
    let answer = |made: &Endpoint| Answer::json(201, &EndpointAnswer::of(merchant, made));
    let answer = service::create(&room, merchant, &new, request.as_ref(), answer).await?;
    let id = made_id(&answer)?;
    with_secret(&room, merchant, id, answer).await
}

/// List your endpoints
///
/// The oldest first.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "Webhooks", security(("oauth" = ["webhooks:read"])),
    responses((status = 200, body = Endpoints, description = "All of them"))
)]
async fn list(
    State(room): State<Events>,
    caller: May<right::WebhooksRead>,
) -> Result<Json<Endpoints>> {
    let found = service::list(&room.ctx, caller.merchant).await?;
    let data = found.iter().map(|endpoint| EndpointAnswer::of(caller.merchant, endpoint));
    Ok(Json(Endpoints { data: data.collect() }))
}

/// Show an endpoint
#[utoipa::path(
    get, path = "/v1/webhooks/{id}", tag = "Webhooks", security(("oauth" = ["webhooks:read"])),
    params(("id" = String, Path, description = "Of the endpoint")),
    responses(
        (status = 200, body = EndpointAnswer, description = "The endpoint"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn find(
    State(room): State<Events>,
    caller: May<right::WebhooksRead>,
    PathId(id): PathId<EndpointId>,
) -> Result<Json<EndpointAnswer>> {
    let found = service::find(&room.ctx, caller.merchant, id).await?;
    Ok(Json(EndpointAnswer::of(caller.merchant, &found)))
}

/// Change an endpoint
///
/// What is missing stays. With another address, attempts begin anew at once.
#[utoipa::path(
    put, path = "/v1/webhooks/{id}", tag = "Webhooks", security(("oauth" = ["webhooks:write"])),
    params(("id" = String, Path, description = "Of the endpoint")),
    request_body = ChangeBody,
    responses(
        (status = 200, body = EndpointAnswer, description = "The endpoint as it is now"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`validation_error`"),
    )
)]
async fn update(
    State(room): State<Events>,
    caller: May<right::WebhooksWrite>,
    PathId(id): PathId<EndpointId>,
    body: JsonBody,
) -> Result<Json<EndpointAnswer>> {
    let mut fields = body.fields()?;
    let target = target(&room, &mut fields).await;
    let filter = fields.optional("events", filter);
    let metadata = fields.optional("metadata", metadata);
    let changes = fields
        .finish(|| Some(Changes { target: target?, filter: filter?, metadata: metadata? }))?;
    let changed = service::update(&room.ctx, caller.merchant, id, &changes).await?;
    Ok(Json(EndpointAnswer::of(caller.merchant, &changed)))
}

/// Delete an endpoint
///
/// What was still to be delivered to it is called off.
#[utoipa::path(
    delete, path = "/v1/webhooks/{id}", tag = "Webhooks", security(("oauth" = ["webhooks:write"])),
    params(("id" = String, Path, description = "Of the endpoint")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn delete(
    State(room): State<Events>,
    caller: May<right::WebhooksWrite>,
    PathId(id): PathId<EndpointId>,
) -> Result<StatusCode> {
    service::delete(&room.ctx, caller.merchant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Switch an endpoint off
///
/// Nothing is sent there any more; what happens meanwhile waits in the log.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/deactivate", tag = "Webhooks",
    security(("oauth" = ["webhooks:write"])),
    params(("id" = String, Path, description = "Of the endpoint")),
    responses(
        (status = 200, body = EndpointAnswer, description = "It is `inactive`"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn deactivate(
    State(room): State<Events>,
    caller: May<right::WebhooksWrite>,
    PathId(id): PathId<EndpointId>,
) -> Result<Json<EndpointAnswer>> {
    let changed = service::deactivate(&room.ctx, caller.merchant, id).await?;
    Ok(Json(EndpointAnswer::of(caller.merchant, &changed)))
}

/// Switch an endpoint on
///
/// It goes on where it stopped, whoever switched it off: nothing was lost. The body may be left out.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/reactivate", tag = "Webhooks",
    security(("oauth" = ["webhooks:write"])),
    params(("id" = String, Path, description = "Of the endpoint")),
    request_body = Option<ReactivateBody>,
    responses(
        (status = 200, body = EndpointAnswer, description = "It is `active`"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`validation_error`"),
    )
)]
async fn reactivate(
    State(room): State<Events>,
    caller: May<right::WebhooksWrite>,
    PathId(id): PathId<EndpointId>,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Json<EndpointAnswer>> {
    let mut fields = body.fields()?;
    let skip =
        fields.optional("skip_missed", |value| value.as_bool().ok_or("must be true or false"));
    let skip = fields.finish(|| skip)?.unwrap_or(false);
    let changed = service::reactivate(&room.ctx, caller.merchant, id, skip).await?;
    Ok(Json(EndpointAnswer::of(caller.merchant, &changed)))
}

/// Show the secret
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/secret", tag = "Webhooks",
    security(("oauth" = ["webhooks:write"])),
    params(("id" = String, Path, description = "Of the endpoint")),
    responses(
        (status = 200, body = SecretAnswer, description = "What deliveries are signed with"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn secret(
    State(room): State<Events>,
    caller: May<right::WebhooksWrite>,
    PathId(id): PathId<EndpointId>,
) -> Result<Json<SecretAnswer>> {
    Ok(Json(current_secret(&room, caller.merchant, id, None).await?))
}

/// Change the secret
///
/// The old one signs beside the new one for a day. The body may be left out.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/secret/rotate", tag = "Webhooks",
    security(("oauth" = ["webhooks:write"])),
    params(
        ("id" = String, Path, description = "Of the endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each rotation"),
    ),
    request_body = Option<RotateBody>,
    responses(
        (status = 200, body = SecretAnswer, description = "The new secret"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`validation_error`"),
    )
)]
async fn rotate(
    State(room): State<Events>,
    caller: May<right::WebhooksWrite>,
    PathId(id): PathId<EndpointId>,
    OptionalKey(key): OptionalKey,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Response> {
    let merchant = caller.merchant;
    let mut fields = body.fields()?;
    let grace = fields.optional("grace_seconds", |value| {
        let seconds = value.as_u64().filter(|seconds| *seconds <= GRACE.as_secs());
        seconds.ok_or("must be a whole number from 0 to 86400")
    });
    let grace = fields.finish(|| grace)?.map_or(GRACE, Duration::from_secs);
    let path = format!("/v1/webhooks/{id}/secret/rotate");
    let request = key.map(|key| Request::new(merchant, "webhooks.rotate", key, &path, &body.0));
    let answer = |rotated: Rotated| Answer::json(200, &rotated.old_ends);
    let answer = service::rotate(&room, merchant, id, grace, request.as_ref(), answer).await?;
    let old_ends: Value = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    let old_ends = (!grace.is_zero()).then_some(old_ends);
    let body = current_secret(&room, merchant, id, old_ends).await?;
    let body = serde_json::to_vec(&body).map_err(Failure::internal)?;
    Ok(Answer { body, ..answer }.into_response())
}

/// Send a test event
///
/// To this endpoint only, signed and repeated like any other; `GET /v1/webhooks/events/{id}/deliveries`
/// shows what came of it.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/test", tag = "Webhooks",
    security(("oauth" = ["webhooks:write"])),
    params(
        ("id" = String, Path, description = "Of the endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters"),
    ),
    responses(
        (status = 202, body = TestAnswer, description = "It is on its way"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`invalid_state`: the endpoint is switched off"),
        (status = 429, description = "`rate_limited`"),
    )
)]
async fn test(
    State(room): State<Events>,
    caller: May<right::WebhooksWrite>,
    PathId(id): PathId<EndpointId>,
    OptionalKey(key): OptionalKey,
) -> Result<Response> {
    let merchant = caller.merchant;
    let calls = room.sensitive_per_minute;
    let quota = Quota { name: "sensitive", calls, window: Duration::from_mins(1) };
    room.limiter.check(quota, &merchant.to_string()).await?;
    let path = format!("/v1/webhooks/{id}/test");
    let request = key.map(|key| Request::new(merchant, "webhooks.test", key, &path, &Value::Null));
    let answer = |event: EventId| {
        Answer::json(202, &TestAnswer { event_id: event.to_string(), kind: "test" })
    };
    let answer = service::test(&room.ctx, merchant, id, request.as_ref(), answer).await?;
    Ok(answer.into_response())
}

/// The checked address: `Some(None)` when there is none, `None` when a fault was noted.
async fn target(room: &Events, fields: &mut Fields<'_>) -> Option<Option<Target>> {
    let url = fields.optional("url", text(|url| Ok::<_, String>(url.to_owned())))?;
    let Some(url) = url else { return Some(None) };
    match room.outbound.check(&url).await {
        Ok(target) => Some(Some(target)),
        Err(why) => {
            fields.fault("url", why);
            None
        }
    }
}

fn filter(value: &Value) -> Result<Filter, String> {
    const WANTED: &str = "must be a list of event types";
    let words = value.as_array().filter(|words| words.len() <= 100).ok_or(WANTED)?;
    let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
    Filter::read(words.ok_or(WANTED)?)
}

/// The dialects of other APIs are spoken to endpoints that are made through those.
fn dialect(word: &str) -> Result<Dialect, &'static str> {
    let dialect = word.parse().ok();
    dialect
        .filter(|dialect| [Dialect::Payouts, Dialect::Standard].contains(dialect))
        .ok_or("must be payouts or standard")
}

fn version(word: &str) -> Result<(), String> {
    if word == VERSION { Ok(()) } else { Err(format!("must be {VERSION}")) }
}

fn metadata(value: &Value) -> Result<Metadata, &'static str> {
    const WANTED: &str = "must be an object of at most 50 texts, with names of up to 40 and texts of up to 500 characters";
    let members = value.as_object().filter(|members| members.len() <= 50).ok_or(WANTED)?;
    let pair = |(name, value): (&String, &Value)| {
        let text = value.as_str()?;
        let fits = (1..=40).contains(&name.chars().count()) && text.chars().count() <= 500;
        // PostgreSQL keeps no NUL in a text.
        let whole = !name.contains('\0') && !text.contains('\0');
        (fits && whole).then(|| (name.clone(), text.to_owned()))
    };
    members.iter().map(pair).collect::<Option<_>>().ok_or(WANTED)
}

async fn current_secret(
    room: &Events,
    merchant: MerchantId,
    id: EndpointId,
    previous_secret_ends_at: Option<Value>,
) -> Result<SecretAnswer> {
    let keys = service::secret(room, merchant, id).await?;
    Ok(SecretAnswer {
        secret: keys.current.secret().expose().clone(),
        public_key: keys.current.public(),
        previous_secret_ends_at,
    })
}

fn made_id(answer: &Answer) -> Result<EndpointId> {
    let body: Value = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
    id.parse().map_err(Failure::internal)
}

/// The answer that was kept, now or earlier, with the secret, which was not.
async fn with_secret(
    room: &Events,
    merchant: MerchantId,
    id: EndpointId,
    answer: Answer,
) -> Result<Response> {
    let mut body: serde_json::Map<String, Value> =
        serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    let keys = service::secret(room, merchant, id).await?;
    body.insert("secret".to_owned(), Value::from(keys.current.secret().expose().as_str()));
    let body = serde_json::to_vec(&body).map_err(Failure::internal)?;
    Ok(Answer { body, ..answer }.into_response())
}
