//! What was sent where, and what came of it.

mod housekeeping;
pub mod http;
mod model;
mod service;
mod store;

pub use housekeeping::Housekeeping;
pub use model::{Delivery, Status};
pub use service::{Again, Which, of_endpoint, of_event, redeliver};
pub use store::STATEMENTS;
pub(super) use store::{Ahead, Attempted, Due, Written, ahead, due, record, write};
