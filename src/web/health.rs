//! `/healthz` and `/readyz`.

use std::sync::Arc;

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, Value, json};

use crate::base::failure::Result;

/// Asks one dependency whether it can be used now.
pub type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// The two routes. `/healthz` answers while the process lives, so that nobody kills it because the
/// database is away; `/readyz` says which dependency is missing, and only that it is.
pub fn router<S: Clone + Send + Sync + 'static>(checks: Vec<(&'static str, Check)>) -> Router<S> {
    let ready = move || {
        let checks = checks.clone();
        async move { readiness(&checks).await }
    };
    Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "ok" }))))
        .route("/readyz", get(ready))
}

async fn readiness(checks: &[(&'static str, Check)]) -> Response {
    let outcomes = join_all(checks.iter().map(|(_, check)| check())).await;
    let mut report = Map::new();
    let mut status = StatusCode::OK;
    for ((name, _), outcome) in checks.iter().zip(outcomes) {
        if let Err(failure) = &outcome {
            status = StatusCode::SERVICE_UNAVAILABLE;
            tracing::warn!(check = name, cause = failure.cause_chain(), "Not ready to serve.");
        }
        let word = if outcome.is_ok() { "ok" } else { "unavailable" };
        report.insert((*name).to_owned(), Value::from(word));
    }
    let word = if status == StatusCode::OK { "ready" } else { "unavailable" };
    (status, Json(json!({ "status": word, "checks": report }))).into_response()
}
