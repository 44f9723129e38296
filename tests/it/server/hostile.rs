//! What strangers send to find a 5xx, and what they ask to cause work.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use crate::support::{
    app::TestApp,
    both::{TestDb, both},
    client::basic,
    http::Request,
};

/// `PostgreSQL` refuses a NUL in a text. Where one got so far, the answer was a 503 that asked the
/// caller to try again.
const ALL: &str = "pricing:read pricing:quote fx:exchange balances:read";

both! {
    async fn a_nul_is_refused_at_the_edge_wherever_it_stands(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client(ALL).await;
        let token = client.mint(&app).await;
        for prefix in ["pq_", "fxx_"] {
            for id in [format!("{prefix}\0"), format!("{prefix}\0{}", "A".repeat(25))] {
                let cursor = BASE64_URL_SAFE_NO_PAD.encode(json!({ "id": id }).to_string());
                let list = if prefix == "pq_" { "/v1/pricing/quotes" } else { "/v1/fx/exchanges" };
                let path = format!("{list}?cursor={cursor}");
                let refused = client.get(&app, &token, &path).await.expect_status(400).json();
                assert_eq!(refused["error"]["code"], "invalid_parameter", "{path}");
            }
        }
        for path in [
            "/v1/pricing/quotes?cursor=%00",
            "/v1/pricing/quotes?limit=%00",
            "/v1/pricing/quotes?limit=1%00",
            "/v1/pricing/quotes?%00=1",
            "/v1/pricing/quotes/pq_%00",
            "/v1/balances/%00",
            "/v1/fx/rate?sell_currency=USD%00&buy_currency=EUR",
        ] {
            let refused = client.get(&app, &token, path).await.expect_status(400).json();
            assert_eq!(refused["error"]["code"], "invalid_parameter", "{path}");
        }
        let body = json!({ "quote_id": "a\0b", "name\0": "\0" });
        let request = Request::post("/v1/fx/exchange").header("Idempotency-Key", "nul").json(&body);
        let refused = client.send(&app, &token, "POST", "/v1/fx/exchange", request).await;
        let fields = refused.expect_status(422).json()["error"]["details"].clone();
        assert_eq!(fields.as_array().map(Vec::len), Some(2), "{fields}");
        app.stop().await;
    }

    async fn a_nul_in_a_form_is_the_callers_mistake(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client(ALL).await;
        let authorization = basic(client.id.as_str(), client.secret.expose());
        for (path, field) in [
            ("/oauth/token", "client_id"),
            ("/oauth/token", "scope"),
            ("/oauth/token", "resource"),
            ("/oauth/token", "client_assertion"),
            ("/oauth/token", "anything"),
            ("/oauth/revoke", "token"),
            ("/oauth/revoke", "token_type_hint"),
            ("/oauth/introspect", "token"),
        ] {
            for value in ["\0", "ant_oc_sandbox_\0", "a.b\0.c"] {
                let request = Request::post(path)
                    .header("Authorization", &authorization)
                    .header("DPoP", client.key.proof(&app, "POST", path, None))
                    .form(&[("grant_type", "client_credentials"), (field, value)]);
                let answer = app.send(request).await;
                assert!(answer.status < 500, "{path} {field}: {}", answer.text());
            }
        }
        let nobody = Request::post("/oauth/token")
            .header("Authorization", basic("a\0b", "c\0d"))
            .header("DPoP", client.key.proof(&app, "POST", "/oauth/token", None))
            .form(&[("grant_type", "client_credentials")]);
        app.send(nobody).await.expect_status(401);
        app.stop().await;
    }
}

/// Probes answer whatever else goes on, but read no more of a request than any other route.
#[tokio::test]
async fn probes_have_the_limits_of_every_route() {
    let db = TestDb::sqlite().await;
    let app = TestApp::with(&db, |config| config.http.max_concurrent_requests = 1).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        app.send(Request::get(path)).await.expect_status(200);
        app.send(Request::get(path).body(vec![b'x'; 1_025])).await.expect_status(413);
        let lost = app.send(Request::get(path).header("Host", "a@b")).await.expect_status(400);
        assert_eq!(lost.json()["error"]["code"], "invalid_parameter", "{path}");
        let wrong = app.send(Request::post(path)).await.expect_status(405);
        assert_eq!(wrong.json()["error"]["code"], "method_not_allowed", "{path}");
    }
    app.stop().await;
}

/// One host owns 2^64 addresses of IPv6; with each of them it would begin to count anew.
#[tokio::test]
async fn a_network_of_ipv6_is_counted_as_one_address() {
    let db = TestDb::sqlite().await;
    let app = TestApp::with(&db, |config| {
        config.limits.address_per_minute = 2;
        config.limits.fx_per_minute = 1;
        config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let from = |address: &str, path: &str| Request::get(path).header("X-Forwarded-For", address);
    for (address, status) in [
        ("2001:db8::1", 200),
        ("2001:db8::2", 200),
        ("2001:db8::ffff:3", 429),
        ("2001:db8:0:1::1", 200),
        ("203.0.113.1", 200),
        ("203.0.113.2", 200),
        ("203.0.113.2", 200),
        ("203.0.113.2", 429),
    ] {
        let answer = app.send(from(address, "/.well-known/jwks.json")).await;
        assert_eq!(answer.status, status, "{address}");
    }
    let client = app.client(ALL).await;
    let token = client.mint(&app).await;
    let path = "/v1/fx/rate?sell_currency=USD&buy_currency=EUR";
    for (address, status) in [("2001:db8::1", 200), ("2001:db8::2", 429), ("2001:db8:0:1::1", 200)]
    {
        let request = from(address, path);
        client.send(&app, &token, "GET", path, request).await.expect_status(status);
    }
    app.stop().await;
}
