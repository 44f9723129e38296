//! What a passkey is here.

use std::time::Duration;

use super::{Key, PasskeyId};
use crate::base::{
    failure::{Code, Failure, Result},
    timestamp::Timestamp,
};

/// How many one person may have: a few devices, and no list that nobody looks through.
pub const MOST: usize = 10;
/// How long a challenge waits for its answer: as long as browsers wait for their user.
pub(super) const LIFE: Duration = Duration::from_mins(5);
const LONGEST_NAME: usize = 60;

/// Somebody's passkey, as it signs in.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// Its id, which is not that of the credential.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// Public key and counter.
    pub key: Key,
}

/// A passkey as its owner sees it. Its key is not needed to see or to remove it, so one that was written by
/// another version, and is unreadable here, shuts nobody out of their own page.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// The id that its authenticator has given it.
    pub credential_id: Vec<u8>,
    /// Whether this version can read its key; if not, it opens nothing.
    pub readable: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it opened a session last.
    pub used_at: Option<Timestamp>,
}

/// A name that its owner will know it by.
pub(super) fn checked_name(name: &str) -> Result<&str> {
    let name = name.trim();
    let printable = !name.chars().any(char::is_control);
    if printable && (1..=LONGEST_NAME).contains(&name.chars().count()) {
        return Ok(name);
    }
    let wanted = "give the passkey a name of 1 to 60 printable characters";
    Err(Failure::because(Code::ValidationError, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_printable() {
        assert_eq!(checked_name("  My laptop ").unwrap(), "My laptop");
        assert!(checked_name(&"ü".repeat(LONGEST_NAME)).is_ok());
        for wrong in ["", "   ", "a\nb", &"x".repeat(LONGEST_NAME + 1)] {
            assert!(checked_name(wrong).is_err(), "{wrong}");
        }
    }
}
