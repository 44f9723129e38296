//! What merchants' servers have asked, so that whoever writes them can see what became of a call.
//!
//! A line holds names and outcomes: never a body, a token, a proof, or a value of the query.
//!
//! The log must never delay or refuse a payment. A request that has been answered leaves its line in a
//! bounded buffer of this replica ([`RequestLog::note`]: no lock, no wait, no wake-up); one task writes what is
//! there in small batches, twice a second. A full buffer, a full write door or a crash lose lines, which
//! `request_log_dropped_total` counts where it can; a lost line is never worth a payment.

mod housekeeping;
mod model;
mod service;
mod store;

pub use housekeeping::Housekeeping;
pub use model::{Answered, Filter, Line, target};
pub use service::{RequestLog, page};
pub use store::STATEMENTS;

crate::ids! {
    /// A line of the request log; requests name themselves, so theirs is no key.
    LineId = "rql_";
}
