//! The check of one proof: the cheap half first, the signature when everything else has passed.
//!
//! An attacker pays a few microseconds of ours per bad proof, never a signature. The caller looks at
//! the client's secret or token between the halves and claims the `jti` after the second one, so a
//! refused request never burns a `jti`.

use std::time::Duration;

use super::{
    fault::ProofFault,
    htu::ExpectedHtu,
    nonce::{NonceKeys, NonceVerdict, Side},
};
use crate::{
    base::timestamp::Timestamp,
    oauth::jose::{
        Alg, ClaimedKey, Jkt, PublicKey, TokenHash,
        compact::{self, Compact, Part},
        json::Object,
        numeric_date,
    },
};

/// The longest proof that is read at all. Real ones have 500 to 800 bytes.
pub const LONGEST: usize = 4096;

/// The longest `jti`; it is hashed once per request and never stored.
const LONGEST_JTI: usize = 256;

/// How much of the expected `htu` a description shows.
const LONGEST_SHOWN: usize = 256;

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
    alg: Alg,
    claimed: ClaimedKey,
    signing_input: &'a [u8],
    signature: [u8; 64],
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

/// The first half: everything that costs no signature, cheapest first.
pub fn read<'a>(
    header: &'a [u8],
    expected: &Expected<'_>,
) -> Result<UnverifiedProof<'a>, ProofFault> {
    let jws = Compact::split(header, LONGEST)?;
    let signature = jws.signature().ok_or(ProofFault::Signature);
    let header = jws.header()?;
    let header = compact::object(&header, Part::Header)?;
    let alg = compact::check_header(&header, "dpop+jwt")?;
    let claimed = ClaimedKey::read(header.get("jwk"))?;
    if claimed.kind() != alg.key_kind() {
        return Err(ProofFault::KeyForOtherAlg);
    }
    let signature = signature?;
    let payload = jws.payload()?;
    let claims = compact::object(&payload, Part::Payload)?;
    check_method(&claims, expected)?;
    let (issued_at, nonce) = check_time(&claims, expected)?;
    let jti = jti(&claims)?;
    check_token(&claims, expected)?;
    check_htu(&claims, expected)?;
    let accepted = Proof { jkt: claimed.thumbprint(), jti, issued_at, nonce };
    Ok(UnverifiedProof { alg, claimed, signing_input: jws.signing_input(), signature, accepted })
}

impl UnverifiedProof<'_> {
    /// The thumbprint of the key that the proof claims: enough to ask whose key it is.
    pub fn jkt(&self) -> &Jkt {
        &self.accepted.jkt
    }

    /// The key itself, for the first time that its thumbprint is seen.
    pub fn claimed_key(&self) -> &ClaimedKey {
        &self.claimed
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
        match key.verify(self.alg, self.signing_input, &self.signature) {
            Ok(()) => Ok(self.accepted),
            Err(_) => Err(ProofFault::Signature),
        }
    }
}

fn check_method(claims: &Object<'_>, expected: &Expected<'_>) -> Result<(), ProofFault> {
    match claims.required_text("htm") {
        Some(method) if method == expected.method => Ok(()),
        _ => Err(ProofFault::Htm { expected: shown(expected.method) }),
    }
}

fn check_time(
    claims: &Object<'_>,
    expected: &Expected<'_>,
) -> Result<(Timestamp, NonceSeen), ProofFault> {
    let issued_at = claims.get("iat").and_then(numeric_date::read).ok_or(ProofFault::Iat)?;
    let nonce = claims.text("nonce").map_err(|_| ProofFault::NonceKind)?;
    let seen = match expected.nonces {
        NonceRule::Off => NonceSeen::None,
        NonceRule::WhenClockIsOff(keys, side) | NonceRule::Required(keys, side) => {
            match nonce.map(|nonce| keys.judge(side, nonce, expected.now)) {
                Some(NonceVerdict::Current) => NonceSeen::Current,
                Some(NonceVerdict::Old) => NonceSeen::Old,
                // Never ignored: a proof dated an hour ahead was good once, with its nonce. Copied, it
                // would be good again by its `iat` in an hour, when its use is long forgotten.
                Some(NonceVerdict::Refused) => return Err(ProofFault::NonceStale),
                None => NonceSeen::None,
            }
        }
    };
    // A valid nonce says that the proof was signed just now, so `iat` is now on the caller's clock.
    let now = if seen == NonceSeen::None {
        check_clock(issued_at, expected)?;
        expected.now
    } else {
        issued_at
    };
    let time = |name, fault: ProofFault| match claims.get(name) {
        None => Ok(None),
        Some(value) => numeric_date::read(value).map(Some).ok_or(fault),
    };
    if time("exp", ProofFault::Exp)?.is_some_and(|exp| exp <= now) {
        return Err(ProofFault::Exp);
    }
    if time("nbf", ProofFault::Nbf)?.is_some_and(|nbf| nbf > now.plus(expected.window)) {
        return Err(ProofFault::Nbf);
    }
    Ok((issued_at, seen))
}

/// `iat` against our clock, where no valid nonce stands in for it.
fn check_clock(issued_at: Timestamp, expected: &Expected<'_>) -> Result<(), ProofFault> {
    if let NonceRule::Required(..) = expected.nonces {
        return Err(ProofFault::NonceMissing);
    }
    // Callers cut their time to seconds, so ours is cut too where they seem late: the edge counts as
    // inside for the whole second.
    let second = Timestamp::from_unix_seconds(expected.now.unix_seconds());
    let late = issued_at < second.minus(expected.window);
    let early = issued_at > expected.now.plus(expected.window);
    let nonces_help = matches!(expected.nonces, NonceRule::WhenClockIsOff(..));
    if late || early {
        let ahead = issued_at.unix_seconds().saturating_sub(expected.now.unix_seconds());
        return Err(if nonces_help {
            ProofFault::NonceForClock { ahead }
        } else {
            ProofFault::IatWindow { ahead, window: expected.window }
        });
    }
    if expected.forgotten_until.is_some_and(|until| issued_at <= until) {
        let asks = if nonces_help { ProofFault::NonceMissing } else { ProofFault::BeforeStart };
        return Err(asks);
    }
    Ok(())
}

fn jti(claims: &Object<'_>) -> Result<String, ProofFault> {
    match claims.required_text("jti") {
        Some(jti) if (1..=LONGEST_JTI).contains(&jti.len()) => Ok(jti.to_owned()),
        _ => Err(ProofFault::Jti),
    }
}

fn check_token(claims: &Object<'_>, expected: &Expected<'_>) -> Result<(), ProofFault> {
    let Some(token_hash) = expected.token_hash else { return Ok(()) };
    match claims.get("ath") {
        None => Err(ProofFault::AthMissing),
        Some(_) if claims.required_text("ath") == Some(token_hash.as_str()) => Ok(()),
        Some(_) => Err(ProofFault::Ath),
    }
}

fn check_htu(claims: &Object<'_>, expected: &Expected<'_>) -> Result<(), ProofFault> {
    let htu = claims.required_text("htu").unwrap_or_default();
    match expected.htu.matches(htu) {
        Ok(true) => Ok(()),
        Ok(false) => Err(ProofFault::Htu { expected: shown(expected.htu) }),
        Err(fault) => Err(ProofFault::HtuUnreadable { fault, expected: shown(expected.htu) }),
    }
}

/// Something about the request for a description: not too long, and only in letters that may stand
/// in a header between quotation marks, so that a request cannot write headers of ours.
fn shown(what: &(impl ToString + ?Sized)) -> String {
    let mut text = what.to_string();
    text.retain(|letter| matches!(letter, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e'));
    if text.len() > LONGEST_SHOWN {
        text.truncate(LONGEST_SHOWN);
        text.push_str("...");
    }
    text
}
