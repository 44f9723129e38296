//! Money that comes in from outside.
//!
//! Whoever learns of a credit (an operator, a bank's feed, a sandbox) tells it here once or many times, by
//! the name that the outside gives it: it is booked once, with the entry and the event in one transaction.

mod model;
mod service;
mod store;

pub use model::{Deposit, Incoming};
pub use service::{Received, receive, receive_in};
pub use store::{STATEMENTS, find};
