//! The outermost layer: a name, a span and a measurement for each request.

use std::time::Instant;

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, field};

use crate::base::{clock::Clock, failure::Failure, ids::RequestId, random::Random};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ones are of no use to anybody and would fill the log.
const LONGEST_ID: usize = 128;

/// The name of the request, for records that must name it; the answer carries it as `X-Request-ID`.
#[derive(Clone, Debug)]
pub struct RequestName(pub String);

impl<S: Sync> FromRequestParts<S> for RequestName {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let name = parts.extensions.get::<Self>().cloned();
        name.ok_or_else(|| Failure::internal("a route stands outside the edge"))
    }
}

/// What the layer needs to make request ids.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The time inside an id.
    pub clock: Clock,
    /// The rest of it.
    pub random: Random,
}

/// Names the request, opens its span, and writes its line in log and metrics.
pub async fn observe(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = accepted(request.headers())
        .unwrap_or_else(|| RequestId::make(&edge.clock, &edge.random).to_string());
    request.extensions_mut().insert(RequestName(id.clone()));
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "(none)".to_owned(), |path| path.as_str().to_owned());
    let method = method_label(request.method().as_str());
    let span = tracing::info_span!(
        "request",
        id,
        method,
        route,
        merchant = field::Empty,
        status = field::Empty
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.record("status", status);
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(status, micros, "A request was answered."));
    let labels = [("route", route), ("method", method.to_owned()), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    let route_labels = labels.into_iter().take(2).collect::<Vec<_>>();
    metrics::histogram!("http_request_seconds", &route_labels).record(begun.elapsed());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// A caller's own id is kept when it is harmless: it goes into logs and back into a header.
fn accepted(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let fits = (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(harmless);
    fits.then(|| id.to_owned())
}

/// Methods can be invented without end; metrics labels must not be.
fn method_label(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_ids_are_kept() {
        let kept = |id: &str| {
            accepted(&HeaderMap::from_iter([(
                REQUEST_ID,
                HeaderValue::from_bytes(id.as_bytes()).unwrap(),
            )]))
        };
        assert_eq!(kept("abc-1:2.3_X").as_deref(), Some("abc-1:2.3_X"));
        for wrong in ["", "a b", "a\"b", "a{b}", &"x".repeat(129)] {
            assert_eq!(kept(wrong), None, "{wrong}");
        }
    }
}
