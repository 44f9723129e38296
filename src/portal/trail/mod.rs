//! What people have done, in their own transaction where it is ours; written once, never changed.

mod model;
mod service;
mod store;

pub use model::{Action, Line, Who};
pub use service::{Entry, held_key, page, record};
pub use store::STATEMENTS;

crate::ids! {
    /// A line of the trail.
    TrailId = "trl_";
}
