//! Names that are looked up before the merchant is known: e-mail addresses, cookies, one-time links.

mod store;
mod token;

pub use store::STATEMENTS;
pub(super) use store::{claim, find, forget, release};
pub(super) use token::Token;

/// The name of an e-mail address.
pub(super) fn of_mail(email: &str) -> String {
    format!("mail:{email}")
}
