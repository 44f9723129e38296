//! Endpoints as merchants handle them.

use std::time::Duration;

use counterfoil::{base::failure::Result, config::Config, db};
use serde_json::{Value, json};

use super::receiver::Receiver;
use crate::support::{
    app::TestApp,
    both::{TestDb, both},
    client::Client,
    http::Request,
};

/// Loopback is where the receivers of tests are.
pub(super) fn nearby(config: &mut Config) {
    config.webhooks.allow_loopback = true;
}

/// Visits must renew their leases, and one that is killed is found soon.
pub(super) fn short_leases(config: &mut Config) {
    nearby(config);
    config.webhooks.lease = Duration::from_millis(30);
}

pub(super) async fn start(db: &TestDb) -> (TestApp, Client, String) {
    let app = TestApp::with(db, nearby).await;
    let client = app.client("webhooks:read webhooks:write").await;
    let token = client.mint(&app).await;
    (app, client, token)
}

pub(super) async fn make(app: &TestApp, client: &Client, token: &str, body: &Value) -> Value {
    client.post(app, token, "/v1/webhooks", body).await.expect_status(201).json()
}

pub(super) fn id(endpoint: &Value) -> &str {
    endpoint["id"].as_str().unwrap()
}

both! {
    async fn an_endpoint_is_made_shown_changed_and_taken_away(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let body = json!({
            "url": "https://hooks.example.com/in", "events": ["payout.*", "funding.credit"],
            "metadata": { "shop": "1" },
        });
        let mut made = make(&app, &client, &token, &body).await;
        let secret = made.as_object_mut().unwrap().remove("secret").unwrap();
        let digits = secret.as_str().unwrap().strip_prefix("whsec_").unwrap();
        assert!(digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        assert!(id(&made).starts_with("wbh_"));
        assert_eq!(made["status"], "active");
        assert_eq!((&made["dialect"], &made["version"]), (&json!("payouts"), &json!("2024-01-01")));
        assert_eq!(made["events"], body["events"]);
        let path = format!("/v1/webhooks/{}", id(&made));
        assert_eq!(client.get(&app, &token, &path).await.expect_status(200).json(), made);
        let listed = client.get(&app, &token, "/v1/webhooks").await.expect_status(200).json();
        assert_eq!(listed, json!({ "data": [made] }), "and the secret is in neither");

        let change = json!({ "events": ["*"] });
        let request = Request::new("PUT", &path).json(&change);
        let changed = client.send(&app, &token, "PUT", &path, request).await.expect_status(200).json();
        assert_eq!((&changed["events"], &changed["url"]), (&json!(["*"]), &made["url"]));
        assert_eq!(changed["metadata"], json!({ "shop": "1" }));

        let stranger = app.client("webhooks:read webhooks:write").await;
        let strangers = stranger.mint(&app).await;
        stranger.get(&app, &strangers, &path).await.expect_status(404);
        stranger.get(&app, &strangers, &format!("{path}/secret")).await.expect_status(404);
        stranger.call(&app, &strangers, "DELETE", &path).await.expect_status(404);
        stranger.call(&app, &strangers, "POST", &format!("{path}/test")).await.expect_status(404);

        client.call(&app, &token, "DELETE", &path).await.expect_status(204);
        client.get(&app, &token, &path).await.expect_status(404);
        client.get(&app, &token, &format!("{path}/secret")).await.expect_status(404);
        client.call(&app, &token, "DELETE", &path).await.expect_status(404);
        assert_eq!(client.get(&app, &token, "/v1/webhooks").await.json(), json!({ "data": [] }));
        app.stop().await;
    }

    async fn what_is_wrong_with_a_body_is_told_all_at_once(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("webhooks:write").await;
        let token = client.mint(&app).await;
        let body = json!({
            "url": "https://127.0.0.1/", "events": ["payout.creatd"], "dialect": "stores",
            "version": "1999-01-01", "metadata": { "n": 1 }, "secret": "mine",
        });
        let refused = client.post(&app, &token, "/v1/webhooks", &body).await.expect_status(422).json();
        let told = refused["error"]["details"].as_array().unwrap().clone();
        let fields: Vec<_> = told.iter().map(|fault| fault["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["url", "events", "dialect", "version", "metadata", "secret"]);
        let refused = client.post(&app, &token, "/v1/webhooks", &json!({})).await.expect_status(422).json();
        assert_eq!(refused["error"]["details"].as_array().unwrap().len(), 2);
        for url in ["http://hooks.example.com/", "https://10.0.0.1/", "https://hooks.example.com:22/"] {
            let body = json!({ "url": url, "events": ["*"] });
            client.post(&app, &token, "/v1/webhooks", &body).await.expect_status(422);
        }
        app.stop().await;
    }

    async fn without_the_right_nothing_can_be_seen_or_done(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let made = make(&app, &client, &token, &json!({ "url": "https://hooks.example.com/", "events": ["*"] })).await;
        let reader = app.client("webhooks:read").await;
        let readers = reader.mint(&app).await;
        let path = format!("/v1/webhooks/{}", id(&made));
        for (method, path) in [
            ("POST", "/v1/webhooks".to_owned()),
            ("PUT", path.clone()),
            ("DELETE", path.clone()),
            ("GET", format!("{path}/secret")),
            ("POST", format!("{path}/secret/rotate")),
            ("POST", format!("{path}/test")),
            ("POST", format!("{path}/redeliver")),
        ] {
            let refused = reader.call(&app, &readers, method, &path).await;
            assert_eq!(refused.status, 403, "{method} {path}");
        }
        app.stop().await;
    }

    async fn a_repeated_creation_is_the_same_endpoint_with_the_same_secret(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let body = json!({ "url": "https://hooks.example.com/", "events": ["*"] });
        let request = || Request::post("/v1/webhooks").header("Idempotency-Key", "k1").json(&body);
        let send = async || client.send(&app, &token, "POST", "/v1/webhooks", request()).await;
        let (first, second) = (send().await.expect_status(201), send().await.expect_status(201));
        assert_eq!(first.json(), second.json());
        assert_eq!(second.header("X-Idempotent-Replayed"), Some("true"));
        let secret = first.json()["secret"].as_str().unwrap().to_owned();
        // What is kept for the repetition is not sealed: the secret must not be in it, nor in a row.
        let kept: Result<Vec<(Vec<u8>,)>> = db::read!(app.ctx.db, |tx| {
            Ok(db::all!(tx, (Vec<u8>,), "SELECT body FROM idempotency_answers LIMIT 9")?)
        });
        let rows: Result<Vec<(Vec<u8>,)>> = db::read!(app.ctx.db, |tx| {
            Ok(db::all!(tx, (Vec<u8>,), "SELECT secret FROM webhook_endpoints LIMIT 9")?)
        });
        for (bytes,) in kept.unwrap().into_iter().chain(rows.unwrap()) {
            assert!(!String::from_utf8_lossy(&bytes).contains(&secret[6..]));
        }
        app.stop().await;
    }

    async fn a_secret_is_shown_and_changed(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let made = make(&app, &client, &token, &json!({ "url": "https://hooks.example.com/", "events": ["*"] })).await;
        let path = format!("/v1/webhooks/{}/secret", id(&made));
        let shown = client.get(&app, &token, &path).await.expect_status(200).json();
        assert_eq!(shown["secret"], made["secret"]);
        assert!(shown["public_key"].as_str().unwrap().starts_with("whpk_"));
        let rotate = format!("{path}/rotate");
        let request = || Request::post(&rotate).header("Idempotency-Key", "r1");
        let send = async || client.send(&app, &token, "POST", &rotate, request()).await;
        let (first, second) = (send().await.expect_status(200).json(), send().await.expect_status(200).json());
        assert_ne!(first["secret"], made["secret"]);
        assert_eq!(first, second, "a repetition changes nothing more");
        assert_eq!(client.get(&app, &token, &path).await.json()["secret"], first["secret"]);
        for wrong in [json!({ "grace_seconds": 86_401 }), json!({ "grace_seconds": -1 }), json!({ "now": true })] {
            client.post(&app, &token, &rotate, &wrong).await.expect_status(422);
        }
        app.stop().await;
    }

    async fn a_merchant_has_a_hundred_endpoints_at_most(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let body = json!({ "url": "https://hooks.example.com/", "events": ["*"] });
        for _ in 0..100 {
            make(&app, &client, &token, &body).await;
        }
        let refused = client.post(&app, &token, "/v1/webhooks", &body).await.expect_status(409).json();
        assert_eq!(refused["error"]["code"], "invalid_state");
        app.stop().await;
    }

    async fn tests_are_rationed(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            nearby(config);
            config.limits.sensitive_per_minute = 2;
        }).await;
        let client = app.client("webhooks:write").await;
        let token = client.mint(&app).await;
        let receiver = Receiver::saying(200).await;
        let made = make(&app, &client, &token, &json!({ "url": receiver.url(), "events": ["*"] })).await;
        let path = format!("/v1/webhooks/{}/test", id(&made));
        for _ in 0..2 {
            client.call(&app, &token, "POST", &path).await.expect_status(202);
        }
        client.call(&app, &token, "POST", &path).await.expect_status(429);
        app.stop().await;
    }
}
