//! Who is signed in: an opaque cookie, kept as a hash, that ends by itself.

mod model;
mod service;
mod store;

pub use model::{Session, Stage};
pub(super) use service::{begin, find, promote};
pub use service::{end, end_others, is_known_address, list};
pub use store::STATEMENTS;
pub(super) use store::{end_all, forget};

crate::ids! {
    /// A session.
    SessionId = "ses_";
}
