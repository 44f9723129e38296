//! Balances as merchants see them.

use counterfoil::{
    base::{environment::Environment, failure::Code},
    money::Amount,
    payouts::balances,
};

use crate::support::{app::TestApp, both::both};

both! {
    async fn a_balance_is_shown_at_its_currencys_scale_to_its_owner_only(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, stranger) =
            (app.client("balances:read").await, app.client("balances:read").await);
        let (token, strangers) = (client.mint(&app).await, stranger.mint(&app).await);
        let none = client.get(&app, &token, "/v1/balances").await.expect_status(200).json();
        assert_eq!(none, serde_json::json!({ "data": [] }));
        client.get(&app, &token, "/v1/balances/USD").await.expect_status(404);

        let credit = async |amount: &str, currency: &str| {
            let amount = Amount::parse(amount, currency.parse().unwrap()).unwrap();
            balances::credit(&app.ctx, Environment::Sandbox, client.merchant, amount).await
        };
        for (amount, currency) in [("1000", "USD"), ("0.5", "USD"), ("70", "JPY"), ("0.00000001", "BTC")] {
            credit(amount, currency).await.unwrap();
        }
        let listed = client.get(&app, &token, "/v1/balances").await.expect_status(200).json();
        let seen: Vec<_> = listed["data"].as_array().unwrap().iter()
            .map(|one| (one["currency"].as_str().unwrap(), one["available"].as_str().unwrap()))
            .collect();
        assert_eq!(seen, [("BTC", "0.00000001"), ("JPY", "70"), ("USD", "1000.50")]);
        let one = client.get(&app, &token, "/v1/balances/USD").await.expect_status(200).json();
        assert_eq!(one, listed["data"][2]);
        assert!(one["id"].as_str().unwrap().starts_with("bal_"));
        assert_eq!((&one["pending"], &one["total"]), (&"0.00".into(), &"1000.50".into()));
        stranger.get(&app, &strangers, "/v1/balances/USD").await.expect_status(404);

        for wrong in ["usd", "XXQ", "U%53D%20"] {
            let path = format!("/v1/balances/{wrong}");
            let refused = client.get(&app, &token, &path).await.expect_status(400).json();
            assert_eq!(refused["error"]["code"], "invalid_parameter", "{wrong}");
        }
        assert_eq!(credit("0", "USD").await.unwrap_err().code(), Code::ValidationError);
        assert_eq!(credit("-1", "USD").await.unwrap_err().code(), Code::ValidationError);
        app.stop().await;
    }

    async fn only_a_sandbox_makes_money_from_nothing(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("balances:read").await;
        let amount = Amount::parse("1", "USD".parse().unwrap()).unwrap();
        for environment in [Environment::Staging, Environment::Production] {
            let refused = balances::credit(&app.ctx, environment, client.merchant, amount).await;
            assert_eq!(refused.unwrap_err().code(), Code::SandboxOnly);
        }
        app.stop().await;
    }

    async fn a_token_without_the_right_is_told_which_one_it_lacks(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("pricing:read").await;
        let token = client.mint(&app).await;
        let refused = client.get(&app, &token, "/v1/balances").await.expect_status(403);
        let challenge = refused.header("WWW-Authenticate").unwrap();
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.contains("scope=\"balances:read\""), "{challenge}");
        let error = refused.json()["error"].clone();
        assert_eq!((&error["code"], &error["details"]["reason"]), (&"forbidden".into(), &"insufficient_scope".into()));
        app.stop().await;
    }
}
