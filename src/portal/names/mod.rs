//! Names that are looked up before the merchant is known: e-mail addresses, cookies, one-time links,
//! passkeys.

mod store;
mod token;

pub use store::STATEMENTS;
pub(super) use store::{claim, find, forget, release};
pub(super) use token::Token;

use sha2::{Digest, Sha256};

use crate::base::hex;

/// The name of a credential that an authenticator has made: those ids may be long.
pub(super) fn of_passkey(credential_id: &[u8]) -> String {
    format!("passkey:{}", hex::encode(&Sha256::digest(credential_id)))
}

/// The name of an e-mail address.
pub(super) fn of_mail(email: &str) -> String {
    format!("mail:{email}")
}
