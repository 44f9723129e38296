//! Credentials by hand: what the script of the page does, and what it never would.

use counterfoil::{
    base::secret::Secret,
    oauth::{credentials::ClientId, jose::KeyKind},
};
use serde_json::{Value, json};

use super::{
    Shop,
    visitor::{Visitor, between},
};
use crate::support::{
    app::TestApp,
    both::both,
    client::{Client, ProofKey},
    http::{Request, Response},
};

pub(super) async fn challenge(visitor: &mut Visitor<'_>) -> String {
    assert!(visitor.is_in().await);
    let request = Request::post("/portal/credentials/challenge");
    let token = visitor.form_token.clone();
    let answer = visitor.send(request.header("X-CSRF-Token", token)).await.expect_status(200);
    answer.json()["challenge"].as_str().unwrap().to_owned()
}

pub(super) fn signed(key: &ProofKey, challenge: &str) -> String {
    let header = json!({ "typ": "key-possession+jwt", "alg": key.signing.alg().name() });
    key.sign_as(&header, &json!({ "challenge": challenge }))
}

pub(super) fn text(jwk: &impl serde::Serialize) -> String {
    serde_json::to_string(jwk).unwrap()
}

async fn register(visitor: &mut Visitor<'_>, key: &ProofKey, proof: &str) -> Response {
    let fields = [
        ("label", "Till 4"),
        ("scope.pricing:read", "on"),
        ("scope.pricing:quote", "on"),
        ("jwk", &*text(&key.jwk)),
        ("proof", proof),
    ];
    visitor.post("/portal/credentials", &fields).await
}

/// What the page shows once.
pub(super) fn client(shop: &Shop, page: &str, key: ProofKey) -> Client {
    let shown = |id: &str| between(page, &format!("<code id=\"{id}\">"), "</code>").unwrap();
    let id = ClientId::presented(&shown("client-id")).unwrap();
    Client { merchant: shop.merchant, id, secret: Secret::new(shown("client-secret")), key }
}

both! {
    async fn a_credential_is_registered_used_rotated_and_revoked(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        for kind in [KeyKind::P256, KeyKind::Ed25519] {
            let key = ProofKey::make(&app.ctx.random, kind);
            let proof = signed(&key, &challenge(&mut owner).await);
            let page = register(&mut owner, &key, &proof).await.expect_status(200).text();
            assert!(page.contains("counterfoil call GET /v1/credential"));
            let mut client = client(&shop, &page, key);
            let token = client.mint(&app).await;
            let seen = client.get(&app, &token, "/v1/credential").await.expect_status(200).json();
            assert_eq!(seen["scopes"], json!(["pricing:read", "pricing:quote"]));

            let path = format!("/portal/credentials/{}", client.id);
            let page = owner.get(&path).await.expect_status(200).text();
            assert!(!page.contains(client.secret.expose()), "shown once");
            let rotate = format!("{path}/rotate");
            owner.post(&rotate, &[("overlap", "7")]).await.expect_status(422);
            let shown = owner.post(&rotate, &[("overlap", "0")]).await.expect_status(200).text();
            app.send(client.token_request(&app)).await.expect_status(401);
            let secret = between(&shown, "<code id=\"client-secret\">", "</code>").unwrap();
            client.secret = Secret::new(secret);
            client.mint(&app).await;

            owner.post(&format!("{path}/revoke"), &[]).await.expect_status(303);
            client.get(&app, &token, "/v1/credential").await.expect_status(401);
            assert!(owner.get(&path).await.text().contains("revoked"));
        }
        let trail = owner.get("/portal/trail").await.text();
        for line in ["Registered a credential", "Rotated the secret of", "Revoked a credential"] {
            assert_eq!(trail.matches(line).count(), 2, "{line}");
        }
        app.stop().await;
    }

    async fn a_key_must_sign_a_challenge_of_this_merchant_and_keep_its_private_half(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (shop, other) = (Shop::open(&app).await, Shop::open(&app).await);
        let (mut owner, mut stranger) = (shop.owner(&app).await, other.owner(&app).await);
        let key = ProofKey::make(&app.ctx.random, KeyKind::P256);
        let thief = ProofKey::make(&app.ctx.random, KeyKind::P256);
        let open = challenge(&mut owner).await;
        for proof in [
            String::new(),
            signed(&key, "invented"),
            signed(&thief, &open),
            signed(&key, &challenge(&mut stranger).await),
        ] {
            let refused = register(&mut owner, &key, &proof).await;
            assert_eq!(refused.status, 400, "{}", refused.text());
        }
        let mut private: Value = serde_json::to_value(key.jwk).unwrap();
        private["d"] = json!("c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYzE");
        let fields = [("label", "x"), ("scope.pricing:read", "on"), ("jwk", &*text(&private))];
        let refused = owner.post("/portal/credentials", &fields).await.expect_status(422).text();
        assert!(refused.contains("private member") && !refused.contains("c2VjcmV0"));
        let bare = owner.post("/portal/credentials", &[("label", "")]).await.expect_status(422);
        for told in ["1 to 100 printable", "one right or more", "made first"] {
            assert!(bare.text().contains(told), "{told}");
        }
        let proof = signed(&key, &open);
        register(&mut owner, &key, &proof).await.expect_status(200);
        let again = register(&mut owner, &key, &proof).await;
        assert!([400, 409].contains(&again.status), "a challenge is used up: {}", again.status);
        app.stop().await;
    }

    async fn keys_are_added_and_retired(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        let key = ProofKey::make(&app.ctx.random, KeyKind::P256);
        let proof = signed(&key, &challenge(&mut owner).await);
        let page = register(&mut owner, &key, &proof).await.expect_status(200).text();
        let old = key.jkt;
        let mut client = client(&shop, &page, key);
        let token = client.mint(&app).await;
        let next = ProofKey::make(&app.ctx.random, KeyKind::Ed25519);
        let proof = signed(&next, &challenge(&mut owner).await);
        let path = format!("/portal/credentials/{}", client.id);
        owner.get(&format!("{path}/keys/new")).await.expect_status(200);
        let fields = [("jwk", &*text(&next.jwk)), ("proof", &proof)];
        owner.post(&format!("{path}/keys"), &fields).await.expect_status(303);
        client.get(&app, &token, "/v1/credential").await.expect_status(200);
        owner.post(&format!("{path}/keys/{old}/retire"), &[]).await.expect_status(303);
        client.get(&app, &token, "/v1/credential").await.expect_status(401);
        owner.post(&format!("{path}/keys/{old}/retire"), &[]).await.expect_status(404);
        client.key = next;
        client.mint(&app).await;
        app.stop().await;
    }
}
