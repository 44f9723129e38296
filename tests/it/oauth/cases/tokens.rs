//! What an access token is.

use std::collections::HashSet;

use counterfoil::{
    config::SigningAlg,
    oauth::{
        jose::{Alg, KeyKind, base64url},
        scopes::Scopes,
        token::Grant,
    },
};
use josekit::{
    jwk::Jwk,
    jws::{ES256, EdDSA, JwsVerifier},
};
use serde_json::{Value, json};

use crate::support::{
    app::{START, TestApp},
    both::TestDb,
    http::Request,
};

/// A part of a token, not verified.
fn part(token: &str, number: usize) -> Value {
    let text = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&base64url::decode(text).unwrap()).unwrap()
}

/// What a token says.
pub(super) fn claims_of(token: &str) -> Value {
    part(token, 1)
}

/// The payload, if a library that is not ours accepts the token with a key from the JWKS.
fn accepted_elsewhere(jwks: &Value, token: &str) -> Option<Value> {
    let header = part(token, 0);
    let keys = jwks["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"])?;
    let key = Jwk::from_map(key.as_object().unwrap().clone()).unwrap();
    let verifier: Box<dyn JwsVerifier> = match header["alg"].as_str().unwrap() {
        "ES256" => Box::new(ES256.verifier_from_jwk(&key).unwrap()),
        "EdDSA" => Box::new(EdDSA.verifier_from_jwk(&key).unwrap()),
        _ => return None,
    };
    let (payload, _) = josekit::jwt::decode_with_verifier(token, &*verifier).ok()?;
    Some(Value::Object(payload.claims_set().clone()))
}

cases! {
    sqlite ["T1", "T2", "T3", "T4", "T7", "T9", "T10"]
    async fn it_says_what_rfc_9068_wants_and_nothing_else(db: TestDb) {
        drop(db);
        for alg in [SigningAlg::Es256, SigningAlg::Ed25519] {
            let db = TestDb::sqlite().await;
            let app = TestApp::with(&db, |config| config.oauth.signing_alg = alg).await;
            let client = app.client("pricing:read payouts:read").await;
            let token = client.mint(&app).await;
            let token68 = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert!(token.len() < 2_048 && token.bytes().all(token68));
            let header = part(&token, 0);
            assert_eq!(header["typ"], "at+jwt");
            assert!(Alg::from_name(header["alg"].as_str().unwrap()).is_some());
            let jwks = app.send(Request::get("/.well-known/jwks.json")).await.json();
            let claims = accepted_elsewhere(&jwks, &token).expect("josekit accepts it");
            assert_eq!(claims["cnf"], json!({ "jkt": client.key.jkt }));
            assert_eq!(claims["scope"], "pricing:read payouts:read");
            assert_eq!(claims["iss"], app.base.as_str());
            assert_eq!(claims["aud"], app.base.as_str());
            assert_eq!(claims["sub"], client.id.as_str());
            assert_eq!(claims["client_id"], client.id.as_str());
            assert_eq!(claims["iat"], START.unix_seconds());
            assert!(claims["exp"].is_i64() && claims["jti"].is_string());
            let mut names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
            names.sort_unstable();
            let known = ["aud", "client_id", "cnf", "exp", "iat", "iss", "jti", "merchant_id", "scope", "sub"];
            assert_eq!(names, known);
            let (input, signature) = token.rsplit_once('.').unwrap();
            let mut bytes = base64url::decode(signature).unwrap();
            bytes[10] ^= 1;
            let forged = format!("{input}.{}", base64url::encode(bytes));
            assert_eq!(accepted_elsewhere(&jwks, &forged), None);
            app.stop().await;
        }
    }

    sqlite ["T5"]
    async fn it_lives_as_long_as_the_answer_says(db: TestDb) {
        let mut lives = Vec::new();
        drop(db);
        for hours in [None, Some(1)] {
            let db = TestDb::sqlite().await;
            let app = TestApp::with(&db, |config| {
                if let Some(hours) = hours {
                    config.oauth.token_lifetime = std::time::Duration::from_hours(hours);
                }
            })
            .await;
            let client = app.client_with(KeyKind::P256, Scopes::all()).await;
            let told = app.send(client.token_request(&app)).await.expect_status(200).json();
            let claims = claims_of(told["access_token"].as_str().unwrap());
            let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
            assert_eq!(told["expires_in"], life);
            lives.push(life);
            app.stop().await;
        }
        assert_eq!(lives, [28_800, 3_600]);
    }

    sqlite ["T6", "T8"]
    async fn no_two_are_alike(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let ring = app.authority.ring().current();
        let scopes = Scopes::all();
        let grant = Grant {
            issuer: &app.base,
            audience: &app.base,
            client_id: client.id.as_str(),
            merchant: client.merchant,
            scopes: &scopes,
            jkt: &client.key.jkt,
            lifetime: std::time::Duration::from_hours(1),
        };
        let mut seen = HashSet::new();
        for _ in 0..10_000 {
            let minted = grant.mint(ring.signer(), app.ctx.now(), &app.ctx.random).unwrap();
            assert_eq!(base64url::decode(&minted.jti).unwrap().len(), 16);
            assert!(seen.insert(minted.jti) && seen.insert(minted.token));
        }
        assert_ne!(client.mint(&app).await, client.mint(&app).await);
        app.stop().await;
    }
}
