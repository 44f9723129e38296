//! The checks of one proof, each once, and the walk over them.
//!
//! Two walk: whoever admits a request stops at the first fault, whoever explains a refusal hears them
//! all. What is checked and in which order is the same for both, because it is the same code.

use super::{
    fault::ProofFault,
    nonce::NonceVerdict,
    proof::{Expected, LONGEST, NonceRule, NonceSeen},
};
use crate::{
    base::timestamp::Timestamp,
    oauth::jose::{
        Alg, ClaimedKey, PublicKey,
        compact::{self, Compact, Part},
        json::Object,
        numeric_date,
    },
};

/// The longest `jti`; it is hashed once per request and never stored.
const LONGEST_JTI: usize = 256;

/// How much of the expected `htu` a description shows.
const LONGEST_SHOWN: usize = 256;

/// What a verdict is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// One JWS, not too long, canonical, its JSON readable in one way.
    Form,
    /// What kind of JWT it is.
    Typ,
    /// What it is signed with.
    Alg,
    /// Extensions that must be understood.
    Crit,
    /// The public key inside.
    Jwk,
    /// The signature, in form and in truth.
    Signature,
    /// The method.
    Htm,
    /// The time of signing, as a number.
    Iat,
    /// The nonce.
    Nonce,
    /// The time of signing, against our clock.
    Clock,
    /// An end, if it has one.
    Exp,
    /// A beginning, if it has one.
    Nbf,
    /// Its own name.
    Jti,
    /// The token it goes with.
    Ath,
    /// The address.
    Htu,
}

/// Who hears the verdicts of a walk. `Err` ends it; `None` says that a value is missing, and the
/// walk goes on with what does not need it.
pub(super) trait Ears {
    fn hear<T>(
        &mut self,
        check: Check,
        verdict: Result<T, ProofFault>,
    ) -> Result<Option<T>, ProofFault>;

    /// The members that are judged next, for whoever shows them.
    fn see(&mut self, _: Part, _: &Object<'_>) {}
}

/// Ends the walk at the first fault: a stranger's bad proof must cost us as little as it can.
pub(super) struct FirstFault;

impl Ears for FirstFault {
    #[inline]
    fn hear<T>(
        &mut self,
        _: Check,
        verdict: Result<T, ProofFault>,
    ) -> Result<Option<T>, ProofFault> {
        verdict.map(Some)
    }
}

/// What a walk has found; a part is missing where something in it was wrong.
#[derive(Debug, Default)]
pub(super) struct Walked<'a> {
    pub(super) signed: Option<Signed<'a>>,
    pub(super) claimed: Option<(String, Timestamp, NonceSeen)>,
}

/// A signature that nobody has verified yet, with what it should be verified by.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    alg: Alg,
    key: ClaimedKey,
    input: &'a [u8],
    signature: [u8; 64],
}

impl Signed<'_> {
    /// The key that the proof claims.
    pub(super) fn key(&self) -> &ClaimedKey {
        &self.key
    }

    /// Whether the signature is this key's. The caller has seen to it that it is the claimed one.
    pub(super) fn verify(&self, key: &PublicKey) -> Result<(), ProofFault> {
        key.verify(self.alg, self.input, &self.signature).map_err(|_| ProofFault::Signature)
    }
}

/// Every check that costs no signature, cheapest first.
pub(super) fn walk<'a>(
    proof: &'a [u8],
    expected: &Expected<'_>,
    ears: &mut impl Ears,
) -> Result<Walked<'a>, ProofFault> {
    let jws = ears.hear(Check::Form, Compact::split(proof, LONGEST).map_err(Into::into))?;
    let Some(jws) = jws else { return Ok(Walked::default()) };
    let header = walk_header(&jws, ears)?;
    let signature = ears.hear(Check::Signature, jws.signature().ok_or(ProofFault::Signature))?;
    let claimed = walk_claims(&jws, expected, ears)?;
    let signed = header.zip(signature).map(|((alg, key), signature)| Signed {
        alg,
        key,
        input: jws.signing_input(),
        signature,
    });
    Ok(Walked { signed, claimed })
}

fn walk_header(
    jws: &Compact<'_>,
    ears: &mut impl Ears,
) -> Result<Option<(Alg, ClaimedKey)>, ProofFault> {
    let header = ears.hear(Check::Form, jws.header().map_err(Into::into))?;
    let Some(header) = header else { return Ok(None) };
    let header = compact::object(&header, Part::Header).map_err(Into::into);
    let Some(header) = ears.hear(Check::Form, header)? else { return Ok(None) };
    ears.see(Part::Header, &header);
    ears.hear(Check::Typ, compact::check_typ(&header, "dpop+jwt").map_err(Into::into))?;
    let alg = ears.hear(Check::Alg, compact::read_alg(&header).map_err(Into::into))?;
    ears.hear(Check::Crit, compact::check_crit(&header).map_err(Into::into))?;
    let key = ears.hear(Check::Jwk, ClaimedKey::read(header.get("jwk")).map_err(Into::into))?;
    let Some((alg, key)) = alg.zip(key) else { return Ok(None) };
    let fits = key.kind() == alg.key_kind();
    let fitting = if fits { Ok((alg, key)) } else { Err(ProofFault::KeyForOtherAlg) };
    ears.hear(Check::Jwk, fitting)
}

fn walk_claims(
    jws: &Compact<'_>,
    expected: &Expected<'_>,
    ears: &mut impl Ears,
) -> Result<Option<(String, Timestamp, NonceSeen)>, ProofFault> {
    let payload = ears.hear(Check::Form, jws.payload().map_err(Into::into))?;
    let Some(payload) = payload else { return Ok(None) };
    let claims = compact::object(&payload, Part::Payload).map_err(Into::into);
    let Some(claims) = ears.hear(Check::Form, claims)? else { return Ok(None) };
    ears.see(Part::Payload, &claims);
    ears.hear(Check::Htm, check_method(&claims, expected))?;
    let time = walk_time(&claims, expected, ears)?;
    let jti = ears.hear(Check::Jti, jti(&claims))?;
    ears.hear(Check::Ath, check_token(&claims, expected))?;
    ears.hear(Check::Htu, check_htu(&claims, expected))?;
    Ok(jti.zip(time).map(|(jti, (issued_at, nonce))| (jti, issued_at, nonce)))
}

fn walk_time(
    claims: &Object<'_>,
    expected: &Expected<'_>,
    ears: &mut impl Ears,
) -> Result<Option<(Timestamp, NonceSeen)>, ProofFault> {
    let issued_at = claims.get("iat").and_then(numeric_date::read).ok_or(ProofFault::Iat);
    let issued_at = ears.hear(Check::Iat, issued_at)?;
    let nonce = ears.hear(Check::Nonce, read_nonce(claims, expected))?;
    let now = match (issued_at, nonce) {
        // A valid nonce says that the proof was signed just now, so `iat` is now on the caller's clock.
        (Some(issued_at), Some(NonceSeen::Current | NonceSeen::Old)) => issued_at,
        (Some(issued_at), Some(NonceSeen::None)) => {
            if let NonceRule::Required(..) = expected.nonces {
                ears.hear::<()>(Check::Nonce, Err(ProofFault::NonceMissing))?;
            } else {
                ears.hear(Check::Clock, check_clock(issued_at, expected))?;
            }
            expected.now
        }
        _ => expected.now,
    };
    let time = |name, fault: ProofFault| match claims.get(name) {
        None => Ok(None),
        Some(value) => numeric_date::read(value).map(Some).ok_or(fault),
    };
    let ended = time("exp", ProofFault::Exp).and_then(|exp| match exp {
        Some(exp) if exp <= now => Err(ProofFault::Exp),
        _ => Ok(()),
    });
    ears.hear(Check::Exp, ended)?;
    let begun = time("nbf", ProofFault::Nbf).and_then(|nbf| match nbf {
        Some(nbf) if nbf > now.plus(expected.window) => Err(ProofFault::Nbf),
        _ => Ok(()),
    });
    ears.hear(Check::Nbf, begun)?;
    Ok(issued_at.zip(nonce))
}

fn read_nonce(claims: &Object<'_>, expected: &Expected<'_>) -> Result<NonceSeen, ProofFault> {
    let nonce = claims.text("nonce").map_err(|_| ProofFault::NonceKind)?;
    let (NonceRule::WhenClockIsOff(keys, side) | NonceRule::Required(keys, side)) = expected.nonces
    else {
        return Ok(NonceSeen::None);
    };
    match nonce.map(|nonce| keys.judge(side, nonce, expected.now)) {
        Some(NonceVerdict::Current) => Ok(NonceSeen::Current),
        Some(NonceVerdict::Old) => Ok(NonceSeen::Old),
        // Never ignored: a proof dated an hour ahead was good once, with its nonce. Copied, it
        // would be good again by its `iat` in an hour, when its use is long forgotten.
        Some(NonceVerdict::Refused) => Err(ProofFault::NonceStale),
        None => Ok(NonceSeen::None),
    }
}

fn check_method(claims: &Object<'_>, expected: &Expected<'_>) -> Result<(), ProofFault> {
    match claims.required_text("htm") {
        Some(method) if method == expected.method => Ok(()),
        _ => Err(ProofFault::Htm { expected: shown(expected.method) }),
    }
}

/// `iat` against our clock, where no valid nonce stands in for it.
fn check_clock(issued_at: Timestamp, expected: &Expected<'_>) -> Result<(), ProofFault> {
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
