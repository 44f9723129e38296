//! One-time links: the first sign-in of a sandbox's owner, and invitations.

mod model;
mod service;
mod store;

pub use model::Purpose;
pub use service::{NewLink, found, make, sign_in_link, used, write};
pub use store::STATEMENTS;

crate::ids! {
    /// A link.
    LinkId = "lnk_";
}
