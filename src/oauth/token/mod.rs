//! Access tokens (RFC 9068): what they say, how they are signed, how a presented one is judged.
//!
//! Anybody can check our tokens with the JWKS alone; we check them like anybody else would. Signing is
//! aws-lc-rs's work, behind [`super::keys::SigningKey`]; verification shares its readers with the proof check.

mod access_token;
mod assertion;
mod authentication;
mod fault;
pub mod http;
mod service;
mod verify;

pub use access_token::{Grant, Minted};
pub use authentication::basic;
pub use fault::TokenFault;
pub(super) use service::authenticate;
pub use service::{Granted, TokenRequest, grant};
pub use verify::{AccessToken, LEEWAY, LONGEST, TokenRules, verify};

#[cfg(test)]
mod tests;
