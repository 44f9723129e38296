//! What a link is for.

use std::time::Duration;

use crate::words;

words! {
    /// What a one-time link opens.
    Purpose {
        /// A session, in place of a password.
        SignIn = "sign_in",
        /// An account: a name and a password are chosen.
        Invitation = "invitation",
    }
}

impl Purpose {
    /// How long it stays open: as long as its way to its reader needs, and no longer.
    pub const fn life(self) -> Duration {
        match self {
            Self::SignIn => Duration::from_mins(15),
            Self::Invitation => Duration::from_hours(72),
        }
    }
}
