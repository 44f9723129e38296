//! Names on lists, limits, and a look at what is new.

use counterfoil::{
    money::{Amount, Currency},
    payouts::checks,
};
use serde_json::json;

use super::{PATH, Shop};
use crate::support::{app::TestApp, both::both, http::Request};

fn euros(text: &str) -> Amount {
    Amount::parse(text, Currency::EUR).unwrap()
}

both! {
    async fn a_name_on_a_list_is_not_paid_however_it_is_written(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let import = async |text: &str| {
            let names = checks::read_list("test-list", text).unwrap();
            checks::import(&app.ctx, &names, "test-list", app.ctx.now()).await.unwrap()
        };
        import("1;Somebody Else\n").await;
        let fine = shop.paid("one", "1.00", &json!({})).await;
        shop.let_go().await;
        assert_eq!(shop.status(&fine).await, "completed");
        // The server sees the new list at once, without a restart.
        import("7;LOVELACE, Áda\n").await;
        let hit = shop.paid("two", "1.00", &json!({})).await;
        shop.let_go().await;
        assert_eq!(shop.status(&hit).await, "screening_failed");
        let timeline = shop.get(&format!("{PATH}/{hit}/timeline")).await;
        let shown = format!("{} {timeline}", shop.payout(&hit).await);
        assert!(!shown.contains("test-list"), "who is under suspicion is not told why: {shown}");
        // Another name to show does not hide who it is.
        let path = format!("/v1/beneficiaries/{}", shop.payee);
        let renamed = Request::new("PUT", &path).json(&json!({ "display_name": "Nobody Special" }));
        shop.client.send(&app, &shop.token, "PUT", &path, renamed).await.expect_status(200);
        let hidden = shop.paid("hidden", "1.00", &json!({})).await;
        shop.let_go().await;
        assert_eq!(shop.status(&hidden).await, "screening_failed");
        import("1;Somebody Else\n").await;
        let fine = shop.paid("three", "1.00", &json!({})).await;
        shop.let_go().await;
        assert_eq!(shop.status(&fine).await, "completed");
        app.stop().await;
    }

    async fn deleting_somebody_is_no_way_around_the_lists(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let names = checks::read_list("test-list", "7;Ada Lovelace").unwrap();
        checks::import(&app.ctx, &names, "test-list", app.ctx.now()).await.unwrap();
        let hit = shop.paid("one", "1.00", &json!({})).await;
        let path = format!("/v1/beneficiaries/{}", shop.payee);
        shop.client.call(&app, &shop.token, "DELETE", &path).await.expect_status(204);
        shop.let_go().await;
        assert_eq!(shop.status(&hit).await, "screening_failed");
        app.stop().await;
    }

    async fn limits_count_what_is_under_way_and_forget_what_came_to_nothing(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            config.payouts.daily_caps = vec![euros("100.00")];
            config.payouts.monthly_caps = vec![euros("150.00")];
        }).await;
        let shop = Shop::open(&app, "1000.00").await;
        let pay = async |key: &str, amount: &str| {
            let id = shop.paid(key, amount, &json!({})).await;
            shop.let_go().await;
            shop.status(&id).await
        };
        assert_eq!(pay("one", "60.00").await, "completed");
        assert_eq!(pay("two", "40.01").await, "velocity_blocked");
        assert_eq!(pay("three", "40.00").await, "completed");
        app.hands.advance(std::time::Duration::from_hours(24));
        let token = shop.client.mint(&app).await;
        let shop = Shop { token, ..shop };
        let id = shop.paid("four", "50.01", &json!({})).await;
        shop.let_go().await;
        assert_eq!(shop.status(&id).await, "velocity_blocked");
        let told = shop.payout(&id).await["failure_reason"].as_str().unwrap().to_owned();
        assert!(told.contains("monthly limit of 150.00 EUR"), "{told}");
        assert_eq!(shop.told(&id).await.last().unwrap(), "payout.velocity_blocked");
        app.stop().await;
    }

    async fn a_large_first_payout_through_a_new_instrument_is_looked_at(db: TestDb) {
        let app = TestApp::with(&db, |config| config.payouts.review_new_from = vec![euros("500.00")]).await;
        let shop = Shop::open(&app, "5000.00").await;
        let large = shop.paid("one", "500.00", &json!({})).await;
        let small = shop.paid("two", "499.00", &json!({})).await;
        shop.let_go().await;
        assert_eq!(shop.status(&large).await, "pending_engine_review");
        assert_eq!(shop.status(&small).await, "completed");
        let second = shop.paid("three", "500.00", &json!({})).await;
        shop.let_go().await;
        assert_eq!(shop.status(&second).await, "completed");
        app.stop().await;
    }
}
