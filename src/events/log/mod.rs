//! The log of one merchant: numbered without gaps, written with the change, kept as exact bytes.
//!
//! The number is taken from the merchant's own counter inside the transaction that causes the event.
//! A transaction that is undone gives its number back; two of one merchant never overlap. So a reader
//! that has seen number *n* has seen every event up to *n*, and can prove it.

mod model;
mod service;
mod store;

pub use model::{Event, EventType, Mark, Narrowed, NewEvent};
pub use service::{after, append, find, heads, kept_after, kinds, last, marks, newest, verify};
pub use store::STATEMENTS;
