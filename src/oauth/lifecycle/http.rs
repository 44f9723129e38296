//! `POST /oauth/revoke` and `POST /oauth/introspect`.

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use utoipa::ToSchema;

use super::service;
use crate::{
    base::failure::Result,
    oauth::{
        authority::Authority,
        token::http::{Call, no_store},
    },
    web::routes::{Routes, routes},
};

/// Both endpoints.
pub(crate) fn routes() -> Routes<Authority> {
    routes![revoke, introspect]
}

/// What both take.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the form is read by hand, strictly")]
struct AboutToken {
    /// The access token.
    token: String,
    /// Only a hint; `access_token` is the only kind there is.
    token_type_hint: Option<String>,
}

/// Revoke an access token
///
/// RFC 7009. The same answer for a token that was revoked, expired, unknown or another client's.
#[utoipa::path(
    post, path = "/oauth/revoke", tag = "OAuth",
    request_body(content = AboutToken, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token is not active, whatever it was"),
        (status = 400, description = "`invalid_request`, `unsupported_token_type`"),
        (status = 401, description = "`invalid_client`"),
    )
)]
async fn revoke(State(authority): State<Authority>, request: Request) -> Result<Response> {
    let call = Call::read(&authority, request).await?;
    service::revoke(&authority, &call.token_request()).await?;
    let mut response = StatusCode::OK.into_response();
    no_store(response.headers_mut());
    Ok(response)
}

/// Ask about an access token
///
/// RFC 7662, for clients of the token's merchant; about any other token the answer is `inactive`.
#[utoipa::path(
    post, path = "/oauth/introspect", tag = "OAuth",
    request_body(content = AboutToken, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "`active` and, if true, what the token says"),
        (status = 400, description = "`invalid_request`"),
        (status = 401, description = "`invalid_client`"),
    )
)]
async fn introspect(State(authority): State<Authority>, request: Request) -> Result<Response> {
    let call = Call::read(&authority, request).await?;
    let answer = service::introspect(&authority, &call.token_request()).await?;
    let mut response = Json(answer).into_response();
    no_store(response.headers_mut());
    Ok(response)
}
