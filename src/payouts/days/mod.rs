//! What became of payouts, day by day, for charts.
//!
//! Counted after the fact by a job that reads the log of events from where it stopped: the log has no
//! gaps, so nothing is missed, and the place moves in the transaction that counts, so nothing is counted
//! twice. Making a payout costs no statement more. The same log gives the same numbers again, which
//! [`verify`] does.

mod service;
mod store;
mod tally;

pub use service::{Counting, since, verify};
pub use store::STATEMENTS;
pub use tally::{Count, Measure};
