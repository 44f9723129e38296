//! What was sent where, and what came of it.

mod housekeeping;
pub mod http;
pub mod lists;
mod model;
mod service;
mod store;

pub use housekeeping::Housekeeping;
pub use model::{Delivery, Status};
pub use service::{
    Again, Which, of_endpoint, of_endpoint_among, of_event, redeliver, redeliver_once,
};
pub use store::STATEMENTS;
pub(super) use store::{Ahead, Attempted, Due, Written, ahead, due, record, write};
