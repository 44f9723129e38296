//! What became of payouts, day by day, for charts.
//!
//! Counted after the fact by a job that reads the log of events from where it stopped: the log has no
//! gaps, so nothing is missed, and the place moves in the transaction that counts, so nothing is counted
//! twice. Making a payout costs no statement more. The same log gives the same numbers again, which
//! [`verify`] does.

mod model;
mod service;
mod store;

pub use model::{Count, Measure};
pub use service::{Counting, since, verify};
pub use store::STATEMENTS;
