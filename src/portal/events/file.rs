//! Events and deliveries as rows of a file.

use crate::{
    base::timestamp::Timestamp,
    events::{deliveries::Delivery, log::Event},
};

/// What [`event_cells`] gives.
pub(super) const EVENTS: &[&str] = &["id", "sequence", "type", "about", "created_at", "body"];
/// What [`delivery_cells`] gives.
pub(in crate::portal) const DELIVERIES: &[&str] = &[
    "id",
    "event_id",
    "endpoint_id",
    "url",
    "status",
    "attempts",
    "max_attempts",
    "response_status",
    "response_body",
    "error",
    "duration_ms",
    "next_attempt_at",
    "delivered_at",
    "created_at",
];

pub(super) fn event_cells(event: &Event) -> Vec<String> {
    vec![
        event.id.to_string(),
        event.sequence.to_string(),
        event.kind.as_str().to_owned(),
        event.about.clone(),
        event.created_at.to_string(),
        String::from_utf8_lossy(&event.body).into_owned(),
    ]
}

pub(in crate::portal) fn delivery_cells(delivery: &Delivery) -> Vec<String> {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    vec![
        delivery.id.to_string(),
        delivery.event_id.to_string(),
        delivery.endpoint_id.to_string(),
        delivery.url.clone(),
        delivery.status.as_str().to_owned(),
        delivery.attempts.to_string(),
        delivery.max_attempts.to_string(),
        number(delivery.response_status),
        delivery.response_body.clone().unwrap_or_default(),
        delivery.error.clone().unwrap_or_default(),
        number(delivery.duration_ms),
        moment(delivery.next_attempt_at),
        moment(delivery.delivered_at),
        delivery.created_at.to_string(),
    ]
}
