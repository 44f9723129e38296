//! Signing in: password or one-time link, then a code if one is asked for.

mod counts;
pub mod http;
mod service;
mod view;
