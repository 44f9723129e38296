//! Tokens after their making: ended before their time (RFC 7009), asked about (RFC 7662).

pub mod http;
mod service;
mod store;

pub use service::{Housekeeping, is_revoked};
pub use store::STATEMENTS;
