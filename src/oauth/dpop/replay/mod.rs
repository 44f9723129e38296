//! Which proofs have been used: one small question with one atomic answer.
//!
//! The claim is the last step of a request's checks. A record lives for five minutes from the claim,
//! longer than any proof can stay valid, whatever its `iat` said; live records are never dropped to
//! make room. When there is no room or no answer, requests are refused: a forgotten proof can be
//! used twice, a refused one only has to be signed again.

mod key;
mod memory;

use std::time::Duration;

pub use key::{ReplayKey, ReplayKeyer};
pub use memory::{MemoryLimits, MemoryReplay};

use crate::{base::timestamp::Timestamp, oauth::jose::Jkt};

/// How long a use is remembered (the published API says that `jti` is unique for five minutes). It
/// also covers the five steps for which a nonce can stand in for `iat`.
pub const LIFE: Duration = Duration::from_mins(5);

/// One use of a proof.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The proof, by key and `jti`.
    pub key: ReplayKey,
    /// Whose it is, for the quota.
    pub jkt: Jkt,
    /// When it is used.
    pub now: Timestamp,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Never seen: this caller, and no other, may go on.
    Fresh,
    /// Used before.
    Replayed,
    /// No room for anybody: 503, since forgetting an older proof is not a choice.
    Full,
    /// This key has used up its share: 429, for it alone.
    QuotaSpent,
}

/// The store did not answer; the request must be refused.
#[derive(Debug, thiserror::Error)]
#[error("the record of used proofs does not answer")]
pub struct StoreDown(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The homes of the record.
#[derive(Debug)]
pub enum ReplayStore {
    /// In this process, for one replica.
    Memory(MemoryReplay),
}

impl ReplayStore {
    /// Claims a proof. Of any number of callers with one proof, exactly one hears `Fresh`.
    #[expect(clippy::unused_async, reason = "the shared homes wait for an answer")]
    pub async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreDown> {
        match self {
            Self::Memory(memory) => Ok(memory.claim(claim)),
        }
    }
}
