//! `/v1/webhooks`.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse, response::Response};
use serde_json::Value;

use super::{
    Changes, Endpoint, NewEndpoint, Rotated, service,
    wire::{
        self, ChangeBody, Created, EndpointAnswer, EndpointBody, Endpoints, ReactivateBody,
        RotateBody, SecretAnswer, TestAnswer,
    },
};
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
    },
    events::{EndpointId, EventId, Events, outbound::Target, signatures::Dialect},
    oauth::{access::May, scopes::right},
    web::{
        idempotency::{Answer, OptionalKey, Request},
        json::{Fields, JsonBody, OptionalJsonBody, text},
        query::PathId,
        rate_limit::Quota,
        routes::{Routes, routes},
    },
};

/// How long an old secret signs beside the new one, unless the merchant says otherwise.
const GRACE: Duration = Duration::from_hours(24);

/// Every route.
pub(crate) fn routes() -> Routes<Events> {
    routes![create, list, find, update, delete, deactivate, reactivate, secret, rotate, test]
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
    let filter = fields.required("events", wire::filter);
    let dialect = fields.optional("dialect", text(wire::dialect));
    let version = fields.optional("version", text(wire::version));
    let metadata = fields.optional("metadata", wire::metadata);
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
    let answer = service::create_once(&room, merchant, &new, request.as_ref(), answer).await?;
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
    let filter = fields.optional("events", wire::filter);
    let metadata = fields.optional("metadata", wire::metadata);
    let changes = fields
        .finish(|| Some(Changes { target: target?, filter: filter?, metadata: metadata? }))?;
    let updated = service::update(&room.ctx, caller.merchant, id, &changes).await?;
    Ok(Json(EndpointAnswer::of(caller.merchant, &updated)))
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
    let answer = service::rotate_once(&room, merchant, id, grace, request.as_ref(), answer).await?;
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
    let answer = service::test_once(&room.ctx, merchant, id, request.as_ref(), answer).await?;
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
