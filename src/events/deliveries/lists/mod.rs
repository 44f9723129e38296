//! Deliveries as they are shown: to the merchant's servers, and in the portal.

mod store;

pub use store::STATEMENTS;
pub(super) use store::{floor, of_endpoint, of_event};
