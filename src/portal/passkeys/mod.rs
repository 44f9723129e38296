//! Passkeys (`WebAuthn`): a key pair that somebody's device keeps, and that signs for our origin only.
//!
//! One replaces password and code. A device that holds it and the finger or the PIN that unlocks it are two
//! factors already, and no page in between can pass on what is signed for another origin.

mod model;
mod party;
mod service;
mod store;

pub use model::{Listed, MOST, Passkey};
pub use party::{Assertion, Key, Party, Refusal};
pub(super) use service::{Found, challenge, check, drop_all, find, used};
pub use service::{add, begin, list, remove, rename};
pub use store::STATEMENTS;
pub(super) use store::forget;

crate::ids! {
    /// A passkey.
    PasskeyId = "pky_";
}
