//! Tokens that were never minted: each is a good one with something changed, signed with our own key
//! where that is what it takes, and presented with a good proof for it.

use aws_lc_rs::hmac;
use counterfoil::oauth::{jose::base64url, keys::RingView};
use serde_json::{Value, json};

use super::{ROUTE, present, protected, refused, tokens::claims_of};
use crate::support::{
    app::TestApp,
    client::{Client, ProofKey, claims},
};

/// A server, a client, its token, and the key that signs tokens there.
struct Forge {
    app: TestApp,
    client: Client,
    token: String,
    ring: std::sync::Arc<RingView>,
}

impl Forge {
    async fn new(db: &crate::support::both::TestDb) -> Self {
        let app = TestApp::start(db).await;
        let client = app.client("pricing:read").await;
        let token = client.mint(&app).await;
        let ring = app.authority.ring().current();
        Self { app, client, token, ring }
    }

    /// A good token of its own with this done to its claims.
    fn with(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = claims_of(&self.token);
        change(&mut claims);
        self.ring.signer().sign("at+jwt", claims.to_string().as_bytes()).unwrap()
    }

    /// The same claims under another header, signed by our key.
    fn under(&self, header: &Value) -> String {
        let payload = self.token.split('.').nth(1).unwrap();
        let input = format!("{}.{payload}", base64url::encode(header.to_string()));
        let signature = self.ring.signer().sign_bytes(input.as_bytes()).unwrap();
        format!("{input}.{}", base64url::encode(signature))
    }

    fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "alg": "ES256", "kid": self.ring.signer().kid() })
    }

    /// Every one of these is refused, and the good one is not.
    async fn refuses(&self, tokens: &[String]) {
        for token in tokens {
            refused(present(&self.app, &self.client, token).await, 401, "invalid_token");
        }
        self.accepts(&self.token).await;
    }

    async fn accepts(&self, token: &str) {
        present(&self.app, &self.client, token).await.expect_status(200);
    }

    fn now(&self) -> i64 {
        self.app.ctx.now().unix_seconds()
    }
}

fn without(name: &'static str) -> impl FnOnce(&mut Value) {
    move |claims| {
        claims.as_object_mut().unwrap().remove(name).unwrap();
    }
}

fn set(name: &'static str, value: impl Into<Value>) -> impl FnOnce(&mut Value) {
    let value = value.into();
    move |claims| claims[name] = value
}

cases! {
    sqlite ["R13"]
    async fn what_is_no_jwt(db: TestDb) {
        let forge = Forge::new(&db).await;
        let parts: Vec<_> = forge.token.split('.').collect();
        let not_json = [base64url::encode("x"), base64url::encode("x"), parts[2].to_owned()];
        forge.refuses(&[
            "opaque".to_owned(),
            parts[..2].join("."),
            format!("{}.x", forge.token),
            format!(".{}.", parts[1]),
            not_json.join("."),
        ]).await;
        forge.app.stop().await;
    }

    sqlite ["R14"]
    async fn bad_signatures_and_unknown_keys(db: TestDb) {
        let forge = Forge::new(&db).await;
        let stranger = ProofKey::make(&forge.app.ctx.random, counterfoil::oauth::jose::KeyKind::P256);
        let payload = claims_of(&forge.token);
        let (input, signature) = forge.token.rsplit_once('.').unwrap();
        let mut flipped = base64url::decode(signature).unwrap();
        flipped[20] ^= 1;
        let mut nameless = forge.header();
        nameless.as_object_mut().unwrap().remove("kid");
        let mut unknown = forge.header();
        unknown["kid"] = json!(stranger.jkt);
        let mut named = forge.header();
        named["kid"] = json!("1");
        let dressed = json!({ "typ": "at+jwt", "alg": "ES256", "kid": stranger.jkt, "jwk": stranger.jwk });
        forge.refuses(&[
            format!("{input}.{}", base64url::encode(flipped)),
            format!("{input}."),
            // Another key that says it is ours.
            stranger.sign_as(&forge.header(), &payload),
            // Another key that brings itself along.
            stranger.sign_as(&dressed, &payload),
            forge.under(&nameless),
            forge.under(&unknown),
            forge.under(&named),
        ]).await;
        forge.app.stop().await;
    }

    sqlite ["R15"]
    async fn other_algorithms(db: TestDb) {
        let forge = Forge::new(&db).await;
        let payload = forge.token.split('.').nth(1).unwrap();
        let head = |alg: &str| {
            let mut header = forge.header();
            header["alg"] = json!(alg);
            format!("{}.{payload}", base64url::encode(header.to_string()))
        };
        let public = serde_json::to_vec(forge.ring.signer().public().jwk()).unwrap();
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &public);
        let input = head("HS256");
        let hmac = base64url::encode(hmac::sign(&secret, input.as_bytes()));
        let mut tokens = vec![format!("{}.", head("none")), format!("{input}.{hmac}")];
        for alg in ["EdDSA", "Ed25519", "ES384", "RS256", "none", "es256"] {
            let mut header = forge.header();
            header["alg"] = json!(alg);
            tokens.push(forge.under(&header));
        }
        forge.refuses(&tokens).await;
        forge.app.stop().await;
    }

    sqlite ["R16"]
    async fn other_types(db: TestDb) {
        let forge = Forge::new(&db).await;
        let typed = |typ: &str| {
            let mut header = forge.header();
            header["typ"] = json!(typ);
            forge.under(&header)
        };
        let mut untyped = forge.header();
        untyped.as_object_mut().unwrap().remove("typ");
        forge.refuses(&[typed("JWT"), typed("dpop+jwt"), typed(""), forge.under(&untyped)]).await;
        forge.accepts(&typed("application/at+jwt")).await;
        forge.accepts(&typed("AT+JWT")).await;
        forge.app.stop().await;
    }

    sqlite ["R17"]
    async fn a_proof_is_no_token_and_a_token_no_proof(db: TestDb) {
        let forge = Forge::new(&db).await;
        let (app, client) = (&forge.app, &forge.client);
        let proof = client.key.proof(app, "GET", ROUTE, None);
        forge.refuses(&[proof]).await;
        let token = &forge.token;
        refused(app.send(protected(token, token)).await, 401, "invalid_dpop_proof");
        forge.accepts(token).await;
        forge.app.stop().await;
    }

    sqlite ["R18"]
    async fn other_issuers(db: TestDb) {
        let forge = Forge::new(&db).await;
        let base = forge.app.base.clone();
        forge.refuses(&[
            forge.with(set("iss", "https://other.example")),
            forge.with(set("iss", format!("{base}/"))),
            forge.with(set("iss", base.to_uppercase())),
            forge.with(set("iss", json!([base]))),
            forge.with(without("iss")),
        ]).await;
        forge.app.stop().await;
    }

    sqlite ["R19"]
    async fn other_audiences(db: TestDb) {
        let forge = Forge::new(&db).await;
        let base = forge.app.base.clone();
        forge.refuses(&[
            forge.with(without("aud")),
            forge.with(set("aud", "https://other.example")),
            forge.with(set("aud", json!(["https://other.example"]))),
            forge.with(set("aud", json!([]))),
            forge.with(set("aud", json!([base, 1]))),
            forge.with(set("aud", 1)),
        ]).await;
        forge.accepts(&forge.with(set("aud", json!(["https://other.example", base])))).await;
        forge.app.stop().await;
    }

    sqlite ["R20"]
    async fn the_end_of_a_token(db: TestDb) {
        let forge = Forge::new(&db).await;
        let now = forge.now();
        forge.refuses(&[
            forge.with(set("exp", now - 11)),
            forge.with(set("exp", now - 10)),
            forge.with(without("exp")),
            // CVE-2026-25537: a claim of the wrong type must not count as absent.
            forge.with(set("exp", (now + 60).to_string())),
            forge.with(set("exp", Value::Null)),
            forge.with(set("exp", -1)),
        ]).await;
        forge.accepts(&forge.with(set("exp", now - 9))).await;
        forge.app.stop().await;
    }

    sqlite ["R21"]
    async fn the_beginning_of_a_token(db: TestDb) {
        let forge = Forge::new(&db).await;
        let now = forge.now();
        forge.refuses(&[
            forge.with(set("nbf", now + 11)),
            forge.with(set("iat", now + 11)),
            forge.with(set("nbf", now.to_string())),
            forge.with(set("nbf", Value::Null)),
        ]).await;
        forge.accepts(&forge.with(set("nbf", now + 10))).await;
        forge.accepts(&forge.with(set("iat", now + 10))).await;
        forge.app.stop().await;
    }

    sqlite ["R22"]
    async fn claims_that_must_be_there(db: TestDb) {
        let forge = Forge::new(&db).await;
        let mut tokens = Vec::new();
        for name in ["sub", "client_id", "jti", "iat", "merchant_id"] {
            tokens.push(forge.with(without(name)));
            tokens.push(forge.with(set(name, Value::Null)));
            tokens.push(forge.with(set(name, json!([]))));
            tokens.push(forge.with(set(name, "")));
        }
        tokens.push(forge.with(set("client_id", "ant_oc_sandbox_unknown")));
        forge.refuses(&tokens).await;
        forge.app.stop().await;
    }

    sqlite ["R23", "R25"]
    async fn tokens_that_are_not_bound_to_a_key(db: TestDb) {
        let forge = Forge::new(&db).await;
        let jkt = forge.client.key.jkt.as_str().to_owned();
        forge.refuses(&[
            forge.with(without("cnf")),
            forge.with(set("cnf", jkt.clone())),
            forge.with(set("cnf", json!([{ "jkt": jkt }]))),
            forge.with(set("cnf", json!({}))),
            forge.with(set("cnf", json!({ "jkt": 1 }))),
            forge.with(set("cnf", json!({ "jkt": "" }))),
            forge.with(set("cnf", json!({ "jkt": &jkt[1..] }))),
            forge.with(set("cnf", json!({ "x5t#S256": jkt }))),
            forge.with(set("cnf", json!({ "jwk": forge.client.key.jwk }))),
        ]).await;
        forge.app.stop().await;
    }

    sqlite ["R24"]
    async fn company_of_jkt_is_ignored(db: TestDb) {
        let forge = Forge::new(&db).await;
        let jkt = forge.client.key.jkt;
        forge.accepts(&forge.with(set("cnf", json!({ "jkt": jkt, "other": [1] })))).await;
        forge.app.stop().await;
    }

    sqlite ["R28"]
    async fn a_proof_for_another_token_of_the_key(db: TestDb) {
        let forge = Forge::new(&db).await;
        let (app, client) = (&forge.app, &forge.client);
        let other = client.mint(app).await;
        let proof = client.key.sign(&claims(app, "GET", ROUTE, Some(&other)));
        refused(app.send(protected(&forge.token, &proof)).await, 401, "invalid_dpop_proof");
        app.send(protected(&other, &proof)).await.expect_status(200);
        forge.app.stop().await;
    }

    sqlite ["R41"]
    async fn what_is_too_long(db: TestDb) {
        let forge = Forge::new(&db).await;
        forge.refuses(&[forge.with(set("pad", "x".repeat(4_000)))]).await;
        let request = protected(&forge.token, "x").header("X-Pad", "x".repeat(100_000));
        forge.app.send(request).await.expect_status(431);
        forge.accepts(&forge.token).await;
        forge.app.stop().await;
    }

    sqlite ["R42"]
    async fn nothing_ends_a_quoted_string(db: TestDb) {
        let forge = Forge::new(&db).await;
        let (app, client) = (&forge.app, &forge.client);
        let nasty = "\", error=\"none\\\r\nSet-Cookie: x=1";
        let mut claims = claims(app, "GET", ROUTE, Some(&forge.token));
        for name in ["htm", "htu", "ath", "nonce", "jti"] {
            let good = std::mem::replace(&mut claims[name], json!(nasty));
            let answer = app.send(protected(&forge.token, &client.key.sign(&claims))).await;
            assert_eq!(answer.header("Set-Cookie"), None);
            if let Some(challenge) = answer.header("WWW-Authenticate") {
                assert!(!challenge.contains("none") && !challenge.contains('\\'), "{challenge}");
                let quotes = challenge.matches('"').count();
                assert_eq!((quotes % 2, challenge.matches(" error=").count()), (0, 1), "{challenge}");
            }
            claims[name] = good;
        }
        // In the path of the request it comes back as the expected htu.
        let odd = "/v1/credential'%22%5C%0d%0aSet-Cookie:x";
        app.send(crate::support::http::Request::get(odd)).await.expect_status(404);
        forge.accepts(&forge.token).await;
        forge.app.stop().await;
    }
}
