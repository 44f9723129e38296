//! What one request may cost, and what happens when it goes wrong.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State, rejection::BytesRejection},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};
use tracing::Instrument;

use crate::base::{
    failure::{Code, Failure},
    tasks::Tasks,
};

/// The limits of a route group.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The longest body.
    pub body: usize,
    /// How long a request may take to arrive, and again to be answered.
    pub patience: Duration,
    /// How many requests are worked on at once; more are shed.
    pub at_once: Arc<Semaphore>,
    /// Where the work runs.
    pub tasks: Tasks,
}

/// Sheds load, waits for the whole body, then runs the handler to its end in a task of its own.
///
/// A caller that goes away does not cut the handler in half: a proof was spent and money may have
/// moved, so the work is finished and its idempotency key tells the outcome. A panic ends its own
/// task only.
pub async fn guard(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let Ok(place) = limits.at_once.clone().try_acquire_owned() else {
        metrics::counter!("http_requests_shed_total").increment(1);
        return Failure::new(Code::Unavailable).retry_after(Duration::from_secs(1)).into_response();
    };
    let request = match arrived(&limits, request).await {
        Ok(request) => request,
        Err(failure) => return failure.into_response(),
    };
    let (answer, answered) = oneshot::channel();
    let work = async move {
        let response = next.run(request).await;
        drop(place);
        // The caller may have gone; then nobody wants the answer.
        drop(answer.send(response));
    };
    limits.tasks.spawn(work.in_current_span());
    match timeout(limits.patience, answered).await {
        Ok(Ok(response)) => response,
        // The sender fell with a panicking handler; the panic hook has logged where.
        Ok(Err(_)) => Failure::internal("the handler panicked").into_response(),
        Err(_) => Failure::new(Code::OutcomeUnknown)
            .retry_after(Duration::from_secs(1))
            .caused_by("the handler took longer than http.request_timeout")
            .into_response(),
    }
}

async fn arrived(limits: &Limits, request: Request) -> Result<Request, Failure> {
    let (head, body) = request.into_parts();
    let reading = Limited::new(body, limits.body).collect();
    let body = match timeout(limits.patience, reading).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(Failure::new(Code::BodyTooLarge));
        }
        Ok(Err(_)) => {
            return Err(Failure::because(Code::MalformedBody, "the body broke off before its end"));
        }
        Err(_) => return Err(Failure::new(Code::RequestTimeout)),
    };
    Ok(Request::from_parts(head, Body::from(body)))
}

/// What a body extractor's refusal means.
pub fn body_failure(rejection: BytesRejection) -> Failure {
    match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::new(Code::BodyTooLarge),
        _ => Failure::new(Code::MalformedBody),
    }
}
