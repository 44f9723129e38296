//! `GET /v1/credential`: what the caller is, as we see it.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    base::{failure::Result, timestamp::Timestamp},
    oauth::{
        access::May,
        scopes::{Scope, right},
    },
    web::routes::{Routes, routes},
};

/// The one route.
pub(crate) fn routes() -> Routes {
    routes![credential]
}

/// The credential behind a request.
#[derive(Debug, Serialize, ToSchema)]
struct CredentialAnswer {
    /// The client.
    client_id: String,
    /// Whose money it moves.
    merchant_id: String,
    /// What this token allows.
    scopes: Vec<&'static str>,
    /// The thumbprint of the key that signed the proof.
    jkt: String,
    /// When this token ends.
    #[schema(value_type = String, format = DateTime)]
    token_expires_at: Timestamp,
}

/// See who you are
///
/// Any valid token will do. A first call to see that token and proof are right.
#[utoipa::path(
    get, path = "/v1/credential", tag = "Credentials", security(("oauth" = [])),
    responses((status = 200, body = CredentialAnswer, description = "The caller"))
)]
async fn credential(caller: May<right::Any>) -> Result<Json<CredentialAnswer>> {
    Ok(Json(CredentialAnswer {
        client_id: caller.client_id.to_string(),
        merchant_id: caller.merchant.to_string(),
        scopes: caller.scopes.iter().map(Scope::as_str).collect(),
        jkt: caller.jkt.to_string(),
        token_expires_at: caller.token_ends,
    }))
}
