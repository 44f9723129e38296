//! `private_key_jwt`: the registered key in place of the secret.

use aws_lc_rs::hmac;
use counterfoil::oauth::{credentials, jose::base64url};
use serde_json::{Value, json};

use super::denied;
use crate::support::{
    app::TestApp,
    both::TestDb,
    client::{Client, ProofKey},
    http::{Request, Response},
};

const URN: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A server and a client that signs assertions.
struct Desk {
    app: TestApp,
    client: Client,
}

impl Desk {
    async fn new(db: &TestDb) -> Self {
        let app = TestApp::start(db).await;
        let client = app.client("payouts:read").await;
        Self { app, client }
    }

    fn now(&self) -> i64 {
        self.app.ctx.now().unix_seconds()
    }

    /// What a good assertion says.
    fn claims(&self) -> Value {
        let jti = base64url::encode(self.app.ctx.random.bytes::<16>());
        let (id, now) = (self.client.id.as_str(), self.now());
        json!({ "iss": id, "sub": id, "aud": self.app.base, "iat": now, "exp": now + 300, "jti": jti })
    }

    fn sign(&self, claims: &Value) -> String {
        let key = &self.client.key;
        key.sign_as(&json!({ "typ": "JWT", "alg": "ES256", "kid": key.jkt }), claims)
    }

    /// A good assertion with this done to its claims.
    fn with(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims();
        change(&mut claims);
        self.sign(&claims)
    }

    fn request(&self, assertion: &str, kind: Option<&str>) -> Request {
        let mut form = vec![("grant_type", "client_credentials"), ("client_assertion", assertion)];
        form.extend(kind.map(|kind| ("client_assertion_type", kind)));
        let proof = self.client.key.proof(&self.app, "POST", "/oauth/token", None);
        Request::post("/oauth/token").header("DPoP", proof).form(&form)
    }

    async fn ask(&self, assertion: &str) -> Response {
        self.app.send(self.request(assertion, Some(URN))).await
    }

    /// Every one of these is refused, and a good one is not.
    async fn refuses(&self, assertions: &[String]) {
        for assertion in assertions {
            denied(self.ask(assertion).await, 401, "invalid_client");
        }
        self.ask(&self.sign(&self.claims())).await.expect_status(200);
    }
}

cases! {
    both ["K1", "K2", "K8"]
    async fn a_good_assertion_counts_once(db: TestDb) {
        let desk = Desk::new(&db).await;
        let good = desk.sign(&desk.claims());
        desk.ask(&good).await.expect_status(200);
        denied(desk.ask(&good).await, 401, "invalid_client");
        let endpoint = desk.app.url("/oauth/token");
        desk.ask(&desk.with(|claims| claims["aud"] = json!(endpoint))).await.expect_status(200);
        let alone = desk.app.base.clone();
        desk.ask(&desk.with(|claims| claims["aud"] = json!([alone]))).await.expect_status(200);
        // A refused request does not use it up.
        let kept = desk.sign(&desk.claims());
        let wrong = desk.request(&kept, Some(URN)).header("DPoP", "second");
        denied(desk.app.send(wrong).await, 400, "invalid_dpop_proof");
        desk.ask(&kept).await.expect_status(200);
        desk.app.stop().await;
    }

    sqlite ["K3", "K4", "K5", "K7"]
    async fn claims_that_do_not_fit(db: TestDb) {
        let desk = Desk::new(&db).await;
        let (now, base) = (desk.now(), desk.app.base.clone());
        let other = desk.app.client("payouts:read").await;
        let drop = |name: &'static str| {
            desk.with(|claims| {
                claims.as_object_mut().unwrap().remove(name).unwrap();
            })
        };
        let set = |name: &'static str, value: Value| desk.with(|claims| claims[name] = value);
        let mut assertions = vec![
            set("aud", json!([base, "https://other.example"])),
            set("aud", json!("https://other.example")),
            set("aud", json!(format!("{base}/"))),
            set("aud", json!([])),
            drop("aud"),
            drop("sub"),
            drop("iss"),
            drop("jti"),
            drop("exp"),
            set("sub", json!(other.id.as_str())),
            set("iss", json!(other.id.as_str())),
            set("jti", json!("")),
            set("jti", json!(1)),
            set("jti", json!("x".repeat(257))),
            set("exp", json!(now - 300)),
            set("exp", json!(now)),
            set("exp", json!(now + 301)),
            set("exp", json!((now + 60).to_string())),
            set("nbf", json!(now + 61)),
            set("iat", json!(now + 61)),
            set("iat", json!("x")),
        ];
        assertions.push(desk.with(|claims| {
            claims["iss"] = json!(other.id.as_str());
            claims["sub"] = json!(other.id.as_str());
        }));
        desk.refuses(&assertions).await;
        desk.app.stop().await;
    }

    sqlite ["K6"]
    async fn a_clock_that_is_a_little_ahead(db: TestDb) {
        let desk = Desk::new(&db).await;
        let now = desk.now();
        for ahead in [8, 10, 60] {
            let early = desk.with(|claims| {
                claims["iat"] = json!(now + ahead);
                claims["nbf"] = json!(now + ahead);
            });
            desk.ask(&early).await.expect_status(200);
        }
        desk.app.stop().await;
    }

    sqlite ["K9"]
    async fn other_algorithms(db: TestDb) {
        let desk = Desk::new(&db).await;
        let input = |alg: &str| {
            let header = json!({ "alg": alg, "kid": desk.client.key.jkt }).to_string();
            format!("{}.{}", base64url::encode(header), base64url::encode(desk.claims().to_string()))
        };
        let mut assertions = vec![format!("{}.", input("none"))];
        let public = serde_json::to_vec(&desk.client.key.jwk).unwrap();
        for secret in [desk.client.secret.expose().as_bytes(), &public] {
            let (key, input) = (hmac::Key::new(hmac::HMAC_SHA256, secret), input("HS256"));
            let tag = base64url::encode(hmac::sign(&key, input.as_bytes()));
            assertions.push(format!("{input}.{tag}"));
        }
        for alg in ["RS256", "PS256", "EdDSA", "Ed25519", "ES384", "none"] {
            let input = input(alg);
            let signature = desk.client.key.signing.sign_bytes(input.as_bytes()).unwrap();
            assertions.push(format!("{input}.{}", base64url::encode(signature)));
        }
        let stranger = ProofKey::make(&desk.app.ctx.random, counterfoil::oauth::jose::KeyKind::P256);
        assertions.push(stranger.sign_as(&json!({ "alg": "ES256" }), &desk.claims()));
        let named = json!({ "alg": "ES256", "kid": desk.client.key.jkt });
        assertions.push(stranger.sign_as(&named, &desk.claims()));
        desk.refuses(&assertions).await;
        desk.app.stop().await;
    }

    sqlite ["K10", "K11"]
    async fn one_method_with_its_name(db: TestDb) {
        let desk = Desk::new(&db).await;
        for kind in [None, Some(""), Some("urn:ietf:params:oauth:client-assertion-type:saml2-bearer")] {
            let assertion = desk.sign(&desk.claims());
            denied(desk.app.send(desk.request(&assertion, kind)).await, 400, "invalid_request");
        }
        let both = desk.request(&desk.sign(&desk.claims()), Some(URN));
        let both = both.header("Authorization", desk.client.basic());
        denied(desk.app.send(both).await, 400, "invalid_request");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion", &desk.sign(&desk.claims())),
            ("client_assertion_type", URN),
            ("client_secret", desk.client.secret.expose()),
        ];
        let proof = desk.client.key.proof(&desk.app, "POST", "/oauth/token", None);
        let both = Request::post("/oauth/token").header("DPoP", proof).form(&form);
        denied(desk.app.send(both).await, 400, "invalid_request");
        desk.refuses(&[]).await;
        desk.app.stop().await;
    }

    sqlite ["K12"]
    async fn a_proof_is_no_assertion(db: TestDb) {
        let desk = Desk::new(&db).await;
        let key = &desk.client.key;
        // It says all that both must say; typ alone keeps them apart.
        let mut claims = desk.claims();
        claims["htm"] = json!("POST");
        claims["htu"] = json!(desk.app.url("/oauth/token"));
        let proof = key.sign_as(&json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk }), &claims);
        let assertion = key.sign_as(&json!({ "typ": "JWT", "alg": "ES256", "jwk": key.jwk }), &claims);
        denied(desk.ask(&proof).await, 401, "invalid_client");
        let form =
            [("grant_type", "client_credentials"), ("client_assertion", &*assertion), ("client_assertion_type", URN)];
        let as_proof = Request::post("/oauth/token").header("DPoP", &assertion).form(&form);
        denied(desk.app.send(as_proof).await, 400, "invalid_dpop_proof");
        desk.refuses(&[]).await;
        desk.app.stop().await;
    }

    both ["K13"]
    async fn a_revoked_key_signs_no_assertions(db: TestDb) {
        let desk = Desk::new(&db).await;
        desk.refuses(&[]).await;
        let client = &desk.client;
        let second = ProofKey::make(&desk.app.ctx.random, counterfoil::oauth::jose::KeyKind::P256);
        let vouched = credentials::Possession::Vouched;
        credentials::add_key(&desk.app.ctx, &client.id, &second.jwk, vouched).await.unwrap();
        credentials::revoke_key(&desk.app.ctx, &client.id, &client.key.jkt).await.unwrap();
        desk.app.authority.access_changed().await.unwrap();
        let proof = second.proof(&desk.app, "POST", "/oauth/token", None);
        let ask = async |assertion: String| {
            let form = [
                ("grant_type", "client_credentials"),
                ("client_assertion", &*assertion),
                ("client_assertion_type", URN),
            ];
            desk.app.send(Request::post("/oauth/token").header("DPoP", &proof).form(&form)).await
        };
        denied(ask(desk.sign(&desk.claims())).await, 401, "invalid_client");
        let good = second.sign_as(&json!({ "alg": "ES256" }), &desk.claims());
        ask(good).await.expect_status(200);
        desk.app.stop().await;
    }
}
