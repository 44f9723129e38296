//! Signing in: password or one-time link, then a code if one is asked for; or a
//! passkey alone.

pub(super) mod counts;
pub mod http;
mod passkey;
mod service;
mod view;
