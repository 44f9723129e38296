//! Headers that every answer of a route group carries.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Whether callers reach us by TLS only, so that browsers may be told to insist on it.
#[derive(Clone, Copy, Debug)]
pub struct Https(pub bool);

/// For answers to programs: nothing in them is a page, so a browser may do nothing with them.
pub async fn api(State(https): State<Https>, request: Request, next: Next) -> Response {
    const CSP: &str = "default-src 'none'; frame-ancestors 'none'";
    secure(next.run(request).await, https, CSP)
}

/// For pages: own styles and scripts only, no frames, forms only to us.
pub async fn page(State(https): State<Https>, request: Request, next: Next) -> Response {
    const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
        connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    secure(next.run(request).await, https, CSP)
}

fn secure(mut response: Response, Https(https): Https, csp: &'static str) -> Response {
    let headers = response.headers_mut();
    // What an inner layer has set is more precise: a page inside the API's frame keeps its own policy.
    let mut set = |name: HeaderName, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, csp);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if https {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
    response
}

/// CORS for the listed origins; with none listed, browsers of other sites get no header at all.
pub fn cors(origins: &[String]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| origin.parse().ok()).collect::<Vec<_>>();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("dpop"),
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("x-request-id"),
        ])
        .expose_headers([
            header::WWW_AUTHENTICATE,
            header::RETRY_AFTER,
            HeaderName::from_static("dpop-nonce"),
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("x-idempotent-replayed"),
            HeaderName::from_static("x-ratelimit-limit"),
            HeaderName::from_static("x-ratelimit-remaining"),
            HeaderName::from_static("x-ratelimit-reset"),
        ])
}
