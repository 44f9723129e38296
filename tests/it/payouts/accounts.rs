//! Accounts, deposit coordinates and transactions.

use std::time::Duration;

use counterfoil::{
    base::mod97,
    config::{DepositAccount, Environment},
    money::Currency,
};
use serde_json::{Value, json};

use super::shop::{Shop, code};
use crate::support::{app::TestApp, both::both};

/// A sum of decimal texts of one scale, in their last place.
fn sum(of: &[Value], name: &str) -> i64 {
    let minor = |one: &Value| one[name].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    of.iter().map(minor).sum()
}

fn minor(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

async fn exchange(shop: &Shop<'_>, key: &str, amount: &str) {
    let body = json!({ "sell_currency": "EUR", "buy_currency": "USD", "sell_amount": amount });
    let quote = shop.post("/v1/fx/quote", key, &body).await.json();
    let id =
        quote["id"].as_str().or(quote["quote_id"].as_str()).unwrap_or_else(|| panic!("{quote}"));
    shop.post("/v1/fx/exchange", key, &json!({ "quote_id": id })).await.expect_status(201);
}

/// Every page, a few at a time, each transaction once.
async fn all(shop: &Shop<'_>, path: &str, limit: usize) -> Vec<Value> {
    let (mut found, mut more) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("{path}?limit={limit}{more}")).await;
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        found.extend(data.iter().cloned());
        if page["has_more"] == false {
            assert!(page.get("next_cursor").is_none());
            return found;
        }
        assert_eq!(data.len(), limit);
        more = format!("&cursor={}", page["next_cursor"].as_str().unwrap());
    }
}

both! {
    async fn what_moved_the_money_adds_up_to_the_money(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let step = || app.hands.advance(Duration::from_secs(5));
        step();
        let done = shop.paid("one", "100.00", &json!({})).await;
        shop.let_go().await;
        let failed = shop.paid("two", "50.00", &json!({ "reference": "sandbox:failed" })).await;
        shop.let_go().await;
        step();
        exchange(&shop, "three", "200.00").await;
        step();
        shop.paid("four", "25.00", &json!({})).await;
        step();
        shop.fund("7.00", Currency::USD).await;

        let list = all(&shop, "/v1/transactions", 100).await;
        let kinds: Vec<_> = list.iter().map(|one| one["type"].as_str().unwrap()).collect();
        assert_eq!(
            kinds,
            ["deposit", "hold", "fx_exchange", "fx_exchange", "release", "hold", "payout", "hold", "deposit"]
        );
        for currency in ["EUR", "USD"] {
            let own = all(&shop, &format!("/v1/accounts/{currency}/transactions"), 100).await;
            let same: Vec<_> = list.iter().filter(|one| one["currency"] == currency).cloned().collect();
            assert_eq!(own, same);
            let [available, _, total] = shop.balance(currency).await;
            assert_eq!(sum(&own, "amount"), minor(&total), "{currency}");
            assert_eq!(sum(&own, "available_amount"), minor(&available), "{currency}");
            let account = shop.get(&format!("/v1/accounts/{currency}")).await;
            assert!(own.iter().all(|one| one["account_id"] == account["id"]));
        }
        let of = |place: usize, name: &str| list[place][name].as_str().unwrap().to_owned();
        assert_eq!((of(6, "amount"), of(6, "available_amount")), ("-100.25".into(), "0.00".into()));
        assert_eq!((of(7, "amount"), of(7, "available_amount")), ("0.00".into(), "-100.25".into()));
        assert_eq!((of(4, "reference"), of(7, "reference")), (failed, done));
        assert!(of(2, "id").ends_with("EUR") && of(3, "id").ends_with("USD"), "two names for two sides");
        assert!(list.iter().all(|one| one["status"] == "posted"));

        for limit in 1..=4 {
            assert_eq!(all(&shop, "/v1/transactions", limit).await, list, "{limit} at a time");
            let own = all(&shop, "/v1/accounts/EUR/transactions", limit).await;
            assert_eq!(own.len(), list.iter().filter(|one| one["currency"] == "EUR").count());
        }
        let stranger = Shop::open(&app, "1.00").await;
        assert_eq!(all(&stranger, "/v1/transactions", 100).await.len(), 1);
        app.stop().await;
    }

    async fn unknown_parameters_are_ignored_where_that_is_published_and_nowhere_else(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1.00").await;
        let page = shop.get("/v1/transactions?currency=USD&type=payout&type=x&a=%00&b=%zz&limit=1").await;
        assert_eq!(page["data"][0]["currency"], "EUR");
        for wrong in ["limit=0", "limit=101", "cursor=x", "limit=1&limit=2", "cursor=%00"] {
            let path = format!("/v1/transactions?{wrong}");
            let refused = shop.client.get(&app, &shop.token, &path).await.expect_status(400);
            assert_eq!(code(&refused), "invalid_parameter", "{wrong}");
        }
        let path = "/v1/accounts/EUR/transactions?type=payout";
        shop.client.get(&app, &shop.token, path).await.expect_status(400);
        shop.client.get(&app, &shop.token, "/v1/accounts/euro/transactions").await.expect_status(400);
        let none = shop.get("/v1/accounts/JPY/transactions").await;
        assert_eq!(none, json!({ "data": [], "has_more": false }));
        app.stop().await;
    }

    async fn accounts_are_the_balances_and_a_sandbox_shows_where_to_pay_in(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (shop, other) = (Shop::open(&app, "1.50").await, Shop::open(&app, "0.00").await);
        let accounts = shop.get("/v1/accounts").await;
        let balance = shop.get("/v1/balances/EUR").await;
        assert_eq!(accounts["data"].as_array().unwrap().len(), 1);
        for name in ["id", "merchant_id", "currency", "available", "pending", "total", "updated_at"] {
            assert_eq!(accounts["data"][0][name], balance[name], "{name}");
        }
        assert_eq!(accounts["data"][0]["status"], "active");
        assert_eq!(shop.get("/v1/accounts/EUR").await, accounts["data"][0]);
        assert_eq!(other.get("/v1/accounts").await, json!({ "data": [] }));
        other.client.get(&app, &other.token, "/v1/accounts/EUR").await.expect_status(404);

        let details = shop.get("/v1/accounts/EUR/details").await;
        assert_eq!(details, shop.get("/v1/accounts/EUR/details").await);
        assert!(mod97::is_iban(details["iban"].as_str().unwrap()));
        assert_ne!(details["iban"], other.get("/v1/accounts/EUR/details").await["iban"]);
        let dollars = other.get("/v1/accounts/USD/details").await;
        assert_eq!((&dollars["country"], &dollars["holder_name"]), (&json!("US"), &json!("Shop")));
        assert!(dollars["routing_codes"]["aba"].is_string() && dollars.get("iban").is_none());
        shop.client.get(&app, &shop.token, "/v1/accounts/BTC/details").await.expect_status(404);
        app.stop().await;
    }

    async fn elsewhere_deposit_accounts_are_those_of_the_operator(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            config.environment = Environment::Staging;
            config.payouts.deposit_accounts = vec![DepositAccount {
                currency: Currency::EUR,
                country: "DE".parse().unwrap(),
                bank_name: "Example Bank".to_owned(),
                holder_name: "Example Ltd".to_owned(),
                iban: Some("DE89370400440532013000".to_owned()),
                bic: None,
                account_number: None,
                sort_code: None,
                routing_codes: Vec::new(),
            }];
        })
        .await;
        let client = app.client("balances:read").await;
        let token = client.mint(&app).await;
        let details = client.get(&app, &token, "/v1/accounts/EUR/details").await.expect_status(200).json();
        assert_eq!((&details["iban"], &details["holder_name"]), (&json!("DE89370400440532013000"), &json!("Example Ltd")));
        let refused = client.get(&app, &token, "/v1/accounts/USD/details").await.expect_status(404).json();
        assert!(refused["error"]["message"].as_str().unwrap().contains("USD"), "{refused}");
        app.stop().await;
    }
}
