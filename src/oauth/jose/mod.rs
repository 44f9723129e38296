//! Signed JSON, read as strictly as a payment deserves.
//!
//! One text has one meaning here: canonical base64url, no member twice, numbers as written, bounded
//! length and depth. Keys are public, on their curve and prepared once; signatures are verified by
//! aws-lc-rs, which the tests compare with p256 and ed25519-dalek. Nothing in this folder knows what
//! a proof or a token means.

pub mod alg;
pub mod base64url;
pub mod claimed_key;
pub mod compact;
pub mod json;
pub mod numeric_date;
pub mod public_key;
pub mod thumbprint;

pub use alg::{Alg, KeyKind};
pub use claimed_key::{ClaimedKey, JwkFault};
pub use public_key::{BadSignature, PublicJwk, PublicKey};
pub use thumbprint::{Jkt, TokenHash};

#[cfg(test)]
mod tests;
