//! The path that every integrator walks first.

use counterfoil::oauth::{
    jose::KeyKind,
    scopes::{Scope, Scopes},
};
use serde_json::json;

use crate::support::{app::TestApp, both::both, http::Request};

both! {
    async fn a_token_is_minted_and_used(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("pricing:read payouts:read").await;
        let answer = app.send(client.token_request(&app)).await.expect_status(200).json();
        assert_eq!(answer["token_type"], "DPoP");
        assert_eq!(answer["expires_in"], 28_800);
        assert_eq!(answer["scope"], "pricing:read payouts:read");
        assert_eq!(answer.as_object().unwrap().len(), 4, "and nothing else: {answer}");
        let token = answer["access_token"].as_str().unwrap();
        let seen = client.get(&app, token, "/v1/credential").await.expect_status(200).json();
        assert_eq!(seen["client_id"], client.id.as_str());
        assert_eq!(seen["merchant_id"], client.merchant.to_string());
        assert_eq!(seen["scopes"], json!(["pricing:read", "payouts:read"]));
        assert_eq!(seen["jkt"], client.key.jkt.as_str());
        app.stop().await;
    }

    async fn a_used_proof_is_refused_and_the_next_one_is_not(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client_with(KeyKind::Ed25519, Scopes::all()).await;
        let request = client.token_request(&app);
        app.send(request.clone()).await.expect_status(200);
        let replayed = app.send(request).await.expect_status(400);
        assert_eq!(replayed.json()["error"], "invalid_dpop_proof");
        client.mint(&app).await;
        app.stop().await;
    }

    async fn a_missing_right_is_named(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client_with(KeyKind::P256, [Scope::PricingRead].into_iter().collect()).await;
        let token = client.mint(&app).await;
        client.get(&app, &token, "/v1/credential").await.expect_status(200);
        let all = app.send(Request::get("/v1/credential")).await.expect_status(401);
        let challenge = all.header("WWW-Authenticate").unwrap();
        assert!(challenge.starts_with("DPoP ") && !challenge.contains("error"), "{challenge}");
        app.stop().await;
    }

    async fn a_revoked_token_is_refused_at_once(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("pricing:read").await;
        let (token, other) = (client.mint(&app).await, client.mint(&app).await);
        client.get(&app, &token, "/v1/credential").await.expect_status(200);
        let revoke = Request::post("/oauth/revoke")
            .header("Authorization", client.basic())
            .form(&[("token", &token)]);
        let answer = app.send(revoke).await.expect_status(200);
        assert!(answer.body.is_empty());
        let refused = client.get(&app, &token, "/v1/credential").await.expect_status(401);
        assert!(refused.header("WWW-Authenticate").unwrap().contains("error=\"invalid_token\""));
        client.get(&app, &other, "/v1/credential").await.expect_status(200);
        app.stop().await;
    }
}
