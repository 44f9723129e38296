//! The JWKS and the two metadata documents.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    oauth::{authority::Authority, jose::Alg, keys::JWKS_LIFE, scopes::Scope},
    web::routes::{Routes, routes},
};

/// All three documents.
pub(crate) fn routes() -> Routes<Authority> {
    routes![jwks, authorization_server, protected_resource]
}

/// The public keys that tokens and receipts are verified with
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "Discovery",
    responses(
        (status = 200, description = "A JWK set (RFC 7517)", content_type = "application/jwk-set+json"),
        (status = 304, description = "The copy named in `If-None-Match` is current"),
    )
)]
async fn jwks(State(authority): State<Authority>, headers: HeaderMap) -> Response {
    // A due rotation shows even while nobody mints; when the folder cannot be read, the last good
    // keys are shown.
    if let Err(failure) = authority.ring().refresh() {
        tracing::error!(cause = failure.cause_chain(), "The signing keys cannot be read again.");
    }
    let ring = authority.ring().current();
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| {
        known
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == ring.etag() || tag == "*")
    });
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/jwk-set+json")], ring.jwks().to_vec()).into_response()
    };
    if let Ok(etag) = HeaderValue::from_str(ring.etag()) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    cached(response)
}

/// The authorization server (RFC 8414)
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server", tag = "Discovery",
    responses((status = 200, description = "Its metadata"))
)]
async fn authorization_server(State(authority): State<Authority>) -> Response {
    let origin = authority.origin();
    let methods = ["client_secret_basic", "private_key_jwt"];
    cached(
        Json(json!({
            "issuer": authority.rules().issuer,
            "token_endpoint": authority.token_endpoint(),
            "jwks_uri": format!("{origin}/.well-known/jwks.json"),
            "revocation_endpoint": format!("{origin}/oauth/revoke"),
            "introspection_endpoint": format!("{origin}/oauth/introspect"),
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": algs(),
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": algs(),
            "introspection_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_signing_alg_values_supported": algs(),
            "dpop_signing_alg_values_supported": algs(),
            "dpop_bound_access_tokens_required": true,
            "scopes_supported": scopes(),
            "protected_resources": authority.rules().origins,
            "service_documentation": format!("{origin}/docs"),
        }))
        .into_response(),
    )
}

/// The protected resource (RFC 9728)
#[utoipa::path(
    get, path = "/.well-known/oauth-protected-resource", tag = "Discovery",
    responses((status = 200, description = "Its metadata"))
)]
async fn protected_resource(State(authority): State<Authority>) -> Response {
    let origin = authority.origin();
    cached(
        Json(json!({
            "resource": origin,
            "authorization_servers": [authority.rules().issuer],
            "jwks_uri": format!("{origin}/.well-known/jwks.json"),
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": algs(),
            "dpop_bound_access_tokens_required": true,
            "scopes_supported": scopes(),
            "resource_documentation": format!("{origin}/docs"),
        }))
        .into_response(),
    )
}

fn algs() -> Value {
    Value::from(Alg::ALL.map(Alg::name).to_vec())
}

fn scopes() -> Value {
    Scope::ALL.iter().map(|scope| scope.as_str()).collect()
}

fn cached(mut response: Response) -> Response {
    let life = format!("public, max-age={}", JWKS_LIFE.as_secs());
    if let Ok(life) = HeaderValue::from_str(&life) {
        response.headers_mut().insert(header::CACHE_CONTROL, life);
    }
    response
}
