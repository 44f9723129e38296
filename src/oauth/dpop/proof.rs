//! The check of one proof: the cheap half first, the signature when everything else has passed.
//!
//! An attacker pays a few microseconds of ours per bad proof, never a signature. The caller looks at
//! the client's secret or token between the halves and claims the `jti` after the second one, so a
//! refused request never burns a `jti`.

use std::time::Duration;

use super::{
    checks::{FirstFault, Signed, walk},
    fault::ProofFault,
    htu::ExpectedHtu,
    nonce::{NonceKeys, Side},
};
use crate::{
    base::timestamp::Timestamp,
    oauth::jose::{ClaimedKey, Jkt, PublicKey, TokenHash},
};

/// The longest proof that is read at all. Real ones have 500 to 800 bytes.
pub const LONGEST: usize = 4096;

/// What the server knows about the request that the proof came with.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    /// The method of the request, as sent.
    pub method: &'a str,
    /// Where the request went.
    pub htu: &'a ExpectedHtu<'a>,
    /// Our time.
    pub now: Timestamp,
    /// How far `iat` may lie from it, to either side.
    pub window: Duration,
    /// The hash of the presented token. Without one, at the token endpoint, `ath` is not looked at.
    pub token_hash: Option<&'a TokenHash>,
    /// What a nonce is good for here.
    pub nonces: NonceRule<'a>,
    /// After a restart that forgot used proofs: the last `iat` that one of them could have had.
    pub forgotten_until: Option<Timestamp>,
}

/// Whether nonces are asked for.
#[derive(Debug, Clone, Copy)]
pub enum NonceRule<'a> {
    /// Never; one that is sent anyway is ignored.
    Off,
    /// Only where `iat` cannot be trusted; a valid one then stands in for it. One that is sent must
    /// be valid in any case.
    WhenClockIsOff(&'a NonceKeys, Side),
    /// Always.
    Required(&'a NonceKeys, Side),
}

impl NonceRule<'_> {
    /// Whether nonces are not looked at.
    pub const fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }
}

/// What the proof said about its nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceSeen {
    /// None, or nonces are off.
    None,
    /// The current one.
    Current,
    /// An older one: the answer should carry the current one.
    Old,
}

/// The one `DPoP` header of a request. Two of them are refused even when they are equal.
pub fn only_header<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Result<&'a [u8], ProofFault> {
    let first = values.next().ok_or(ProofFault::Missing)?;
    if values.next().is_some() { Err(ProofFault::Repeated) } else { Ok(first) }
}

/// A proof that fits its request, if its signature turns out to be good.
#[derive(Debug)]
#[must_use = "a proof without a verified signature proves nothing"]
pub struct UnverifiedProof<'a> {
    signed: Signed<'a>,
    accepted: Proof,
}

/// A proof whose every check has passed, except that its `jti` is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The key that signed.
    pub jkt: Jkt,
    /// To be claimed, once, for this key.
    pub jti: String,
    /// When it says it was signed.
    pub issued_at: Timestamp,
    /// What it says about the nonce.
    pub nonce: NonceSeen,
}

/// The first half: everything that costs no signature, cheapest first, up to the first fault.
pub fn read<'a>(
    header: &'a [u8],
    expected: &Expected<'_>,
) -> Result<UnverifiedProof<'a>, ProofFault> {
    let walked = walk(header, expected, &mut FirstFault)?;
    match (walked.signed, walked.claimed) {
        (Some(signed), Some((jti, issued_at, nonce))) => {
            let accepted = Proof { jkt: signed.key().thumbprint(), jti, issued_at, nonce };
            Ok(UnverifiedProof { signed, accepted })
        }
        // A walk that ends at its first fault either ends there or has found everything.
        _ => Err(ProofFault::Signature),
    }
}

impl UnverifiedProof<'_> {
    /// The thumbprint of the key that the proof claims: enough to ask whose key it is.
    pub fn jkt(&self) -> &Jkt {
        &self.accepted.jkt
    }

    /// The key itself, for the first time that its thumbprint is seen.
    pub fn claimed_key(&self) -> &ClaimedKey {
        self.signed.key()
    }

    /// At a resource: the key must be the one in the token's `cnf`, or a stolen token could be used
    /// with the thief's key.
    pub fn must_be_bound_to(&self, jkt: &Jkt) -> Result<(), ProofFault> {
        if self.jkt() == jkt { Ok(()) } else { Err(ProofFault::KeyNotBound) }
    }

    /// The second half: the signature, with the prepared key of this thumbprint.
    pub fn verify(self, key: &PublicKey) -> Result<Proof, ProofFault> {
        if key.jkt() != self.jkt() {
            return Err(ProofFault::Signature);
        }
        self.signed.verify(key).map(|()| self.accepted)
    }
}
