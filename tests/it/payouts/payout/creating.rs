//! Making payouts: what is answered, what is set aside, what is refused.

use counterfoil::money::Currency;
use serde_json::json;

use super::{PATH, Shop, code, fields};
use crate::support::{app::TestApp, both::both, http::Request};

both! {
    async fn a_payout_is_made_in_one_go_and_walks_to_its_end(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let more = json!({ "reference": "inv-7", "purpose": "contractor_payment", "metadata": { "a": "b" } });
        let made = shop.pay("one", "100.00", &more).await.expect_status(201).json();
        for (name, value) in [
            ("status", "created"), ("method", "sepa"), ("rail_type", "fiat"), ("source_amount", "100.00"),
            ("source_currency", "EUR"), ("dest_amount", "100.00"), ("dest_currency", "EUR"), ("fee", "0.25"),
            ("fee_currency", "EUR"), ("fee_bearer", "merchant"), ("fixed_side", "fixed_dest"),
            ("total_debited", "100.25"), ("total_debited_currency", "EUR"), ("reference", "inv-7"),
            ("purpose", "contractor_payment"),
        ] {
            assert_eq!(made[name], value, "{name}");
        }
        assert_eq!((&made["fee_finalized"], &made["metadata"]), (&json!(false), &json!({ "a": "b" })));
        assert!(made.get("exchange_rate").is_none() && made.get("buffer_amount").is_none());
        assert_eq!(shop.balance("EUR").await, ["899.75", "100.25", "1000.00"]);
        let id = made["id"].as_str().unwrap();
        let quote = shop.get(&format!("/v1/pricing/quotes/{}", made["quote_id"].as_str().unwrap())).await;
        assert_eq!(quote["state"], "consumed");

        shop.let_go().await;
        let done = shop.payout(id).await;
        assert_eq!((&done["status"], &done["fee_finalized"]), (&json!("completed"), &json!(true)));
        assert_eq!(done["rail_provider"], "sandbox");
        for moment in ["screened_at", "approved_at", "processed_at", "completed_at"] {
            assert!(done[moment].is_string(), "{moment}");
        }
        assert_eq!(
            shop.way(id).await,
            ["created", "pending_screening", "approved", "processing", "sent", "completed"]
        );
        assert_eq!(
            shop.told(id).await,
            ["created", "screening", "approved", "processing", "sent", "completed"].map(|word| format!("payout.{word}"))
        );
        assert_eq!(shop.balance("EUR").await, ["899.75", "0.00", "899.75"]);
        app.stop().await;
    }

    async fn the_same_request_twice_is_one_payout_and_another_body_is_refused(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let made = shop.pay("one", "100.00", &json!({})).await.expect_status(201).json();
        shop.let_go().await;
        let again = shop.pay("one", "100.00", &json!({})).await.expect_status(201);
        assert_eq!(again.header("X-Idempotent-Replayed"), Some("true"));
        assert_eq!(again.json(), made, "the answer of then, not the payout of now");
        let other = shop.pay("one", "100.01", &json!({})).await.expect_status(409);
        assert_eq!(code(&other), "idempotency_conflict");
        let bare = Request::post(PATH).json(&shop.order("1.00", &json!({})));
        let refused = shop.client.send(&app, &shop.token, "POST", PATH, bare).await.expect_status(400);
        assert_eq!(code(&refused), "missing_idempotency_key");
        assert_eq!(shop.balance("EUR").await[2], "899.75");
        app.stop().await;
    }

    async fn a_quote_is_used_by_the_payout_that_names_it_and_by_no_other(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let body = json!({ "source_currency": "EUR", "dest_currency": "EUR", "amount": "200.00", "method": "sepa" });
        let quote = shop.client.post(&app, &shop.token, "/v1/pricing/quote", &body).await.json();
        let named = json!({ "quote_id": quote["quote_id"] });
        let other = shop.pay("one", "200.01", &named).await.expect_status(422);
        assert_eq!((code(&other).as_str(), fields(&other)), ("quote_mismatch", vec!["source_amount".to_owned(), "dest_amount".to_owned()]));
        let made = shop.pay("one", "200.00", &named).await.expect_status(201).json();
        assert_eq!((&made["quote_id"], &made["fee"]), (&quote["quote_id"], &quote["fee"]));
        let again = shop.pay("two", "200.00", &named).await.expect_status(422);
        assert_eq!(code(&again), "quote_already_used");
        let late = shop.client.post(&app, &shop.token, "/v1/pricing/quote", &body).await.json();
        app.hands.advance(std::time::Duration::from_hours(1));
        let late = shop.pay("three", "200.00", &json!({ "quote_id": late["quote_id"] })).await.expect_status(422);
        assert_eq!(code(&late), "quote_expired");
        let list = shop.get(&format!("{PATH}?quote_id={}", quote["quote_id"].as_str().unwrap())).await;
        assert_eq!(list["data"][0]["id"], made["id"]);
        app.run_due_jobs().await;
        app.stop().await;
    }

    async fn what_cannot_be_paid_changes_nothing_and_spends_no_key(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "100.00").await;
        let other = Shop::open(&app, "100.00").await;
        let poor = shop.pay("one", "99.76", &json!({})).await.expect_status(422);
        assert_eq!(code(&poor), "insufficient_balance");
        for (more, wanted) in [
            (json!({ "method": "ach" }), "method"),
            (json!({ "method": "crypto" }), "method"),
            (json!({ "rail_type": "crypto" }), "rail_type"),
            (json!({ "dest_currency": "USD", "source_currency": "USD", "method": "wire" }), "dest_currency"),
            (json!({ "end_user_ip": "here" }), "end_user_ip"),
            (json!({ "metadata": { "a": 1 } }), "metadata"),
            (json!({ "surprise": true }), "surprise"),
        ] {
            let refused = shop.pay("one", "10.00", &more).await.expect_status(422);
            assert_eq!(code(&refused), "validation_error", "{more}");
            assert_eq!(fields(&refused), [wanted], "{more}");
        }
        for strange in ["beneficiary_id", "instrument_id"] {
            let id = if strange == "instrument_id" { &other.account } else { &other.payee };
            shop.pay("one", "10.00", &json!({ strange: id })).await.expect_status(404);
        }
        assert_eq!(shop.balance("EUR").await, ["100.00", "0.00", "100.00"]);
        assert_eq!(shop.get(PATH).await["data"], json!([]));
        shop.pay("one", "99.75", &json!({})).await.expect_status(201);
        app.stop().await;
    }

    async fn lists_are_narrowed_and_never_show_strangers(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        shop.fund("1000.00", Currency::USD).await;
        let mut ids = Vec::new();
        for number in 0..5 {
            let more = json!({ "reference": format!("ref-{}", number % 2) });
            ids.push(shop.paid(&format!("key-{number}"), "1.00", &more).await);
            app.hands.advance(std::time::Duration::from_mins(1));
        }
        let stranger = Shop::open(&app, "10.00").await;
        assert_eq!(stranger.get(PATH).await["data"], json!([]));
        stranger.client.get(&app, &stranger.token, &format!("{PATH}/{}", ids[0])).await.expect_status(404);
        let listed = async |query: &str| {
            let page = shop.get(&format!("{PATH}?{query}")).await;
            let data = page["data"].as_array().unwrap();
            data.iter().map(|payout| payout["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let picked = |wanted: &[usize]| wanted.iter().map(|n| ids[*n].clone()).collect::<Vec<_>>();
        assert_eq!(listed("").await, picked(&[4, 3, 2, 1, 0]));
        assert_eq!(listed("reference=ref-1").await, picked(&[3, 1]));
        assert_eq!(listed(&format!("beneficiary_id={}&reference=ref-0", shop.payee)).await, picked(&[4, 2, 0]));
        assert_eq!(listed("status=created&limit=2").await, picked(&[4, 3]));
        assert_eq!(listed("status=completed").await, picked(&[]));
        assert_eq!(listed("currency=EUR&method=sepa").await.len(), 5);
        assert_eq!(listed("currency=USD").await.len(), 0);
        let third = shop.payout(&ids[2]).await["created_at"].as_str().unwrap().to_owned();
        assert_eq!(listed(&format!("created_from={third}")).await, picked(&[4, 3, 2]));
        assert_eq!(listed(&format!("created_until={third}")).await, picked(&[1, 0]));
        let first = shop.get(&format!("{PATH}?reference=ref-0&limit=2")).await;
        assert_eq!(first["has_more"], true);
        let cursor = first["next_cursor"].as_str().unwrap();
        assert_eq!(listed(&format!("reference=ref-0&limit=2&cursor={cursor}")).await, picked(&[0]));
        for wrong in ["status=paid", "beneficiary_id=pay_1", "method=x", "currency=euro", "created_from=now", "limit=0", "page=2"] {
            let refused = shop.client.get(&app, &shop.token, &format!("{PATH}?{wrong}")).await;
            assert_eq!(code(&refused.expect_status(400)), "invalid_parameter", "{wrong}");
        }
        app.run_due_jobs().await;
        app.stop().await;
    }
}
