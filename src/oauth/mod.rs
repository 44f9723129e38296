//! Who may ask: merchants, credentials, tokens and proofs.

pub mod cluster;
pub mod credentials;
pub mod dpop;
pub mod jose;
pub mod keys;
pub mod merchants;
pub mod replicas;
pub mod scopes;
pub mod secrets;
pub mod selftest;
pub mod token;
