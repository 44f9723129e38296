//! How a failure becomes an answer.
//!
//! A handler, an extractor or a layer answers with a [`Failure`]; that travels inside the response
//! until [`render`], the outermost layer of the route group, writes it in the group's own envelope.
//! So a refusal by a limit looks like a refusal by a rule, in every dialect.

mod dialect;

pub use dialect::Dialect;

use std::sync::Arc;

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::base::failure::Failure;

#[derive(Clone)]
struct Carried(Arc<Failure>);

impl IntoResponse for Failure {
    /// A response without a body that carries the failure to the group's [`render`] layer.
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(Carried(Arc::new(self)));
        response
    }
}

/// The layer that writes failures in a dialect's envelope, and logs each once.
pub async fn render(dialect: Dialect, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let Some(Carried(failure)) = response.extensions_mut().remove() else { return response };
    note(&failure);
    let mut rendered = dialect.envelope(&failure);
    // What inner layers added (Allow, rate limits) stays.
    for (name, value) in response.headers() {
        rendered.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    add_headers(&mut rendered, &failure);
    rendered
}

/// The stable code of a failure that is not written yet.
pub fn code(response: &Response) -> Option<&'static str> {
    response.extensions().get().map(|Carried(failure)| failure.code().as_str())
}

/// Takes the failure out of a response, for a group that writes its own pages; it is logged with that.
pub fn take(response: &mut Response) -> Option<Arc<Failure>> {
    let Carried(failure) = response.extensions_mut().remove()?;
    note(&failure);
    Some(failure)
}

/// Adds what the failure itself wants to be told in headers.
pub fn add_headers(response: &mut Response, failure: &Failure) {
    for (name, value) in failure.headers() {
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(*name), HeaderValue::try_from(value.as_str()))
        {
            response.headers_mut().append(name, value);
        }
    }
}

fn note(failure: &Failure) {
    metrics::counter!("http_failures_total", "code" => failure.code().as_str()).increment(1);
    let (code, cause) = (failure.code().as_str(), failure.cause_chain());
    if failure.kind().is_ours() {
        tracing::error!(code, cause, "A request failed for a reason of ours.");
    } else {
        tracing::debug!(code, "A request was refused.");
    }
}
