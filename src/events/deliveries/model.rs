//! A delivery and its states.

use std::collections::BTreeMap;

use crate::{
    base::timestamp::Timestamp,
    events::{DeliveryId, EndpointId, EventId},
    words,
};

words! {
    /// How far a delivery is.
    Status {
        /// An attempt is due, now or later.
        Pending = "pending",
        /// The receiver has it.
        Delivered = "delivered",
        /// Every attempt failed: a dead letter, until it is delivered again by hand.
        Failed = "failed",
        /// Its endpoint was deleted, or told to skip it.
        Cancelled = "cancelled",
    }
}

/// Header lines by their names.
pub(super) type Lines = BTreeMap<String, String>;

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// What is delivered.
    pub event_id: EventId,
    /// To where.
    pub endpoint_id: EndpointId,
    /// The address, as it is now.
    pub url: String,
    /// How far.
    pub status: Status,
    /// Attempts so far.
    pub attempts: i64,
    /// Attempts in all.
    pub max_attempts: i64,
    /// When the next one is due.
    pub next_attempt_at: Option<Timestamp>,
    /// What the last attempt said and signed; the signatures are no secrets, the receiver has them.
    pub request_headers: Option<BTreeMap<String, String>>,
    /// The status of the last answer.
    pub response_status: Option<i64>,
    /// Some of its headers.
    pub response_headers: Option<BTreeMap<String, String>>,
    /// The beginning of its body.
    pub response_body: Option<String>,
    /// What went wrong last.
    pub error: Option<String>,
    /// How long the last attempt took.
    pub duration_ms: Option<i64>,
    /// When the receiver had it.
    pub delivered_at: Option<Timestamp>,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
