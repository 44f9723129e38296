//! Signing in: password or one-time link, then a code if one is asked for.

pub(super) mod counts;
pub mod http;
mod service;
mod view;
