//! What happened, and how others learn of it.
//!
//! - [`log`](mod@log): every change of state writes its event in its own transaction, with a number
//!   of its merchant's that leaves no gap.
//! - [`endpoints`]: where merchants want their events sent, and with which secret they are signed.
//! - [`deliveries`]: what was sent where, and what came of it.
//! - [`courier`]: takes events from the log to endpoints, at least once, whatever breaks.
//! - [`signatures`]: how each API signs and paces; [`outbound`]: whom this server calls at all.

pub mod courier;
pub mod deliveries;
pub mod endpoints;
pub mod http;
pub mod log;
pub mod outbound;
pub mod signatures;

mod by;
mod room;

pub use by::By;
pub use room::{Events, Parts};

crate::ids! {
    /// An event.
    EventId = "evt_";
    /// Where a merchant has events sent.
    EndpointId = "wbh_";
    /// One event on its way to one endpoint.
    DeliveryId = "dlv_";
}
