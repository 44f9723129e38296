//! What a key was used for, and the jobs that end what has had its time.

use std::time::Duration;

use counterfoil::{
    db,
    ledger::{self},
    money::{Amount, Currency},
};
use serde_json::json;

use super::shop::{PATH, Shop, code};
use crate::support::{app::TestApp, both::both, http::Request};

both! {
    async fn whoever_has_lost_the_answer_finds_out_by_the_key(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "100.00").await;
        let unused = shop.client.get(&app, &shop.token, "/v1/idempotency/order-1").await;
        assert_eq!(code(&unused.expect_status(404)), "not_found");
        shop.pay("order-1", "1000.00", &json!({})).await.expect_status(422);
        let refused = shop.client.get(&app, &shop.token, "/v1/idempotency/order-1").await;
        assert_eq!(code(&refused.expect_status(404)), "not_found", "what was refused has had no effect");
        let id = shop.paid("order-1", "10.00", &json!({})).await;
        let path = format!("{PATH}/{id}/cancel");
        shop.post(&path, "order-1", &json!({})).await.expect_status(200);
        let used = shop.get("/v1/idempotency/order-1").await;
        let at = app.ctx.now().to_string();
        assert_eq!(used, json!({ "key": "order-1", "data": [
            { "operation": "payouts.cancel", "resource_id": id, "created_at": at, "status": 200 },
            { "operation": "payouts.create", "resource_id": id, "created_at": at, "status": 201 },
        ]}));
        let payee = shop.get("/v1/idempotency/payee").await;
        assert_eq!(payee["data"][0]["resource_id"], shop.payee);

        let other = Shop::open(&app, "0.00").await;
        other.client.get(&app, &other.token, "/v1/idempotency/order-1").await.expect_status(404);
        let long = format!("/v1/idempotency/{}", "k".repeat(256));
        let refused = shop.client.get(&app, &shop.token, &long).await.expect_status(400);
        assert_eq!(code(&refused), "invalid_idempotency_key");
        let reader = app.client("balances:read").await;
        let token = reader.mint(&app).await;
        reader.get(&app, &token, "/v1/idempotency/order-1").await.expect_status(403);
        app.run_due_jobs().await;
        app.stop().await;
    }

    async fn answers_go_after_thirty_days_and_keys_never(db: TestDb) {
        let app = TestApp::start(&db).await;
        let mut shop = Shop::open(&app, "100.00").await;
        let id = shop.paid("old", "10.00", &json!({})).await;
        shop.let_go().await;
        shop.wait(Duration::from_hours(29 * 24)).await;
        shop.token = shop.client.mint(&app).await;
        let again = shop.pay("old", "10.00", &json!({})).await.expect_status(201);
        assert_eq!(again.header("X-Idempotent-Replayed"), Some("true"));
        shop.wait(Duration::from_hours(48)).await;
        shop.token = shop.client.mint(&app).await;
        let spent = shop.pay("old", "10.00", &json!({})).await.expect_status(409);
        assert_eq!(code(&spent), "idempotency_key_spent");
        let used = shop.get("/v1/idempotency/old").await;
        assert_eq!(used["data"][0]["resource_id"], id.as_str());
        assert!(used["data"][0].get("status").is_none(), "{used}");
        app.stop().await;
    }

    async fn holds_that_nobody_used_in_time_are_given_back_by_a_job(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "100.00").await;
        let merchant = shop.client.merchant;
        let end = app.ctx.now().plus(Duration::from_mins(10));
        let amount = Amount::parse("30.00", Currency::EUR).unwrap();
        db::write!(app.ctx.db, merchant, |tx| {
            ledger::place_hold(tx, &app.ctx, merchant, amount, "cart", Some(end)).await
        })
        .unwrap();
        shop.wait(Duration::from_mins(9)).await;
        assert_eq!(shop.balance("EUR").await, ["70.00", "30.00", "100.00"]);
        shop.wait(Duration::from_mins(2)).await;
        assert_eq!(shop.balance("EUR").await, ["100.00", "0.00", "100.00"]);
        app.stop().await;
    }

    async fn a_key_with_odd_characters_is_found_when_it_is_encoded(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "100.00").await;
        let id = shop.paid("a/b c", "10.00", &json!({})).await;
        let path = "/v1/idempotency/a%2Fb%20c";
        let used = shop.client.send(&app, &shop.token, "GET", path, Request::get(path)).await;
        assert_eq!(used.expect_status(200).json()["data"][0]["resource_id"], id.as_str());
        app.run_due_jobs().await;
        app.stop().await;
    }
}
