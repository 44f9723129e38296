//! Why a proof was refused, check by check, in words, and what to do about it.
//!
//! It asks the very checks that admit requests ([`dpop::examine`](super::dpop::examine())) and
//! changes nothing: no proof is accepted here, no `jti` is claimed, nothing is kept.

mod question;
mod service;
mod words;

pub use question::{Question, RawQuestion};
pub use service::{Explanation, Finding, Standing, explain};
