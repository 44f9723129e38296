//! A suspended merchant, and the last uses that tell which credential is still needed.

use std::time::Duration;

use counterfoil::{
    base::{failure::Code, ids::MerchantId},
    oauth::{
        credentials,
        jose::KeyKind,
        merchants::{self, MerchantStatus},
        scopes::Scopes,
    },
};
use serde_json::json;

use crate::support::{
    app::TestApp,
    both::both,
    client::{Client, ProofKey},
    http::{Request, Response},
};

const ROUTE: &str = "/v1/credential";

async fn introspect(app: &TestApp, client: &Client, token: &str) -> Response {
    let request = Request::post("/oauth/introspect").header("Authorization", client.basic());
    app.send(request.form(&[("token", token)])).await.expect_status(200)
}

both! {
    /// The way of the command line and of other replicas: nobody tells this server.
    async fn a_suspended_merchant_is_refused_everywhere_within_the_pulse(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, other) = (app.client("payouts:read").await, app.client("payouts:read").await);
        let sibling = app.client_of(client.merchant, KeyKind::Ed25519, Scopes::all()).await;
        let (token, theirs) = (client.mint(&app).await, other.mint(&app).await);
        client.get(&app, &token, ROUTE).await.expect_status(200);
        assert_eq!(introspect(&app, &sibling, &token).await.json()["active"], true);

        let suspended = merchants::suspend(&app.ctx, client.merchant).await.unwrap();
        assert_eq!(suspended.status, MerchantStatus::Suspended);
        app.hands.advance(Duration::from_millis(500));
        let refused = client.get(&app, &token, ROUTE).await.expect_status(403);
        assert_eq!(refused.json()["error"]["code"], "forbidden");
        for client in [&client, &sibling] {
            let refused = app.send(client.token_request(&app)).await.expect_status(400);
            assert_eq!(refused.json()["error"], "unauthorized_client");
        }
        assert_eq!(introspect(&app, &sibling, &token).await.json(), json!({ "active": false }));
        other.get(&app, &theirs, ROUTE).await.expect_status(200);
        other.mint(&app).await;

        let resumed = merchants::resume(&app.ctx, client.merchant).await.unwrap();
        assert_eq!(resumed.status, MerchantStatus::Active);
        app.hands.advance(Duration::from_millis(500));
        client.get(&app, &token, ROUTE).await.expect_status(200);
        assert_eq!(introspect(&app, &sibling, &token).await.json()["active"], true);
        client.mint(&app).await;
        app.stop().await;
    }

    async fn only_a_change_of_status_empties_caches(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let generation = async || credentials::generation(&app.ctx).await.unwrap();
        let first = generation().await;
        for (change, after) in [(false, 0), (true, 1), (true, 1), (false, 2), (false, 2)] {
            let changed = if change {
                merchants::suspend(&app.ctx, client.merchant).await
            } else {
                merchants::resume(&app.ctx, client.merchant).await
            };
            assert_eq!(changed.unwrap().status == MerchantStatus::Suspended, change);
            assert_eq!(generation().await, first + after);
        }
        let nobody = MerchantId::make(&app.ctx.clock, &app.ctx.random);
        let refused = merchants::suspend(&app.ctx, nobody).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        assert_eq!(generation().await, first + 2);
        app.stop().await;
    }

    async fn the_last_use_of_each_key_is_noted_once_a_minute(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let unused = ProofKey::make(&app.ctx.random, KeyKind::Ed25519);
        let vouched = credentials::Possession::Vouched;
        credentials::add_key(&app.ctx, &client.id, &unused.jwk, vouched).await.unwrap();
        let credential = credentials::load(&app.ctx, &client.id).await.unwrap().unwrap().credential;
        let uses = async || credentials::last_uses(&app.ctx, &credential).await.unwrap();
        assert_eq!(uses().await.credential, None);
        let noted = async |at| {
            // It is noted behind the request's back.
            while uses().await.keys.get(client.key.jkt.as_str()) != Some(&at) {
                tokio::task::yield_now().await;
            }
        };
        let soon = async |at| tokio::time::timeout(Duration::from_secs(30), noted(at)).await.unwrap();
        let minted_at = app.ctx.now();
        let token = client.mint(&app).await;
        soon(minted_at).await;
        app.hands.advance(Duration::from_secs(59));
        client.get(&app, &token, ROUTE).await.expect_status(200);
        app.hands.advance(Duration::from_secs(1));
        client.get(&app, &token, ROUTE).await.expect_status(200);
        soon(app.ctx.now()).await;
        let uses = uses().await;
        assert_eq!(uses.credential, Some(app.ctx.now()));
        assert_eq!(uses.keys.len(), 1, "the other key was never used");
        let listed = credentials::list_with_uses(&app.ctx, client.merchant).await.unwrap();
        let [(found, listed)] = listed.as_slice() else { panic!("{} credentials", listed.len()) };
        assert_eq!(found.client_id, client.id);
        assert_eq!((&listed.keys, listed.credential), (&uses.keys, uses.credential));
        app.stop().await;
    }
}
