//! Every verdict about one proof, for whoever wants to know why it was refused.
//!
//! An examination accepts nothing: no [`Proof`](super::Proof) comes out of it, and no `jti` is claimed.

use super::{
    Check, ProofFault,
    checks::{Ears, walk},
    proof::Expected,
};
use crate::{
    base::timestamp::Timestamp,
    oauth::jose::{
        ClaimedKey, Jkt, JwkFault, PublicJwk, PublicKey, compact::Part, json::Object, numeric_date,
    },
};

/// What was found. Whoever pasted the proof knows its words, so they may be shown to them.
#[derive(Debug, Default)]
pub struct Examined {
    /// Each verdict in the order of the checks.
    pub verdicts: Vec<(Check, Result<(), ProofFault>)>,
    /// The verdict about point and signature, which is found last; none where a part was missing.
    pub signature: Option<Result<(), ProofFault>>,
    /// What it says.
    pub said: Said,
    /// The thumbprint of its key, if the key can be read.
    pub jkt: Option<Jkt>,
}

/// What a proof says, as far as it can be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// `typ`.
    pub typ: Option<String>,
    /// `alg`.
    pub alg: Option<String>,
    /// `htm`.
    pub htm: Option<String>,
    /// `htu`.
    pub htu: Option<String>,
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// `jti`.
    pub jti: Option<String>,
    /// Whether there is an `ath`.
    pub has_ath: bool,
    /// Whether there is a `nonce`.
    pub has_nonce: bool,
}

/// Makes every check that needs no memory of earlier proofs, the signature included. Costs more than
/// [`read`](super::proof::read) with a bad proof: a signature and the check of a point.
pub fn examine(proof: &[u8], expected: &Expected<'_>) -> Examined {
    let mut all = Everything::default();
    // It never ends early: whoever hears everything refuses nothing.
    let walked = walk(proof, expected, &mut all).unwrap_or_default();
    let mut examined = all.0;
    if let Some(signed) = &walked.signed {
        examined.jkt = Some(signed.key().thumbprint());
        let key = prepared(signed.key()).map_err(ProofFault::from);
        examined.signature = Some(key.and_then(|key| signed.verify(&key)));
    }
    examined
}

/// Not from the cache of prepared keys: whoever pastes keys must not push out those that are in use.
fn prepared(claimed: &ClaimedKey) -> Result<PublicKey, JwkFault> {
    PublicKey::new(PublicJwk::import(claimed)?)
}

impl Examined {
    /// The first fault of a check.
    pub fn fault(&self, check: Check) -> Option<&ProofFault> {
        let mut of_check = self.verdicts.iter().filter(|(about, _)| *about == check);
        of_check.find_map(|(_, verdict)| verdict.as_ref().err())
    }

    /// Whether a check was made at all: some need what an earlier one has not found.
    pub fn was_made(&self, check: Check) -> bool {
        self.verdicts.iter().any(|(about, _)| *about == check)
    }

    /// What a refusal names: the first fault.
    pub fn first_fault(&self) -> Option<&ProofFault> {
        let mut verdicts = self.verdicts.iter().map(|(_, verdict)| verdict).chain(&self.signature);
        verdicts.find_map(|verdict| verdict.as_ref().err())
    }
}

/// Hears every verdict, and notes what the proof says.
#[derive(Default)]
struct Everything(Examined);

impl Ears for Everything {
    fn hear<T>(
        &mut self,
        check: Check,
        verdict: Result<T, ProofFault>,
    ) -> Result<Option<T>, ProofFault> {
        let (value, told) = match verdict {
            Ok(value) => (Some(value), Ok(())),
            Err(fault) => (None, Err(fault)),
        };
        self.0.verdicts.push((check, told));
        Ok(value)
    }

    fn see(&mut self, part: Part, object: &Object<'_>) {
        let text = |name| object.required_text(name).map(str::to_owned);
        let said = &mut self.0.said;
        match part {
            Part::Header => {
                (said.typ, said.alg) = (text("typ"), text("alg"));
            }
            Part::Payload => {
                (said.htm, said.htu, said.jti) = (text("htm"), text("htu"), text("jti"));
                said.issued_at = object.get("iat").and_then(numeric_date::read);
                said.has_ath = object.get("ath").is_some();
                said.has_nonce = object.get("nonce").is_some();
            }
        }
    }
}
