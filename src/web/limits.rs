//! What one request may cost, and what happens when it goes wrong.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State, rejection::BytesRejection},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use ipnet::IpNet;
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};
use tracing::Instrument;

use super::{
    address::{self, Host},
    places::Places,
};
use crate::base::{
    failure::{Code, Failure},
    tasks::Tasks,
};

/// The limits of a route group.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The longest body.
    pub body: usize,
    /// How bodies arrive.
    pub arrival: Arrival,
    /// How long a request may take to be answered, once it has arrived.
    pub patience: Duration,
    /// How many requests are worked on at once; more are shed.
    pub at_once: Arc<Semaphore>,
    /// Where the work runs.
    pub tasks: Tasks,
}

/// How long bodies may take to arrive, and how many may be on their way.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// How long one may take.
    pub patience: Duration,
    /// How many are waited for at once, from everybody and from one host.
    pub places: Places,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: Arc<[IpNet]>,
}

/// Waits for the whole body, sheds load, then runs the handler to its end in a task of its own.
///
/// The body comes first: a place to work that is taken before would be kept by whoever sends slowly,
/// and a thousand slow bodies would stop the service. Bodies on their way have places of their own.
///
/// A caller that goes away does not cut the handler in half: a proof was spent and money may have
/// moved, so the work is finished and its idempotency key tells the outcome. A panic ends its own
/// task only.
pub async fn guard(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let request = match arrived(&limits, request).await {
        Ok(request) => request,
        Err(failure) => return failure.into_response(),
    };
    let Ok(place) = limits.at_once.clone().try_acquire_owned() else {
        return shed().into_response();
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

/// For probes: the same limits on what arrives, and no place to work, so that they answer under any
/// load. What they run must be cheap.
pub async fn guard_probe(
    State(limits): State<Arc<Limits>>,
    request: Request,
    next: Next,
) -> Response {
    match arrived(&limits, request).await {
        Ok(request) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

fn shed() -> Failure {
    metrics::counter!("http_requests_shed_total").increment(1);
    Failure::new(Code::Unavailable).retry_after(Duration::from_secs(1))
}

async fn arrived(limits: &Limits, request: Request) -> Result<Request, Failure> {
    let arrival = &limits.arrival;
    let (head, body) = request.into_parts();
    if body.is_end_stream() {
        return Ok(Request::from_parts(head, Body::empty()));
    }
    // Who announces too much is not waited for.
    if usize::try_from(body.size_hint().lower()).map_or(true, |length| length > limits.body) {
        return Err(Failure::new(Code::BodyTooLarge));
    }
    let address = address::client(&head.extensions, &head.headers, &arrival.proxies);
    let host = Host::unless_proxy(address, &arrival.proxies);
    // Kept until the body is here.
    let _place = arrival.places.take(host).ok_or_else(shed)?;
    let reading = Limited::new(body, limits.body).collect();
    let body = match timeout(arrival.patience, reading).await {
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
