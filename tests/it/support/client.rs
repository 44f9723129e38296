//! A client that does everything right, so that a test can do one thing wrong.

use counterfoil::base::ids::MerchantId;
use counterfoil::{
    base::{environment::Environment, random::Random, secret::Secret, timestamp::Timestamp},
    oauth::{
        credentials::{self, ClientId, NewCredential, Possession},
        jose::{Jkt, KeyKind, PublicJwk, TokenHash, base64url},
        keys::SigningKey,
        merchants::{self, NewMerchant},
        scopes::Scopes,
    },
};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{
    app::TestApp,
    http::{Request, Response},
};

/// A registered client with its secret and its key.
pub(crate) struct Client {
    pub(crate) merchant: MerchantId,
    pub(crate) id: ClientId,
    pub(crate) secret: Secret<String>,
    pub(crate) key: ProofKey,
}

/// A key pair that signs proofs.
pub(crate) struct ProofKey {
    pub(crate) signing: SigningKey,
    /// The pair as a client would keep it.
    pub(crate) pem: Secret<String>,
    pub(crate) jwk: PublicJwk,
    pub(crate) jkt: Jkt,
}

impl ProofKey {
    pub(crate) fn make(random: &Random, kind: KeyKind) -> Self {
        let pem = SigningKey::generate(kind, random).unwrap();
        let signing = SigningKey::from_pem(&pem).unwrap();
        let (jwk, jkt) = (*signing.public().jwk(), *signing.kid());
        Self { signing, pem, jwk, jkt }
    }

    /// A proof as it should be, for the moment that the test's clock shows.
    pub(crate) fn proof(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        token: Option<&str>,
    ) -> String {
        self.sign(&claims(app, method, path, token))
    }

    /// A proof that says this.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let alg = self.signing.alg().name();
        self.sign_as(&json!({ "typ": "dpop+jwt", "alg": alg, "jwk": self.jwk }), claims)
    }

    /// Any header over any claims.
    pub(crate) fn sign_as(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// The same from texts, which need not be JSON.
    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        let input = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
        let signature = self.signing.sign_bytes(input.as_bytes()).unwrap();
        format!("{input}.{}", base64url::encode(signature))
    }
}

/// What a good proof says.
pub(crate) fn claims(app: &TestApp, method: &str, path: &str, token: Option<&str>) -> Value {
    claims_at(&app.base, app.ctx.now(), method, path, token)
}

/// The same for a server that is not a [`TestApp`].
pub(crate) fn claims_at(
    base: &str,
    now: Timestamp,
    method: &str,
    path: &str,
    token: Option<&str>,
) -> Value {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let jti = format!("proof-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let path = path.split('?').next().unwrap_or_default();
    let mut claims = json!({
        "jti": jti,
        "htm": method,
        "htu": format!("{base}{path}"),
        "iat": now.unix_seconds(),
    });
    if let Some(token) = token {
        claims["ath"] = json!(TokenHash::of(token).as_str());
    }
    claims
}

impl Client {
    /// Signs a request to this path and sends it with a token.
    pub(crate) async fn call(
        &self,
        app: &TestApp,
        token: &str,
        method: &str,
        path: &str,
    ) -> Response {
        self.send(app, token, method, path, Request::new(method, path)).await
    }

    /// The same for a request with headers and a body of its own.
    pub(crate) async fn send(
        &self,
        app: &TestApp,
        token: &str,
        method: &str,
        path: &str,
        request: Request,
    ) -> Response {
        let proof = self.key.proof(app, method, path, Some(token));
        let request = request.header("Authorization", format!("DPoP {token}"));
        app.send(request.header("DPoP", proof)).await
    }

    /// `POST` of a JSON body.
    pub(crate) async fn post(
        &self,
        app: &TestApp,
        token: &str,
        path: &str,
        body: &Value,
    ) -> Response {
        self.send(app, token, "POST", path, Request::post(path).json(body)).await
    }

    /// `GET`.
    pub(crate) async fn get(&self, app: &TestApp, token: &str, path: &str) -> Response {
        self.call(app, token, "GET", path).await
    }

    /// The value of the `Authorization` header at the token endpoint.
    pub(crate) fn basic(&self) -> String {
        basic(self.id.as_str(), self.secret.expose())
    }

    /// A token request that lacks nothing.
    pub(crate) fn token_request(&self, app: &TestApp) -> Request {
        Request::post("/oauth/token")
            .header("Authorization", self.basic())
            .header("DPoP", self.key.proof(app, "POST", "/oauth/token", None))
            .form(&[("grant_type", "client_credentials")])
    }

    /// A new token with every scope of the credential.
    pub(crate) async fn mint(&self, app: &TestApp) -> String {
        let answer = app.send(self.token_request(app)).await.expect_status(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

/// A Basic header of these two, which are written as they are.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(format!("{id}:{secret}")))
}

impl TestApp {
    /// A new merchant with a client that has these scopes and an ES256 key.
    pub(crate) async fn client(&self, scopes: &str) -> Client {
        self.client_with(KeyKind::P256, scopes.parse().unwrap()).await
    }

    /// A new merchant with a client.
    pub(crate) async fn client_with(&self, kind: KeyKind, scopes: Scopes) -> Client {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let email = format!("owner{}@shop.example", NUMBER.fetch_add(1, Ordering::Relaxed));
        let new = NewMerchant::check("Shop", &email).unwrap();
        let merchant = merchants::create(&self.ctx, &new).await.unwrap();
        self.client_of(merchant.id, kind, scopes).await
    }

    /// One more client of a merchant.
    pub(crate) async fn client_of(
        &self,
        merchant: MerchantId,
        kind: KeyKind,
        scopes: Scopes,
    ) -> Client {
        let key = ProofKey::make(&self.ctx.random, kind);
        let new = NewCredential {
            merchant_id: merchant,
            label: "test".to_owned(),
            scopes,
            addresses: Vec::new(),
            key: key.jwk,
        };
        let hasher = self.authority.hasher();
        let sandbox = Environment::Sandbox;
        let made =
            credentials::register(&self.ctx, hasher, sandbox, &new, Possession::Vouched).await;
        let made = made.unwrap();
        Client { merchant, id: made.credential.client_id, secret: made.secret, key }
    }
}
