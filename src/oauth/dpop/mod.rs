//! Proofs of possession (RFC 9449): what a request must carry, and that it counts once.
//!
//! One check for the token endpoint and for every resource: [`proof::read`], then the caller's own
//! look at secret or token, then [`proof::UnverifiedProof::verify`], then the claim in [`replay`].
//! Nothing here speaks HTTP; refusals are values of [`ProofFault`].

mod checks;
pub mod examine;
pub mod fault;
pub mod htu;
pub mod nonce;
pub mod prepared_keys;
pub mod proof;
pub mod replay;

pub use checks::Check;
pub use examine::{Examined, examine};
pub use fault::{Endpoint, ProofFault};
pub use htu::{ExpectedHtu, HtuFault, PublicBase};
pub use nonce::NonceKeys;
pub use prepared_keys::PreparedKeys;
pub use proof::{Expected, NonceRule, NonceSeen, Proof, UnverifiedProof};

#[cfg(test)]
mod tests;
