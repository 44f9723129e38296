//! `POST /oauth/token`.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{TokenRequest, grant};
use crate::{
    base::failure::Result,
    oauth::authority::Authority,
    web::{
        address,
        form::Form,
        routes::{Routes, routes},
    },
};

/// The token endpoint.
pub(crate) fn routes() -> Routes<Authority> {
    routes![token]
}

/// The parameters of a token request.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the form is read by hand, strictly")]
struct TokenForm {
    /// `client_credentials`.
    grant_type: String,
    /// Scopes, with single spaces between them; without it, all that the credential has.
    scope: Option<String>,
    /// One of the public origins of this server (RFC 8707).
    resource: Option<String>,
    /// Allowed beside Basic if it names the same client.
    client_id: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with `client_assertion` instead of
    /// Basic.
    client_assertion_type: Option<String>,
    /// A JWT signed with a registered key (RFC 7523); its `kid` names the key, when there are several.
    client_assertion: Option<String>,
}

/// A token.
#[derive(Debug, Serialize, ToSchema)]
struct TokenAnswer {
    /// A signed JWT (RFC 9068), bound to the key of the proof.
    access_token: String,
    /// Always `DPoP`.
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    /// What it may do.
    scope: String,
}

/// Mint an access token
///
/// Client credentials (RFC 6749 §4.4) by `Basic` or `private_key_jwt`, bound to the registered key
/// that signs the DPoP proof (RFC 9449).
#[utoipa::path(
    post, path = "/oauth/token", tag = "OAuth",
    params(("DPoP" = String, Header, description = "A proof for this endpoint, signed with a registered key")),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = TokenAnswer, description = "The token"),
        (status = 400, description = "`invalid_request`, `unsupported_grant_type`, `invalid_scope`, `invalid_target`, `invalid_dpop_proof`, `use_dpop_nonce`"),
        (status = 401, description = "`invalid_client`"),
        (status = 429, description = "Too many guesses or tokens"),
        (status = 503, description = "Not now; `Retry-After` says when"),
    )
)]
async fn token(State(authority): State<Authority>, request: Request) -> Result<Response> {
    let call = Call::read(&authority, request).await?;
    let granted = grant(&authority, &call.token_request()).await?;
    let answer = TokenAnswer {
        access_token: granted.token,
        token_type: "DPoP",
        expires_in: granted.expires_in,
        scope: granted.scopes.to_string(),
    };
    let mut response = Json(answer).into_response();
    no_store(response.headers_mut());
    if let Some(nonce) = granted.next_nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()) {
        response.headers_mut().insert(HeaderName::from_static("dpop-nonce"), nonce);
    }
    Ok(response)
}

/// A form request of a client, read whole.
#[derive(Debug)]
pub(in crate::oauth) struct Call {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    form: Form,
    address: std::net::IpAddr,
}

impl Call {
    pub(in crate::oauth) async fn read(authority: &Authority, request: Request) -> Result<Self> {
        let proxies = &authority.rules().proxies;
        let address = address::client(request.extensions(), request.headers(), proxies);
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let headers = request.headers().clone();
        let form = <Form as axum::extract::FromRequest<()>>::from_request(request, &()).await?;
        Ok(Self { method, uri, headers, form, address })
    }

    pub(in crate::oauth) fn token_request(&self) -> TokenRequest<'_> {
        TokenRequest {
            method: self.method.as_str(),
            path: self.uri.path(),
            headers: &self.headers,
            form: &self.form,
            address: self.address,
        }
    }
}

/// RFC 6749 §5.1: an answer with a token, or about one, is kept by nobody.
pub(in crate::oauth) fn no_store(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}
