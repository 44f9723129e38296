//! Who pays what when currencies change and somebody else bears the fee.

use std::time::Duration;

use counterfoil::{
    base::failure::Result,
    db,
    money::{Amount, Currency, Rate, Rounding},
    pricing::plans,
};
use serde_json::{Value, json};

use super::{PATH, Shop, code, fields};
use crate::support::{app::TestApp, both::both};

fn cents(value: &Value) -> i64 {
    value.as_str().unwrap().replace('.', "").parse().unwrap()
}

both! {
    async fn an_exchange_is_priced_by_the_fixed_side_and_the_buffer_comes_back(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "0.00").await;
        shop.fund("1000.00", Currency::USD).await;
        let fixed_dest = json!({
            "source_currency": "USD", "source_amount": "1.00", "dest_amount": "100.00",
        });
        let made = shop.pay("dest", "0", &fixed_dest).await.expect_status(201).json();
        assert_eq!(made["dest_amount"], "100.00", "the fixed side stays as it was sent");
        let rate: Rate = made["exchange_rate"].as_str().unwrap().parse().unwrap();
        let hundred = Amount::parse("100.00", Currency::EUR).unwrap();
        let needed = rate.convert_back(hundred, Currency::USD, Rounding::Up).unwrap();
        assert_eq!(made["source_amount"], needed.render());
        let buffer = cents(&made["buffer_amount"]);
        assert!(buffer > 0);
        assert_eq!(made["buffer_currency"], "USD");
        let fee = cents(&made["fee"]);
        assert_eq!(made["fee_currency"], "USD");
        assert_eq!(cents(&made["total_debited"]), cents(&made["source_amount"]) + fee + buffer);
        shop.let_go().await;
        let spent = cents(&made["source_amount"]) + fee;
        let left = format!("{}.{:02}", (100_000 - spent) / 100, (100_000 - spent) % 100);
        assert_eq!(shop.balance("USD").await, [left.clone(), "0.00".to_owned(), left]);

        let fixed_source = json!({
            "source_currency": "USD", "source_amount": "100.00", "dest_amount": "1.00", "fixed_side": "fixed_source",
        });
        let made = shop.pay("source", "0", &fixed_source).await.expect_status(201).json();
        assert_eq!(made["source_amount"], "100.00");
        let hundred = Amount::parse("100.00", Currency::USD).unwrap();
        let got = rate.convert(hundred, Currency::EUR, Rounding::Down).unwrap();
        assert_eq!(made["dest_amount"], got.render());
        shop.let_go().await;
        app.stop().await;
    }

    async fn a_quoted_exchange_needs_no_buffer(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "0.00").await;
        shop.fund("1000.00", Currency::USD).await;
        let body = json!({ "source_currency": "USD", "dest_currency": "EUR", "amount": "200.00", "method": "sepa" });
        let quote = shop.client.post(&app, &shop.token, "/v1/pricing/quote", &body).await.json();
        let id = quote["quote_id"].as_str().unwrap();
        let dest = shop.get(&format!("/v1/pricing/quotes/{id}")).await["dest_amount"].clone();
        let named = json!({ "source_currency": "USD", "dest_amount": dest, "quote_id": id });
        let made = shop.pay("one", "200.00", &named).await.expect_status(201).json();
        assert!(made.get("buffer_amount").is_none(), "{made}");
        assert_eq!(made["dest_amount"], dest);
        shop.let_go().await;
        assert_eq!(shop.status(made["id"].as_str().unwrap()).await, "completed");
        app.stop().await;
    }

    async fn a_beneficiary_who_bears_the_fee_gets_less_and_the_merchant_pays_no_more(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let bears = json!({ "fee_bearer": "beneficiary" });
        let made = shop.pay("one", "100.00", &bears).await.expect_status(201).json();
        assert_eq!((&made["dest_amount"], &made["total_debited"]), (&json!("99.75"), &json!("100.00")));
        assert_eq!(shop.balance("EUR").await, ["900.00", "100.00", "1000.00"]);
        shop.let_go().await;
        assert_eq!(shop.balance("EUR").await, ["900.00", "0.00", "900.00"]);
        let eaten = shop.pay("two", "0.25", &bears).await.expect_status(422);
        assert_eq!((code(&eaten).as_str(), fields(&eaten)), ("validation_error", vec!["dest_amount".to_owned()]));
        shop.fund("500.00", Currency::USD).await;
        let abroad = json!({
            "fee_bearer": "beneficiary", "source_currency": "USD", "source_amount": "100.00",
            "dest_amount": "1.00", "fixed_side": "fixed_source",
        });
        let alone = json!({
            "source_currency": "USD", "source_amount": "100.00", "dest_amount": "1.00", "fixed_side": "fixed_source",
        });
        let abroad = shop.pay("three", "0", &abroad).await.expect_status(201).json();
        let alone = shop.pay("four", "0", &alone).await.expect_status(201).json();
        assert!(cents(&abroad["dest_amount"]) < cents(&alone["dest_amount"]));
        let debited = cents(&abroad["total_debited"]) - cents(&abroad["buffer_amount"]);
        assert_eq!(debited, 10_000);
        shop.let_go().await;
        let list = shop.get(&format!("{PATH}?status=completed")).await;
        assert_eq!(list["data"].as_array().unwrap().len(), 3);
        app.stop().await;
    }

    async fn a_fee_that_is_taken_on_arrival_is_booked_once_and_given_back_with_what_comes_back(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "0.00").await;
        shop.fund("1000.00", Currency::USD).await;
        let plan = r#"
            [[plans]]
            key = "on-arrival"
            name = "Taken on arrival"
            priority = 100
            source_currency = "USD"
            dest_currency = "EUR"
            fee_type = "fixed"
            fixed_fee = "2.00"
            fixed_currency = "EUR"
            fee_currency = "dest"
        "#;
        let drafts = plans::drafts(plan, plans::Format::Toml).unwrap();
        plans::import(&app.ctx, &drafts).await.unwrap();
        app.hands.advance(Duration::from_secs(3));
        let pay = async |key: &str, reference: &str| {
            let more = json!({
                "source_currency": "USD", "source_amount": "100.00", "dest_amount": "1.00",
                "fixed_side": "fixed_source", "fee_bearer": "beneficiary", "reference": reference,
            });
            let made = shop.pay(key, "0", &more).await.expect_status(201).json();
            shop.let_go().await;
            made
        };
        let made = pay("one", "plain").await;
        assert_eq!((&made["fee"], &made["fee_currency"]), (&json!("2.00"), &json!("EUR")));
        assert_eq!(shop.balance("USD").await, ["900.00", "0.00", "900.00"]);
        // What the house has earned is the fee, and its margin on the rate: 45 hundredths of a per cent.
        let earned = async || {
            let sql = "SELECT balance_minor FROM ledger_accounts WHERE currency = 'EUR' AND kind = 'fees'";
            let rows: Result<Vec<(i64,)>> = db::read!(app.ctx.db, |tx| Ok(db::all!(tx, (i64,), sql)?));
            rows.unwrap().iter().map(|(minor,)| *minor).sum::<i64>()
        };
        let margin = earned().await - 200;
        let gross = cents(&made["dest_amount"]) + 200;
        assert!((gross * 44 / 10_000..=gross * 47 / 10_000).contains(&margin), "{margin} of {gross}");

        pay("two", "sandbox:late_return").await;
        app.hands.advance(Duration::from_hours(25));
        app.run_due_jobs().await;
        let token = shop.client.mint(&app).await;
        let shop = Shop { token, ..shop };
        assert_eq!(shop.balance("USD").await, ["900.00", "0.00", "900.00"]);
        assert_eq!(earned().await, 200 + 2 * margin);
        app.stop().await;
    }
}
