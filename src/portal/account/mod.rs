//! What somebody sets for themselves: password, codes, passkeys, sessions.

pub mod http;
mod passkeys;
mod view;
