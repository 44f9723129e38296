//! What somebody sets for themselves: password, codes, sessions.

pub mod http;
mod view;
