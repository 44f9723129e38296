//! Revocation and introspection.

use std::time::Duration;

use counterfoil::oauth::{credentials, jose::KeyKind, scopes::Scopes};
use serde_json::{Value, json};

use super::{present, refused};
use crate::support::{
    app::TestApp,
    client::Client,
    http::{Request, Response},
};

async fn revoke(app: &TestApp, client: &Client, token: &str) -> Response {
    let request = Request::post("/oauth/revoke").header("Authorization", client.basic());
    app.send(request.form(&[("token", token), ("token_type_hint", "access_token")])).await
}

async fn introspect(app: &TestApp, client: &Client, token: &str) -> Value {
    let request = Request::post("/oauth/introspect").header("Authorization", client.basic());
    let answer = app.send(request.form(&[("token", token)])).await.expect_status(200);
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    answer.json()
}

fn inactive() -> Value {
    json!({ "active": false })
}

cases! {
    both ["RV1"]
    async fn a_client_ends_its_token(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let (token, other) = (client.mint(&app).await, client.mint(&app).await);
        present(&app, &client, &token).await.expect_status(200);
        let before = credentials::generation(&app.ctx).await.unwrap();
        for _ in 0..2 {
            let answer = revoke(&app, &client, &token).await.expect_status(200);
            assert!(answer.body.is_empty());
        }
        let after = credentials::generation(&app.ctx).await.unwrap();
        assert_eq!(after, before + 1, "what is revoked already empties nobody's caches again");
        refused(present(&app, &client, &token).await, 401, "invalid_token");
        assert_eq!(introspect(&app, &client, &token).await, inactive());
        present(&app, &client, &other).await.expect_status(200);
        app.hands.advance(Duration::from_hours(9));
        let answer = revoke(&app, &client, &other).await.expect_status(200);
        assert!(answer.body.is_empty(), "an expired one is ended already");
        app.stop().await;
    }

    both ["RV4"]
    async fn nobody_ends_a_token_of_another_client(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let sibling = app.client_of(client.merchant, KeyKind::P256, Scopes::all()).await;
        let stranger = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        for other in [&sibling, &stranger] {
            revoke(&app, other, &token).await.expect_status(200);
        }
        present(&app, &client, &token).await.expect_status(200);
        revoke(&app, &client, &token).await.expect_status(200);
        refused(present(&app, &client, &token).await, 401, "invalid_token");
        app.stop().await;
    }

    both ["I1", "I4"]
    async fn a_token_is_described_to_its_merchant_only(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("pricing:read payouts:read").await;
        let sibling = app.client_of(client.merchant, KeyKind::P256, Scopes::all()).await;
        let stranger = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let claims = super::tokens::claims_of(&token);
        for caller in [&client, &sibling] {
            let told = introspect(&app, caller, &token).await;
            assert_eq!(told["active"], true);
            assert_eq!(told["token_type"], "DPoP");
            for name in ["scope", "client_id", "exp", "iat", "sub", "aud", "iss", "jti", "cnf", "merchant_id"] {
                assert_eq!(told[name], claims[name], "{name}");
            }
        }
        assert_eq!(introspect(&app, &stranger, &token).await, inactive());
        app.stop().await;
    }

    both ["I2"]
    async fn whatever_else_is_inactive_and_nothing_more(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let other = app.client_of(client.merchant, KeyKind::P256, Scopes::all()).await;
        let (revoked, orphan, old) =
            (client.mint(&app).await, other.mint(&app).await, client.mint(&app).await);
        assert_eq!(introspect(&app, &client, &orphan).await["active"], true);
        revoke(&app, &client, &revoked).await.expect_status(200);
        credentials::revoke(&app.ctx, &other.id).await.unwrap();
        app.hands.advance(Duration::from_secs(1));
        let mut forged = old.clone();
        forged.truncate(old.len() - 4);
        for token in ["garbage", "a.b.c", &"x".repeat(5_000), &revoked, &orphan, &forged] {
            assert_eq!(introspect(&app, &client, token).await, inactive());
        }
        assert_eq!(introspect(&app, &client, &old).await["active"], true);
        app.hands.advance(Duration::from_hours(9));
        assert_eq!(introspect(&app, &client, &old).await, inactive());
        app.stop().await;
    }
}
