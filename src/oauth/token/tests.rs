//! Tokens: T1 to T10 as minted, R13 to R25 as presented.

use std::{sync::Arc, time::Duration};

use josekit::{
    jwk::Jwk,
    jws::{ES256, EdDSA, JwsVerifier},
};
use serde_json::{Value, json};

use super::{AccessToken, Grant, LEEWAY, Minted, TokenFault, TokenRules, verify};
use crate::{
    base::{clock::Clock, ids::MerchantId, random::Random, secret::Secret, timestamp::Timestamp},
    oauth::{
        jose::{Jkt, KeyKind, base64url},
        keys::SigningKey,
        scopes::{Scope, Scopes},
    },
};

const NOW: i64 = 1_795_232_172;
const ISSUER: &str = "https://as.example";
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn key(kind: KeyKind, seed: u64) -> SigningKey {
    SigningKey::from_pem(&SigningKey::generate(kind, &Random::seeded(seed)).unwrap()).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(NOW)
}

fn mint(key: &SigningKey, random: &Random) -> Minted {
    let (clock, _) = Clock::hand_wound(now());
    let scopes = [Scope::PayoutsRead, Scope::PricingQuote].into_iter().collect();
    let grant = Grant {
        issuer: ISSUER,
        audience: "https://api.example",
        client_id: "ant_oc_sandbox_0123456789abcdef0123456789abcdef",
        merchant: MerchantId::make(&clock, &Random::seeded(1)),
        scopes: &scopes,
        jkt: &JKT.parse().unwrap(),
        lifetime: Duration::from_hours(8),
    };
    grant.mint(key, Timestamp::from_micros(NOW * 1_000_000 + 999_999), random).unwrap()
}

fn present(key: &SigningKey, token: &str, at: i64) -> Result<AccessToken, TokenFault> {
    let rules = TokenRules {
        issuer: ISSUER,
        audiences: &["https://api.example"],
        now: Timestamp::from_unix_seconds(at),
    };
    let published = |kid: &Jkt| (kid == key.kid()).then(|| Arc::new(key.public().clone()));
    verify(token, &rules, published)
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&base64url::decode(part).unwrap()).unwrap()
}

#[test]
fn a_minted_token_says_what_the_rfc_asks_for() {
    for kind in [KeyKind::P256, KeyKind::Ed25519] {
        let key = key(kind, 1);
        let minted = mint(&key, &Random::seeded(2));
        // T1
        let header = part(&minted.token, 0);
        assert_eq!(header["typ"], "at+jwt");
        assert_eq!(header["kid"], key.kid().as_str());
        assert_eq!(header["alg"], key.alg().name());
        // T2 to T5, T10: these claims and no others.
        let claims = part(&minted.token, 1);
        let names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = "iss sub aud client_id merchant_id scope iat exp jti cnf";
        assert_eq!(names.join(" "), expected);
        assert_eq!(claims["sub"], claims["client_id"]);
        assert_eq!(claims["scope"], "pricing:quote payouts:read");
        assert_eq!(claims["iat"], NOW);
        assert_eq!(claims["exp"], NOW + 8 * 3600);
        assert_eq!(claims["cnf"], json!({"jkt": JKT}));
        // T7
        assert!(minted.token.len() < 2048);
        let token68 = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        assert!(minted.token.bytes().all(token68));
        // And we accept our own.
        let accepted = present(&key, &minted.token, NOW).unwrap();
        assert_eq!(accepted.jkt.as_str(), JKT);
        assert_eq!((accepted.jti, accepted.expires_at), (minted.jti, minted.expires_at));
        assert_eq!(accepted.scopes.to_string(), "pricing:quote payouts:read");
    }
}

#[test]
fn tokens_of_one_second_differ() {
    let (key, random) = (key(KeyKind::Ed25519, 1), Random::system());
    let (one, two) = (mint(&key, &random), mint(&key, &random));
    assert_ne!(one.token, two.token);
    assert_eq!(base64url::decode(&one.jti).unwrap().len(), 16);
}

#[test]
fn josekit_verifies_them_from_the_published_key_alone() {
    for kind in [KeyKind::P256, KeyKind::Ed25519] {
        let key = key(kind, 3);
        let published = Jwk::from_bytes(serde_json::to_vec(key.public().jwk()).unwrap()).unwrap();
        let verifier: Box<dyn JwsVerifier> = match kind {
            KeyKind::P256 => Box::new(ES256.verifier_from_jwk(&published).unwrap()),
            KeyKind::Ed25519 => Box::new(EdDSA.verifier_from_jwk(&published).unwrap()),
        };
        let token = mint(&key, &Random::seeded(2)).token;
        let (payload, header) = josekit::jwt::decode_with_verifier(&token, &*verifier).unwrap();
        assert_eq!(header.token_type(), Some("at+jwt"));
        assert_eq!(payload.issuer(), Some(ISSUER));
    }
}

/// A token of ours whose header and claims were changed before it was signed.
fn changed(key: &SigningKey, header: impl Fn(&mut Value), claims: impl Fn(&mut Value)) -> String {
    use p256::{ecdsa::signature::Signer, pkcs8::DecodePrivateKey};
    let token = mint(key, &Random::seeded(2)).token;
    let (mut head, mut body) = (part(&token, 0), part(&token, 1));
    header(&mut head);
    claims(&mut body);
    let input =
        format!("{}.{}", base64url::encode(head.to_string()), base64url::encode(body.to_string()));
    let pem = SigningKey::generate(KeyKind::P256, &Random::seeded(1)).unwrap();
    let secret = p256::SecretKey::from_pkcs8_pem(pem.expose()).unwrap();
    let signer = p256::ecdsa::SigningKey::from(secret);
    let signature: p256::ecdsa::Signature = signer.sign(input.as_bytes());
    format!("{input}.{}", base64url::encode(signature.to_bytes()))
}

fn with_header(name: &str, value: &Value) -> Result<AccessToken, TokenFault> {
    let key = key(KeyKind::P256, 1);
    let set = |header: &mut Value| set(header, name, value);
    present(&key, &changed(&key, set, |_| ()), NOW)
}

fn with_claim(name: &str, value: &Value) -> Result<AccessToken, TokenFault> {
    let key = key(KeyKind::P256, 1);
    present(&key, &changed(&key, |_| (), |claims| set(claims, name, value)), NOW)
}

/// `"absent"` removes the member.
fn set(object: &mut Value, name: &str, value: &Value) {
    let object = object.as_object_mut().unwrap();
    match value.as_str() {
        Some("absent") => object.remove(name),
        _ => object.insert(name.to_owned(), value.clone()),
    };
}

#[test]
fn headers_of_other_tokens_are_refused() {
    // R14 to R16
    for typ in [json!("JWT"), json!("absent"), json!("dpop+jwt"), json!(1), json!(null)] {
        assert_eq!(with_header("typ", &typ), Err(TokenFault::Typ), "{typ}");
    }
    for typ in ["application/at+jwt", "AT+JWT"] {
        assert!(with_header("typ", &json!(typ)).is_ok(), "{typ}");
    }
    for alg in [json!("none"), json!("HS256"), json!("EdDSA"), json!("absent"), json!(["ES256"])] {
        assert_eq!(with_header("alg", &alg), Err(TokenFault::Alg), "{alg}");
    }
    for kid in [json!("absent"), json!("x"), json!(JKT), json!(1)] {
        assert_eq!(with_header("kid", &kid), Err(TokenFault::UnknownKey), "{kid}");
    }
    assert_eq!(with_header("crit", &json!(["exp"])), Err(TokenFault::Crit));
}

#[test]
fn malformed_and_foreign_tokens_are_refused() {
    let key = key(KeyKind::P256, 1);
    let token = mint(&key, &Random::seeded(2)).token;
    let (input, signature) = token.rsplit_once('.').unwrap();
    for bad in ["", "x", "a.b", "a.b.c", "a.b.c.d", &format!("={token}"), &format!("{token}.x")] {
        assert_eq!(present(&key, bad, NOW), Err(TokenFault::Malformed), "{bad}");
    }
    assert_eq!(present(&key, &"x".repeat(4097), NOW), Err(TokenFault::TooLong));
    // R14: another key's signature, none, a broken one; the payload is not even read.
    let other = self::key(KeyKind::P256, 9);
    let foreign = mint(&other, &Random::seeded(2)).token;
    let forged = format!("{input}.{}", foreign.rsplit_once('.').unwrap().1);
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let broken = format!("{input}.{first}{}", &signature[1..]);
    for bad in [&forged, &format!("{input}."), &broken] {
        assert_eq!(present(&key, bad, NOW), Err(TokenFault::Signature), "{bad}");
    }
    assert_eq!(present(&key, &foreign, NOW), Err(TokenFault::UnknownKey));
    let header = input.split('.').next().unwrap();
    assert_eq!(present(&key, &format!("{header}.!.{signature}"), NOW), Err(TokenFault::Signature));
}

#[test]
fn claims_of_the_wrong_kind_are_not_absent_claims() {
    // R18, R19
    for iss in
        [json!("https://as.example/"), json!("https://AS.example"), json!("absent"), json!(1)]
    {
        assert_eq!(with_claim("iss", &iss), Err(TokenFault::Issuer), "{iss}");
    }
    for aud in [json!("absent"), json!("x"), json!(["x"]), json!([]), json!(null), json!({})] {
        assert_eq!(with_claim("aud", &aud), Err(TokenFault::Audience), "{aud}");
    }
    assert!(with_claim("aud", &json!(["x", "https://api.example"])).is_ok());
    // R20 to R22
    for name in ["exp", "iat", "nbf"] {
        let text = json!((NOW + 60).to_string());
        for bad in [text, json!(null), json!(true), json!([NOW]), json!(-1)] {
            assert_eq!(with_claim(name, &bad), Err(TokenFault::Claim(name)), "{name} {bad}");
        }
    }
    for name in ["exp", "iat", "jti", "sub", "client_id", "merchant_id"] {
        assert_eq!(with_claim(name, &json!("absent")), Err(TokenFault::Claim(name)), "{name}");
    }
    for name in ["jti", "sub", "client_id", "merchant_id", "scope"] {
        assert_eq!(with_claim(name, &json!(1)), Err(TokenFault::Claim(name)), "{name}");
    }
    assert_eq!(with_claim("merchant_id", &json!("m")), Err(TokenFault::Claim("merchant_id")));
    // R23 to R25
    for cnf in [
        json!("absent"),
        json!(null),
        json!(JKT),
        json!({}),
        json!({"jkt": 1}),
        json!({"jkt": ""}),
        json!({"jkt": format!("{JKT}=")}),
        json!({"x5t#S256": JKT}),
    ] {
        assert_eq!(with_claim("cnf", &cnf), Err(TokenFault::Unbound), "{cnf}");
    }
    assert!(with_claim("cnf", &json!({"jkt": JKT, "x5t#S256": JKT, "new": 1})).is_ok());
}

#[test]
fn times_have_a_small_leeway() {
    let leeway = i64::try_from(LEEWAY.as_secs()).unwrap();
    for late in [0, leeway - 1] {
        assert!(with_claim("exp", &json!(NOW - late)).is_ok(), "{late}");
    }
    assert_eq!(with_claim("exp", &json!(NOW - leeway)), Err(TokenFault::Expired));
    for name in ["nbf", "iat"] {
        assert!(with_claim(name, &json!(NOW + leeway)).is_ok());
        assert_eq!(with_claim(name, &json!(NOW + leeway + 1)), Err(TokenFault::NotYetValid));
    }
    assert!(with_claim("nbf", &json!(NOW - 5)).is_ok());
}

#[test]
fn scopes_that_we_no_longer_know_give_nothing() {
    let scopes = |scope: Value| with_claim("scope", &scope).unwrap().scopes;
    assert_eq!(scopes(json!("gone:write payouts:read")).to_string(), "payouts:read");
    assert_eq!(scopes(json!("absent")), Scopes::default());
}

#[test]
fn only_private_keys_of_our_two_kinds_are_read() {
    let pem = SigningKey::generate(KeyKind::P256, &Random::seeded(1)).unwrap();
    let broken = pem.expose().replace("PRIVATE", "PUBLIC");
    for bad in ["", "x", &broken] {
        let refused = SigningKey::from_pem(&Secret::new(bad.to_owned())).map(|_| ());
        assert!(refused.is_err(), "{bad}");
    }
    let key = key(KeyKind::P256, 1);
    assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.kid()));
}

#[test]
fn descriptions_may_stand_in_a_header() {
    let all = [
        TokenFault::TooLong,
        TokenFault::Malformed,
        TokenFault::UnknownKey,
        TokenFault::Claim("exp"),
        TokenFault::Unbound,
    ];
    for fault in all {
        let clean = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(fault.to_string().bytes().all(clean), "{fault}");
        assert!(fault.as_label().bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()));
    }
}
