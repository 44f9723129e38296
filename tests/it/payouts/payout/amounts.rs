//! Who pays what when currencies change and somebody else bears the fee.

use counterfoil::money::{Amount, Currency, Rate, Rounding};
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
}
