//! What rests encrypted in the database: personal data, credentials of instruments, webhook secrets.
//!
//! Envelope encryption. Data keys live in the database, sealed with the key-encryption key of the
//! configuration, which never touches the database: a stolen backup opens nothing. What is sealed
//! carries the id of its data key, so that a new data key can take over at any time while older
//! values stay readable, and it is bound to a name: a value copied to another row does not open there.
//!
//! ```text
//! version (1) · data key id (8) · nonce (24) · XChaCha20-Poly1305 ciphertext and tag
//! ```

mod kek;
mod service;
mod store;

pub use kek::Kek;
pub use service::{DataKey, Vault, data_keys};
pub use store::STATEMENTS;
