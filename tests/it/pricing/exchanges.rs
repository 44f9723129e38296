//! Exchanges over HTTP: one quote, one movement of money, whatever happens around it.

use counterfoil::{
    base::environment::Environment,
    money::{Amount, Currency},
    payouts::balances,
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    app::TestApp,
    both::both,
    client::Client,
    http::{Request, Response},
};

const SCOPES: &str = "pricing:read pricing:quote fx:exchange balances:read";

async fn funded(app: &TestApp) -> (Client, String) {
    let client = app.client(SCOPES).await;
    let token = client.mint(app).await;
    let dollars = Amount::parse("1000.00", Currency::USD).unwrap();
    balances::credit(&app.ctx, Environment::Sandbox, client.merchant, dollars).await.unwrap();
    (client, token)
}

async fn quote(app: &TestApp, client: &Client, token: &str, amount: &str) -> Value {
    let body = json!({
        "sell_currency": "USD", "buy_currency": "EUR", "sell_amount": amount, "locked": true,
    });
    client.post(app, token, "/v1/fx/quote", &body).await.expect_status(201).json()
}

async fn exchange(app: &TestApp, client: &Client, token: &str, quote: &str, key: &str) -> Response {
    let path = "/v1/fx/exchange";
    let request =
        Request::post(path).header("Idempotency-Key", key).json(&json!({ "quote_id": quote }));
    client.send(app, token, "POST", path, request).await
}

async fn available(app: &TestApp, client: &Client, token: &str, currency: &str) -> String {
    let path = format!("/v1/balances/{currency}");
    let balance = client.get(app, token, &path).await.expect_status(200).json();
    balance["available"].as_str().unwrap().to_owned()
}

both! {
    async fn money_moves_between_own_balances_at_the_quoted_rate(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, token) = funded(&app).await;
        let quote = quote(&app, &client, &token, "400.00").await;
        let id = quote["id"].as_str().unwrap();
        let made = exchange(&app, &client, &token, id, "one").await.expect_status(201);
        let made = made.json();
        assert!(made["id"].as_str().unwrap().starts_with("fxx_"));
        for same in ["sell_amount", "buy_amount", "customer_rate", "mid_market_rate"] {
            assert_eq!(made[same], quote[same], "{same}");
        }
        assert_eq!(available(&app, &client, &token, "USD").await, "600.00");
        assert_eq!(available(&app, &client, &token, "EUR").await, quote["buy_amount"].as_str().unwrap());
        let listed = client.get(&app, &token, "/v1/fx/exchanges").await.expect_status(200).json();
        assert_eq!(listed, json!({ "data": [made], "has_more": false }));

        let replayed = exchange(&app, &client, &token, id, "one").await.expect_status(201);
        assert_eq!(replayed.header("X-Idempotent-Replayed"), Some("true"));
        assert_eq!(replayed.json(), made);
        let again = exchange(&app, &client, &token, id, "two").await.expect_status(422).json();
        assert_eq!(again["error"]["code"], "quote_already_used");
        assert_eq!(available(&app, &client, &token, "USD").await, "600.00");
        app.stop().await;
    }

    async fn of_many_at_once_one_exchanges(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, token) = funded(&app).await;
        let quote = quote(&app, &client, &token, "100.00").await;
        let id = quote["id"].as_str().unwrap();
        let tries = (0..20).map(|number| {
            let (app, client, token) = (&app, &client, &token);
            async move { exchange(app, client, token, id, &format!("key-{number}")).await.status }
        });
        let mut statuses = join_all(tries).await;
        statuses.sort_unstable();
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses[1..].iter().all(|status| *status == 422), "{statuses:?}");
        assert_eq!(available(&app, &client, &token, "USD").await, "900.00");
        app.stop().await;
    }

    async fn what_cannot_be_exchanged_changes_nothing_and_spends_nothing(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, token) = funded(&app).await;
        let (stranger, strangers) = funded(&app).await;
        let large = quote(&app, &client, &token, "1000.01").await;
        let large = large["id"].as_str().unwrap();
        let refused = exchange(&app, &client, &token, large, "k1").await.expect_status(422).json();
        assert_eq!(refused["error"]["code"], "insufficient_balance");
        // The key is free again, and so is the quote.
        let cent = Amount::parse("0.01", Currency::USD).unwrap();
        balances::credit(&app.ctx, Environment::Sandbox, client.merchant, cent).await.unwrap();
        exchange(&app, &stranger, &strangers, large, "k1").await.expect_status(404);
        exchange(&app, &client, &token, large, "k1").await.expect_status(201);
        assert_eq!(available(&app, &client, &token, "USD").await, "0.00");

        let late = quote(&app, &stranger, &strangers, "1.00").await;
        let ends: counterfoil::base::timestamp::Timestamp =
            late["expires_at"].as_str().unwrap().parse().unwrap();
        app.hands.advance(ends.since(app.ctx.now()));
        let strangers = stranger.mint(&app).await;
        let late = late["id"].as_str().unwrap();
        let gone = exchange(&app, &stranger, &strangers, late, "k2").await.expect_status(410).json();
        assert_eq!(gone["error"]["code"], "quote_expired");
        app.stop().await;
    }

    async fn an_address_exchanges_ten_times_a_minute_as_published(db: TestDb) {
        let app = TestApp::with(&db, |config| config.limits.fx_per_minute = 30).await;
        let (client, token) = funded(&app).await;
        let id = "fxq_01HX8Z9K0M2N3P4Q5R6S7T8VAB";
        for _ in 0..10 {
            exchange(&app, &client, &token, id, "k").await.expect_status(404);
        }
        let refused = exchange(&app, &client, &token, id, "k").await.expect_status(429);
        assert_eq!(refused.json()["error"]["code"], "rate_limited");
        assert!(refused.header("Retry-After").is_some());
        app.stop().await;
    }

    async fn malformed_wishes_are_told_what_is_wrong(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, token) = funded(&app).await;
        let path = "/v1/fx/exchange";
        let body = json!({ "quote_id": "fxq_01HX8Z9K0M2N3P4Q5R6S7T8UAB" });
        let keyless = client.post(&app, &token, path, &body).await.expect_status(400).json();
        assert_eq!(keyless["error"]["code"], "missing_idempotency_key");
        for (body, field) in [
            (json!({}), "quote_id"),
            (json!({ "quote_id": 7 }), "quote_id"),
            (json!({ "quote_id": "pq_01HX8Z9K0M2N3P4Q5R6S7T8UAB" }), "quote_id"),
        ] {
            let request = Request::post(path).header("Idempotency-Key", "k").json(&body);
            let refused = client.send(&app, &token, "POST", path, request).await;
            let refused = refused.expect_status(422).json();
            assert_eq!(refused["error"]["details"][0]["field"], field, "{body}");
        }
        let long = "x".repeat(256);
        let refused = exchange(&app, &client, &token, "fxq_1", &long).await.expect_status(400).json();
        assert_eq!(refused["error"]["code"], "invalid_idempotency_key");
        app.stop().await;
    }
}
