//! How much a merchant may pay out in a day and in a month, by its own history.
//!
//! A payout counts from the moment that it is made, in the transaction that makes it, so that many at
//! once cannot each see room for themselves; one that comes to nothing is taken out again.

mod service;
mod store;

pub use service::{Caps, count, exceeded, uncount};
pub use store::STATEMENTS;
