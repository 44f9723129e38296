//! `GET /v1/idempotency/{key}`.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    base::{
        failure::{Code, Failure, Result},
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db,
    oauth::{access::May, scopes::right},
    web::{
        idempotency::{self, Key, KeyUse},
        routes::{Routes, routes},
    },
};

/// The route.
pub(crate) fn routes() -> Routes<Ctx> {
    routes![get]
}

/// What a key was used for.
#[derive(Debug, Serialize, ToSchema)]
struct KeyUses {
    key: String,
    /// One for each operation: one key may serve several.
    data: Vec<KeyUseBody>,
}

/// One operation that took effect.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeyUse)]
struct KeyUseBody {
    #[schema(example = "payouts.create")]
    operation: String,
    /// What it made or changed.
    #[schema(example = "pay_01HX8Z9K0M2N3P4Q5R6S7T8VAB")]
    resource_id: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The status of its answer, while that is kept (30 days). The key counts for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 201)]
    status: Option<u16>,
}

impl From<KeyUse> for KeyUseBody {
    fn from(used: KeyUse) -> Self {
        let KeyUse { operation, resource_id, at: created_at, status } = used;
        Self { operation, resource_id, created_at, status }
    }
}

/// Find out what a key was used for
///
/// After a request whose answer was lost: each operation of yours that took effect under this key. A key that
/// is not found has had no effect, as long as its request is not still under way.
#[utoipa::path(
    get, path = "/v1/idempotency/{key}", tag = "Idempotency", security(("oauth" = ["payouts:read"])),
    params(("key" = String, Path, description = "An `Idempotency-Key` of yours, percent-encoded")),
    responses(
        (status = 200, body = KeyUses, description = "What it was used for"),
        (status = 400, description = "`invalid_idempotency_key`: no request can have carried it"),
        (status = 404, description = "`not_found`: it has had no effect"),
    )
)]
async fn get(
    State(ctx): State<Ctx>,
    caller: May<right::PayoutsRead>,
    Path(key): Path<String>,
) -> Result<Json<KeyUses>> {
    let key = Key::parse(&key)?;
    let used = db::read!(ctx.db, |tx| idempotency::uses(tx, caller.merchant, &key).await)?;
    if used.is_empty() {
        return Err(Failure::because(
            Code::NotFound,
            "no request with this key has had an effect; send it again with the same key",
        ));
    }
    let data = used.into_iter().map(KeyUseBody::from).collect();
    Ok(Json(KeyUses { key: key.as_str().to_owned(), data }))
}
