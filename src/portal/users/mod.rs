//! Who may sign in, for which merchant, and what each may do there.

mod model;
mod service;
mod store;

pub use model::{Account, Person, Right, Role, UserStatus, checked_password};
pub use service::{
    accept, by_email, change_role, choose_password, found, invite, load, of_sandbox, remove, team,
};
pub use store::STATEMENTS;
pub(super) use store::{note_sign_in, note_step, set_totp};

crate::ids! {
    /// Somebody who signs in.
    UserId = "usr_";
}
