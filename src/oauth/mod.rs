//! Who may ask: merchants, credentials, tokens and proofs.

pub mod credentials;
pub mod merchants;
pub mod secrets;
