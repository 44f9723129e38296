//! Which of the three worlds this server lives in.

use std::fmt;

/// The world decides defaults, prefixes of client ids, and what may be done without real money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Environment {
    /// For trying out: no real money, convenient defaults.
    Sandbox,
    /// A rehearsal with production's settings, not held to its refusals.
    Staging,
    /// Real money; refuses to start on what is only safe in a sandbox.
    Production,
}

impl Environment {
    /// All three: what carries one of their names can be recognised.
    pub const ALL: [Self; 3] = [Self::Sandbox, Self::Staging, Self::Production];

    /// The name, as in the configuration and inside client ids.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
