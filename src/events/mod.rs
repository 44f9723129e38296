//! What happened, and how others learn of it.
//!
//! - [`log`](mod@log): every change of state writes its event in its own transaction, with a number
//!   of its merchant's that leaves no gap.

pub mod log;

crate::ids! {
    /// An event.
    EventId = "evt_";
}
