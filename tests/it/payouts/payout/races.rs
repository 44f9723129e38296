//! Many at once: money is not spent twice, whoever comes first.

use futures_util::future::join_all;
use serde_json::json;

use super::{PATH, Shop};
use crate::support::{app::TestApp, both::both};

both! {
    async fn of_sixty_four_payouts_exactly_those_that_the_balance_covers_succeed(db: TestDb) {
        let app = TestApp::start(&db).await;
        // Each takes 1.25 with its fee; there is enough for forty, and a cent less than forty-one.
        let shop = Shop::open(&app, "51.24").await;
        let tries = (0..64).map(|number| {
            let shop = &shop;
            async move { shop.pay(&format!("key-{number}"), "1.00", &json!({})).await.status }
        });
        let statuses = join_all(tries).await;
        let made = statuses.iter().filter(|status| **status == 201).count();
        assert_eq!(made, 40, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 24, "{statuses:?}");
        assert_eq!(shop.balance("EUR").await, ["1.24", "50.00", "51.24"]);
        shop.let_go().await;
        assert_eq!(shop.balance("EUR").await, ["1.24", "0.00", "1.24"]);
        app.stop().await;
    }

    async fn one_key_from_a_hundred_callers_is_one_payout_and_a_hundred_equal_answers(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let nothing = json!({});
        let tries = (0..100).map(|_| shop.pay("one", "1.00", &nothing));
        let mut answers = Vec::new();
        for answer in join_all(tries).await {
            // A twin that is under way is told to come back; then it gets the same answer.
            let answer = if answer.status == 409 { shop.pay("one", "1.00", &json!({})).await } else { answer };
            answers.push(answer.expect_status(201).json());
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(shop.get(PATH).await["data"].as_array().unwrap().len(), 1);
        assert_eq!(shop.balance("EUR").await[1], "1.25");
        shop.let_go().await;
        app.stop().await;
    }

    async fn one_quote_from_a_hundred_callers_is_one_payout(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let body = json!({ "source_currency": "EUR", "dest_currency": "EUR", "amount": "2.00", "method": "sepa" });
        let quote = shop.client.post(&app, &shop.token, "/v1/pricing/quote", &body).await.json();
        let named = json!({ "quote_id": quote["quote_id"] });
        let tries = (0..100).map(|number| {
            let (shop, named) = (&shop, &named);
            async move { shop.pay(&format!("key-{number}"), "2.00", named).await.status }
        });
        let statuses = join_all(tries).await;
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 422].contains(status)), "{statuses:?}");
        shop.let_go().await;
        app.stop().await;
    }

    async fn cancelling_and_letting_go_at_once_ends_in_one_of_the_two(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        for number in 0..10 {
            let id = shop.paid(&format!("key-{number}"), "10.00", &json!({})).await;
            let path = format!("{PATH}/{id}/cancel");
            let (cancelled, ()) = futures_util::future::join(
                shop.post(&path, &format!("cancel-{number}"), &json!({})),
                app.run_due_jobs(),
            ).await;
            shop.let_go().await;
            let wanted = if cancelled.status == 200 { "cancelled" } else { "completed" };
            assert_eq!(shop.status(&id).await, wanted, "{}", cancelled.status);
        }
        app.stop().await;
    }
}
