//! Credentials: an integrating server's right to mint tokens.
//!
//! A credential has a client id, one or two secrets (two while one replaces the other), a set of
//! scopes, and the public keys that its proofs may be signed with. Because a proof must come from a
//! registered key, a stolen secret alone mints nothing.
//!
//! Every change grows the credential's version and the shared `access` generation, so that caches
//! here forget at once and caches of other replicas within a second.

pub mod http;
mod model;
mod possession;
mod service;
mod store;

pub use model::{
    Client, ClientId, Credential, CredentialStatus, KeyStatus, LastUses, NewCredential,
    RegisteredKey, StoredSecret,
};
pub use service::{
    Possession, Registered, access_changed, add_key, add_key_before, challenge, forget_challenges,
    generation, holder, last_uses, list, list_with_uses, load, mark_used, register,
    register_before, revoke, revoke_before, revoke_key, revoke_key_before, rotate_secret,
    rotate_secret_before, verify,
};
pub use store::STATEMENTS;
