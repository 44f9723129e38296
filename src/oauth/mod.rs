//! Who may ask: merchants, credentials, tokens and proofs.

pub mod access;
pub mod authority;
pub mod cluster;
pub mod credentials;
pub mod discovery;
pub mod dpop;
pub mod explain;
pub mod jose;
pub mod keys;
pub mod lifecycle;
pub mod merchants;
mod refusal;
pub mod replicas;
pub mod scopes;
pub mod secrets;
pub mod selftest;
pub mod token;
