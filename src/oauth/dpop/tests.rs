//! The cases of a single proof, named as in the catalogue.

use std::time::Duration;

use ed25519_dalek::Signer as _;
use proptest::prelude::*;

use super::{
    Endpoint, Expected, ExpectedHtu, NonceKeys, NonceRule, NonceSeen, Proof, ProofFault,
    PublicBase, examine, nonce::Side, proof,
};
use crate::{
    base::{random::Random, secret::Secret, timestamp::Timestamp},
    oauth::jose::{
        Jkt, JwkFault, PublicJwk, PublicKey, TokenHash, base64url, compact::Part, json::JsonFault,
    },
};

const NOW: i64 = 1_562_262_616;
const WINDOW: Duration = Duration::from_mins(1);

/// A caller with one key, who can be told to write nonsense.
struct Caller {
    secret: p256::ecdsa::SigningKey,
    key: PublicKey,
    header: String,
    claims: String,
}

impl Caller {
    fn new() -> Self {
        let secret = p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap();
        let public = p256::PublicKey::from(secret.verifying_key());
        let key = PublicKey::new(PublicJwk::from_p256(&public).unwrap()).unwrap();
        let jwk = serde_json::to_string(key.jwk()).unwrap();
        Self {
            secret,
            key,
            header: format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#),
            claims: format!(
                r#"{{"jti":"j","htm":"POST","htu":"https://as.example/oauth/token","iat":{NOW}}}"#
            ),
        }
    }

    fn header(mut self, from: &str, to: &str) -> Self {
        assert!(self.header.contains(from), "{from}");
        self.header = self.header.replacen(from, to, 1);
        self
    }

    fn claims(mut self, from: &str, to: &str) -> Self {
        assert!(self.claims.contains(from), "{from}");
        self.claims = self.claims.replacen(from, to, 1);
        self
    }

    fn with(self, member: &str) -> Self {
        self.claims("{", &format!("{{{member},"))
    }

    fn iat(self, iat: &str) -> Self {
        self.claims(&format!("\"iat\":{NOW}"), &format!("\"iat\":{iat}"))
    }

    fn proof(&self) -> String {
        use p256::ecdsa::signature::Signer;
        let input =
            format!("{}.{}", base64url::encode(&self.header), base64url::encode(&self.claims));
        let signature: p256::ecdsa::Signature = self.secret.sign(input.as_bytes());
        format!("{input}.{}", base64url::encode(signature.to_bytes()))
    }

    fn judge(&self) -> Result<Proof, ProofFault> {
        judge(&self.proof(), &self.key)
    }
}

fn with_expected<T>(then: impl FnOnce(Expected<'_>) -> T) -> T {
    let bases = [PublicBase::parse("https://as.example").unwrap()];
    let htu = ExpectedHtu::new(&bases, "/oauth/token").unwrap();
    then(Expected {
        method: "POST",
        htu: &htu,
        now: Timestamp::from_unix_seconds(NOW),
        window: WINDOW,
        token_hash: None,
        nonces: NonceRule::Off,
        forgotten_until: None,
    })
}

fn judge(proof: &str, key: &PublicKey) -> Result<Proof, ProofFault> {
    with_expected(|expected| judge_by(proof, &expected, key))
}

/// The verdict that counts; the explanation must agree with it, whatever the proof is.
fn judge_by(proof: &str, expected: &Expected<'_>, key: &PublicKey) -> Result<Proof, ProofFault> {
    let explained = examine(proof.as_bytes(), expected);
    let verdict = proof::read(proof.as_bytes(), expected).and_then(|read| read.verify(key));
    assert_eq!(explained.first_fault(), verdict.as_ref().err(), "{proof}");
    verdict
}

fn json(part: Part, fault: JsonFault) -> ProofFault {
    ProofFault::Json { part, fault }
}

#[test]
fn a_good_proof_is_good() {
    let caller = Caller::new();
    let proof = caller.judge().unwrap();
    assert_eq!((proof.jkt, proof.jti.as_str()), (*caller.key.jkt(), "j"));
    assert_eq!(proof.nonce, NonceSeen::None);
    for alg in ["EdDSA", "Ed25519"] {
        let secret = ed25519_dalek::SigningKey::from_bytes(&[4; 32]);
        let key =
            PublicKey::new(PublicJwk::from_ed25519(&secret.verifying_key()).unwrap()).unwrap();
        let jwk = serde_json::to_string(key.jwk()).unwrap();
        let header = format!(r#"{{"typ":"dpop+jwt","alg":"{alg}","jwk":{jwk}}}"#);
        let input = format!("{}.{}", base64url::encode(header), base64url::encode(&caller.claims));
        let signature = base64url::encode(secret.sign(input.as_bytes()).to_bytes());
        assert_eq!(judge(&format!("{input}.{signature}"), &key).unwrap().jkt, *key.jkt());
    }
}

#[test]
fn one_header_no_more_no_less() {
    let of = |values: &[&'static str]| proof::only_header(values.iter().map(|v| v.as_bytes()));
    assert_eq!(of(&["x"]), Ok(b"x".as_slice()));
    assert_eq!(of(&[]), Err(ProofFault::Missing));
    assert_eq!(of(&["x", "x"]), Err(ProofFault::Repeated));
}

#[test]
fn shapes_and_encodings() {
    let caller = Caller::new();
    let good = caller.proof();
    let (input, signature) = good.rsplit_once('.').unwrap();
    // P2, P4, P5
    for bad in ["", ",", "x", "a.b", "a.b.c.d", "a.b.c.d.e", r#"{"payload":""}"#] {
        assert_eq!(judge(bad, &caller.key), Err(ProofFault::NotCompact), "{bad}");
    }
    assert_eq!(judge(&format!("{good},{good}"), &caller.key), Err(ProofFault::NotCompact));
    // P6, P7
    let (header, claims) = input.split_once('.').unwrap();
    for bad in [
        format!("{header}=.{claims}.{signature}"),
        format!("+{header}.{claims}.{signature}"),
        format!("{header}.{} {}.{signature}", &claims[..4], &claims[4..]),
        format!("{header}.{claims}\n.{signature}"),
    ] {
        assert_eq!(judge(&bad, &caller.key), Err(ProofFault::Encoding), "{bad}");
    }
    for letter in ['B', 'x', '='] {
        let bad = format!("{}{letter}", &good[..good.len() - 1]);
        assert_eq!(judge(&bad, &caller.key), Err(ProofFault::Signature), "{letter}");
    }
    assert_eq!(judge(&format!("{input}."), &caller.key), Err(ProofFault::Signature));
    // P12: the limit itself is inside.
    let long = "x".repeat(proof::LONGEST + 1);
    assert_eq!(judge(&long, &caller.key), Err(ProofFault::TooLong));
    assert_eq!(judge(&long[1..], &caller.key), Err(ProofFault::NotCompact));
}

#[test]
fn headers() {
    let header = |from: &str, to: &str| Caller::new().header(from, to).judge();
    let typ = "\"typ\":\"dpop+jwt\"";
    // P8, P10
    for whole in ["1", "[]", "x", ""] {
        let fault = json(Part::Header, JsonFault::NotAnObject);
        let caller = Caller { header: whole.to_owned(), ..Caller::new() };
        assert_eq!(caller.judge(), Err(fault), "{whole}");
    }
    let twice = Err(json(Part::Header, JsonFault::Duplicate));
    assert_eq!(header("{", "{\"alg\":\"ES256\","), twice);
    assert_eq!(header("\"kty\":\"EC\"", "\"kty\":\"EC\",\"kty\":\"EC\""), twice);
    assert_eq!(
        header(typ, &format!("{typ},\"a\":{}", "[".repeat(9) + &"]".repeat(9))),
        Err(json(Part::Header, JsonFault::TooDeep))
    );
    // P13 to P18
    assert_eq!(header("dpop+jwt", "JWT"), Err(ProofFault::Typ));
    assert!(header("dpop+jwt", "application/DPOP+JWT").is_ok());
    for alg in ["none", "HS256", "RS256", "PS256", "ES384", "ES256K", "ML-DSA-65"] {
        assert_eq!(header("ES256", alg), Err(ProofFault::Alg), "{alg}");
    }
    // P19 to P23
    assert_eq!(header("ES256", "EdDSA"), Err(ProofFault::KeyForOtherAlg));
    assert_eq!(header("P-256", "P-384"), Err(ProofFault::Jwk(JwkFault::Kind)));
    assert_eq!(header("\"jwk\"", "\"jwx\""), Err(ProofFault::Jwk(JwkFault::NotAnObject)));
    let ec = "\"kty\":\"EC\"";
    for (member, fault) in [
        ("\"d\":\"AA\"", JwkFault::Private),
        ("\"k\":\"AA\"", JwkFault::Private),
        ("\"alg\":\"EdDSA\"", JwkFault::Purpose),
        ("\"use\":\"enc\"", JwkFault::Purpose),
    ] {
        assert_eq!(header(ec, &format!("{ec},{member}")), Err(ProofFault::Jwk(fault)), "{member}");
    }
    // P31
    for crit in ["[\"exp\"]", "[]", "1"] {
        assert_eq!(header(typ, &format!("{typ},\"crit\":{crit}")), Err(ProofFault::Crit), "{crit}");
    }
    // P32, P33
    let beside = "\"kid\":\"k\",\"jku\":\"http://x\",\"x5u\":\"http://x\",\"x5c\":[],\"new\":{}";
    assert!(header(typ, &format!("{typ},{beside}")).is_ok());
}

#[test]
fn claims() {
    let claims = |from: &str, to: &str| Caller::new().claims(from, to).judge();
    // P9, P10
    for whole in ["1", "[]", "\"x\"", ""] {
        let caller = Caller { claims: whole.to_owned(), ..Caller::new() };
        assert_eq!(caller.judge(), Err(json(Part::Payload, JsonFault::NotAnObject)), "{whole}");
    }
    let twice = Err(json(Part::Payload, JsonFault::Duplicate));
    assert_eq!(Caller::new().with("\"jti\":\"k\"").judge(), twice);
    assert!(Caller::new().with("\"new\":[1,{}]").judge().is_ok());
    // P34, P35
    for jti in ["1", "null", "\"\"", "[\"a\"]", &format!("\"{}\"", "x".repeat(257))] {
        assert_eq!(claims("\"j\"", jti), Err(ProofFault::Jti), "{jti}");
    }
    for jti in ["x".repeat(11), "x".repeat(256), "\u{e4}\u{1f511}".to_owned()] {
        assert_eq!(claims("\"j\"", &format!("\"{jti}\"")).unwrap().jti, jti);
    }
    // P36
    for htm in ["\"GET\"", "\"post\"", "\"POST \"", "[\"POST\"]", "null"] {
        let fault = ProofFault::Htm { expected: "POST".to_owned() };
        assert_eq!(claims("\"POST\"", htm), Err(fault), "{htm}");
    }
    // P37 to P39; the table of spellings is beside the normaliser.
    let htu = "\"https://as.example/oauth/token\"";
    for bad in ["1", "[]", "\"\"", "\"/oauth/token\"", "\"https://u@as.example/oauth/token\""] {
        let refused = claims(htu, bad);
        assert!(matches!(refused, Err(ProofFault::HtuUnreadable { .. })), "{bad}");
    }
    let expected = "https://as.example/oauth/token".to_owned();
    let other = claims(htu, "\"https://as.example/v1\"");
    assert_eq!(other, Err(ProofFault::Htu { expected }));
}

#[test]
fn the_clock() {
    // P53, P55, P57
    for offset in [-60, -59, -10, 0, 10, 60] {
        assert!(Caller::new().iat(&(NOW + offset).to_string()).judge().is_ok(), "{offset}");
    }
    for iat in [format!("{NOW}.5"), format!("{}.0", NOW - 60), format!("{NOW}000e-3")] {
        assert!(Caller::new().iat(&iat).judge().is_ok(), "{iat}");
    }
    // P54, P56
    for offset in [-61, 61, -3_600, 3_600] {
        let fault = ProofFault::IatWindow { ahead: offset, window: WINDOW };
        assert_eq!(Caller::new().iat(&(NOW + offset).to_string()).judge(), Err(fault));
    }
    for iat in [format!("{NOW}000"), format!("{}.000001", NOW + 60)] {
        let refused = Caller::new().iat(&iat).judge();
        assert!(matches!(refused, Err(ProofFault::IatWindow { .. })), "{iat}");
    }
    // P52
    for iat in [&format!("\"{NOW}\""), "null", "true", "1e400", "-1", "[1]"] {
        assert_eq!(Caller::new().iat(iat).judge(), Err(ProofFault::Iat), "{iat}");
    }
    assert_eq!(Caller::new().claims("\"iat\"", "\"iax\"").judge(), Err(ProofFault::Iat));
    let nan = Caller::new().iat("NaN").judge();
    assert_eq!(nan, Err(json(Part::Payload, JsonFault::NotAnObject)));
    // P58, P59
    let with =
        |name: &str, value: String| Caller::new().with(&format!("\"{name}\":{value}")).judge();
    for exp in [(NOW - 1).to_string(), NOW.to_string(), "\"9\"".to_owned(), "null".to_owned()] {
        assert_eq!(with("exp", exp.clone()), Err(ProofFault::Exp), "{exp}");
    }
    for nbf in [(NOW + 61).to_string(), "\"9\"".to_owned(), "false".to_owned()] {
        assert_eq!(with("nbf", nbf.clone()), Err(ProofFault::Nbf), "{nbf}");
    }
    assert!(with("exp", (NOW + 1).to_string()).is_ok());
    assert!(with("nbf", (NOW + 60).to_string()).is_ok());
}

#[test]
fn the_edge_of_the_window_is_inside_for_its_whole_second() {
    let caller = Caller::new().iat(&(NOW - 60).to_string());
    with_expected(|expected| {
        let at = |micros| Expected {
            now: Timestamp::from_micros(NOW * 1_000_000 + micros),
            ..expected.clone()
        };
        assert!(proof::read(caller.proof().as_bytes(), &at(999_999)).is_ok());
        let late = proof::read(caller.proof().as_bytes(), &at(1_000_000)).map(|_| ());
        assert_eq!(late, Err(ProofFault::IatWindow { ahead: -61, window: WINDOW }));
    });
}

#[test]
fn the_token() {
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let hash = TokenHash::of(token);
    let judge = |caller: Caller| {
        with_expected(|expected| {
            let expected = Expected { token_hash: Some(&hash), ..expected };
            judge_by(&caller.proof(), &expected, &caller.key)
        })
    };
    assert!(judge(Caller::new().with(&format!("\"ath\":\"{hash}\""))).is_ok());
    // R27, R28
    assert_eq!(judge(Caller::new()), Err(ProofFault::AthMissing));
    let scheme_too = TokenHash::of(&format!("DPoP {token}")).to_string();
    for bad in [format!("\"{hash}=\""), format!("\"{scheme_too}\""), "1".into(), "null".into()] {
        let refused = judge(Caller::new().with(&format!("\"ath\":{bad}")));
        assert_eq!(refused, Err(ProofFault::Ath), "{bad}");
    }
    // P74: at the token endpoint there is no token yet, whatever ath says.
    assert!(Caller::new().with("\"ath\":1").judge().is_ok());
}

#[test]
fn the_key() {
    let caller = Caller::new();
    let stranger = Caller { header: caller.header.clone(), ..Caller::new() };
    let secret = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    // P26: the header names one key, another one signed.
    let forged = Caller { secret, ..stranger };
    assert_eq!(forged.judge(), Err(ProofFault::Signature));
    with_expected(|expected| {
        let good = caller.proof();
        let proof = proof::read(good.as_bytes(), &expected).unwrap();
        let other: Jkt = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".parse().unwrap();
        assert_eq!(proof.must_be_bound_to(&other), Err(ProofFault::KeyNotBound));
        assert_eq!(proof.must_be_bound_to(caller.key.jkt()), Ok(()));
        // A cache that hands out the wrong key must not turn into an acceptance.
        let secret = ed25519_dalek::SigningKey::from_bytes(&[4; 32]);
        let jwk = PublicJwk::from_ed25519(&secret.verifying_key()).unwrap();
        let wrong = PublicKey::new(jwk).unwrap();
        assert_eq!(proof.verify(&wrong), Err(ProofFault::Signature));
    });
}

#[test]
fn nonces() {
    let keys = NonceKeys::new(Secret::new([1; 32]), None);
    let now = Timestamp::from_unix_seconds(NOW);
    let judge = |caller: &Caller, required: bool| {
        with_expected(|expected| {
            let side = Side::Authorization;
            let nonces = if required {
                NonceRule::Required(&keys, side)
            } else {
                NonceRule::WhenClockIsOff(&keys, side)
            };
            let expected = Expected { nonces, ..expected };
            judge_by(&caller.proof(), &expected, &caller.key)
        })
    };
    let nonce = |text: &str| Caller::new().with(&format!("\"nonce\":\"{text}\""));
    let seen = |verdict: Result<Proof, ProofFault>| verdict.map(|proof| proof.nonce);
    let (current, old) = (
        keys.mint(Side::Authorization, now),
        keys.mint(Side::Authorization, now.minus(Duration::from_mins(2))),
    );
    let beyond = keys.mint(Side::Authorization, now.minus(Duration::from_mins(3)));
    // P75 to P79
    assert_eq!(seen(judge(&Caller::new(), true)), Err(ProofFault::NonceMissing));
    assert_eq!(seen(judge(&nonce(&current), true)), Ok(NonceSeen::Current));
    assert_eq!(seen(judge(&nonce(&old), true)), Ok(NonceSeen::Old));
    for bad in [&beyond, "garbage", &keys.mint(Side::Resource, now)] {
        assert_eq!(seen(judge(&nonce(bad), true)), Err(ProofFault::NonceStale), "{bad}");
    }
    for required in [true, false] {
        let number = Caller::new().with("\"nonce\":1");
        assert_eq!(seen(judge(&number, required)), Err(ProofFault::NonceKind));
    }
    // P80
    assert_eq!(seen(nonce("garbage").judge()), Ok(NonceSeen::None));
    // P81: the nonce replaces iat, and exp is judged by the clock that wrote iat.
    let iat = (NOW - 3_600).to_string();
    let slow = nonce(&current).iat(&iat).with(&format!("\"exp\":{}", NOW - 3_570));
    assert_eq!(seen(judge(&slow, true)), Ok(NonceSeen::Current));
    assert_eq!(seen(judge(&slow, false)), Ok(NonceSeen::Current));
    // Only when the clock is off: no dead end, and no nonce for those who need none.
    let asked = ProofFault::NonceForClock { ahead: -3_600 };
    assert_eq!(seen(judge(&Caller::new().iat(&iat), false)), Err(asked));
    assert_eq!(seen(judge(&Caller::new(), false)), Ok(NonceSeen::None));
    // One that is sent must be good all the same, or a proof that it was once good in could come back.
    for bad in [nonce(&beyond).iat(&iat), nonce(&beyond), nonce("garbage")] {
        assert_eq!(seen(judge(&bad, false)), Err(ProofFault::NonceStale));
    }
}

#[test]
fn after_a_restart_that_forgot() {
    let keys = NonceKeys::new(Secret::new([1; 32]), None);
    let now = Timestamp::from_unix_seconds(NOW);
    let judge = |caller: Caller, nonces| {
        with_expected(|expected| {
            let forgotten_until = Some(now.plus(Duration::from_secs(30)));
            let expected = Expected { nonces, forgotten_until, ..expected };
            judge_by(&caller.proof(), &expected, &caller.key).map(|_| ())
        })
    };
    let rule = NonceRule::WhenClockIsOff(&keys, Side::Authorization);
    // P66: dated ahead and used before the restart.
    let ahead = || Caller::new().iat(&(NOW + 30).to_string());
    assert_eq!(judge(ahead(), NonceRule::Off), Err(ProofFault::BeforeStart));
    assert_eq!(judge(ahead(), rule), Err(ProofFault::NonceMissing));
    let nonce = keys.mint(Side::Authorization, now);
    assert_eq!(judge(ahead().with(&format!("\"nonce\":\"{nonce}\"")), rule), Ok(()));
    assert_eq!(judge(Caller::new().iat(&(NOW + 31).to_string()), NonceRule::Off), Ok(()));
}

#[test]
fn a_changed_proof_is_another_proof() {
    let (caller, random) = (Caller::new(), Random::seeded(3));
    let good = caller.proof().into_bytes();
    for _ in 0..20_000 {
        let mut bad = good.clone();
        let at = usize::try_from(random.below(u64::try_from(good.len()).unwrap())).unwrap();
        bad[at] = if random.below(2) == 0 { random.bytes::<1>()[0] } else { bad[at] ^ 1 };
        let verdict = with_expected(|expected| proof::read(&bad, &expected)?.verify(&caller.key));
        assert_eq!(verdict.is_ok(), bad == good);
    }
}

/// RFC 6749 §5.2.
fn may_stand_in_a_description(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[test]
fn every_refusal_has_a_code_a_label_and_a_clean_sentence() {
    let shown = String::from("x");
    let all = [
        ProofFault::Missing,
        ProofFault::TooLong,
        json(Part::Header, JsonFault::Duplicate),
        ProofFault::Jwk(JwkFault::Private),
        ProofFault::Htm { expected: shown.clone() },
        ProofFault::IatWindow { ahead: -3_600, window: WINDOW },
        ProofFault::HtuUnreadable { fault: super::HtuFault::UserInfo, expected: shown },
        ProofFault::NonceForClock { ahead: 7 },
        ProofFault::KeyNotBound,
    ];
    for fault in all {
        assert!(may_stand_in_a_description(&fault.to_string()), "{fault}");
        assert!(fault.as_label().bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()));
    }
    let window = ProofFault::IatWindow { ahead: -3_600, window: WINDOW };
    let sentence = "iat is 3600 s behind the clock of this server; at most 60 s are allowed";
    assert_eq!(window.to_string(), sentence);
    let code = |fault: ProofFault, at| fault.error_code(at);
    assert_eq!(code(ProofFault::Missing, Endpoint::Token), "invalid_request");
    assert_eq!(code(ProofFault::Missing, Endpoint::Resource), "invalid_dpop_proof");
    assert_eq!(code(ProofFault::KeyNotBound, Endpoint::Resource), "invalid_token");
    assert_eq!(code(ProofFault::NonceStale, Endpoint::Token), "use_dpop_nonce");
    assert_eq!(code(window, Endpoint::Token), "invalid_dpop_proof");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // A44 and R42: whatever the request and the proof say, the description stays printable.
    #[test]
    fn descriptions_are_clean(
        method in "\\PC{1,20}", path in "/[ -~]{0,600}", htu in "\\PC{0,40}", iat in any::<i64>(),
    ) {
        let bases = [PublicBase::parse("https://as.example").unwrap()];
        if let Ok(expected_htu) = ExpectedHtu::new(&bases, &path) {
            let claims = serde_json::json!({"jti": "j", "htm": "POST", "htu": htu, "iat": iat});
            let caller = Caller { claims: claims.to_string(), ..Caller::new() };
            let fault = with_expected(|expected| {
                let expected = Expected { htu: &expected_htu, method: &method, ..expected };
                proof::read(caller.proof().as_bytes(), &expected).map(|_| ()).unwrap_err()
            });
            prop_assert!(may_stand_in_a_description(&fault.to_string()), "{}", fault);
            prop_assert!(fault.to_string().len() < 512);
            // With the right method and time, the next claim speaks.
            let claims = claims.to_string().replace(&format!("\"iat\":{iat}"), &format!("\"iat\":{NOW}"));
            let caller = Caller { claims, ..Caller::new() };
            let verdict = with_expected(|expected| {
                let expected = Expected { htu: &expected_htu, ..expected };
                proof::read(caller.proof().as_bytes(), &expected).map(|_| ())
            });
            if let Err(fault) = verdict {
                prop_assert!(may_stand_in_a_description(&fault.to_string()), "{}", fault);
                prop_assert!(fault.to_string().len() < 512);
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let refused = with_expected(|expected| proof::read(&bytes, &expected).is_err());
        prop_assert!(refused);
    }
}
