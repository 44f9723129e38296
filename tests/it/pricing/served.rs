//! Pricing through the whole authenticated path of a running server.

use std::{collections::BTreeSet, time::Duration};

use counterfoil::pricing::plans::{self, Format};
use serde_json::{Value, json};

use crate::support::{
    app::TestApp,
    both::both,
    client::Client,
    http::{Request, Response},
};

fn example() -> Value {
    json!({
        "source_currency": "USD", "dest_currency": "EUR", "amount": "1000.00",
        "dest_country": "DE", "method": "sepa",
    })
}

/// The example with some members changed; null removes one.
fn with(changes: &Value) -> Value {
    let mut body = example();
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn is_decimal(value: &Value) -> bool {
    let text = value.as_str().unwrap();
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(fraction) && whole.len() <= 12
}

fn is_id(value: &Value, prefix: &str) -> bool {
    let body = value.as_str().unwrap().strip_prefix(prefix).unwrap();
    !body.is_empty() && body.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Status, code and the fields that the details name, each once and in order of the alphabet.
fn told(answer: &Response) -> (u16, String, String) {
    let error = &answer.json()["error"];
    let fields = error["details"].as_array().into_iter().flatten();
    let fields: BTreeSet<&str> = fields.filter_map(|fault| fault["field"].as_str()).collect();
    let fields: Vec<&str> = fields.into_iter().collect();
    (answer.status, error["code"].as_str().unwrap().to_owned(), fields.join(","))
}

fn expected(status: u16, code: &str, fields: &str) -> (u16, String, String) {
    (status, code.to_owned(), fields.to_owned())
}

async fn start(db: &crate::support::both::TestDb) -> (TestApp, Client, String) {
    let app = TestApp::with(db, |config| config.limits.fx_per_minute = 1_000_000).await;
    let client = app.client("pricing:read pricing:quote").await;
    let token = client.mint(&app).await;
    (app, client, token)
}

/// Each hostile body, with the documented refusal.
fn hostile() -> Vec<(Value, u16, &'static str, &'static str)> {
    let invalid =
        |changes: Value, fields: &'static str| (with(&changes), 422, "validation_error", fields);
    vec![
        (json!({}), 422, "validation_error", "amount,dest_currency,source_currency"),
        (json!([]), 422, "validation_error", "(body)"),
        (json!("text"), 422, "validation_error", "(body)"),
        (json!(null), 422, "validation_error", "(body)"),
        (json!(17), 422, "validation_error", "(body)"),
        invalid(json!({ "source_currency": null }), "source_currency"),
        invalid(json!({ "source_currency": 840 }), "source_currency"),
        invalid(json!({ "source_currency": "usd" }), "source_currency"),
        invalid(json!({ "source_currency": "US" }), "source_currency"),
        invalid(json!({ "source_currency": "DOLLAR" }), "source_currency"),
        invalid(json!({ "source_currency": "ABC" }), "source_currency"),
        invalid(json!({ "source_currency": "XAU" }), "source_currency"),
        invalid(json!({ "source_currency": "" }), "source_currency"),
        invalid(json!({ "dest_currency": ["EUR"] }), "dest_currency"),
        invalid(json!({ "dest_currency": "EUR " }), "dest_currency"),
        invalid(json!({ "dest_currency": "EUR\u{0}" }), "dest_currency"),
        invalid(json!({ "dest_currency": "ЕUR" }), "dest_currency"),
        invalid(json!({ "amount": 1000 }), "amount"),
        invalid(json!({ "amount": 1000.5 }), "amount"),
        invalid(json!({ "amount": "" }), "amount"),
        invalid(json!({ "amount": "0" }), "amount"),
        invalid(json!({ "amount": "0.00" }), "amount"),
        invalid(json!({ "amount": "-1.00" }), "amount"),
        invalid(json!({ "amount": "1.001" }), "amount"),
        invalid(json!({ "amount": "1.000" }), "amount"),
        invalid(json!({ "amount": "1e3" }), "amount"),
        invalid(json!({ "amount": "1,000.00" }), "amount"),
        invalid(json!({ "amount": " 1.00" }), "amount"),
        invalid(json!({ "amount": "1." }), "amount"),
        invalid(json!({ "amount": ".5" }), "amount"),
        invalid(json!({ "amount": "+1.00" }), "amount"),
        invalid(json!({ "amount": "NaN" }), "amount"),
        invalid(json!({ "amount": "1234567890123.00" }), "amount"),
        invalid(json!({ "amount": "٣.00" }), "amount"),
        invalid(json!({ "amount": "9".repeat(10_000) }), "amount"),
        invalid(json!({ "amount": "0.01" }), "amount"),
        invalid(json!({ "source_currency": "JPY", "amount": "1.5" }), "amount"),
        invalid(json!({ "dest_country": "Germany" }), "dest_country"),
        invalid(json!({ "dest_country": "de" }), "dest_country"),
        invalid(json!({ "dest_country": "ZZ" }), "dest_country"),
        invalid(json!({ "dest_country": 49 }), "dest_country"),
        invalid(json!({ "method": "on_chain" }), "method"),
        invalid(json!({ "method": "SEPA" }), "method"),
        invalid(json!({ "method": { "kind": "sepa" } }), "method"),
        invalid(json!({ "quote_id": "pq_1" }), "quote_id"),
        invalid(json!({ "merchant_id": "mer_1", "fee": "0.00" }), "fee,merchant_id"),
        invalid(
            json!({ "source_currency": 1, "amount": "x", "method": "fax", "extra": 1 }),
            "amount,extra,method,source_currency",
        ),
        (with(&json!({ "dest_currency": "USDC" })), 422, "rate_unavailable", ""),
        (with(&json!({ "dest_currency": "VES" })), 422, "rate_unavailable", ""),
    ]
}

both! {
    async fn the_documented_example_is_answered_in_the_documented_patterns(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let answer = client.post(&app, &token, "/v1/pricing/quote", &example()).await.expect_status(201).json();
        assert!(is_decimal(&answer["fee"]), "{answer}");
        assert!(is_id(&answer["plan_id"], "prc_") && is_id(&answer["quote_id"], "pq_"), "{answer}");
        assert_eq!((&answer["fee_currency"], &answer["fee_type"]), (&json!("USD"), &json!("fixed")));
        assert_eq!(answer["fee"], "0.28", "a quarter of a euro in dollars: {answer}");
        assert!(answer["expires_at"].as_str().unwrap().ends_with('Z'), "{answer}");
        assert!(answer["quote_signature"].as_str().unwrap().contains(".."), "{answer}");
        for optional in ["dest_country", "method"] {
            let body = with(&json!({ optional: null }));
            client.post(&app, &token, "/v1/pricing/quote", &body).await.expect_status(201);
        }
        app.stop().await;
    }

    async fn every_hostile_body_gets_its_documented_refusal(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let bodies = hostile();
        assert!(bodies.len() >= 30);
        for (body, status, code, fields) in bodies {
            let answer = client.post(&app, &token, "/v1/pricing/quote", &body).await;
            let body = body.to_string().chars().take(200).collect::<String>();
            assert_eq!(told(&answer), expected(status, code, fields), "{body}");
        }
        for (body, media, status, code) in [
            ("{", "application/json", 400, "malformed_body"),
            (r#"{"amount":"1.00","amount":"2.00"}"#, "application/json", 400, "malformed_body"),
            ("\u{feff}{}", "application/json", 400, "malformed_body"),
            ("{}", "text/plain", 415, "unsupported_media_type"),
        ] {
            let request = Request::post("/v1/pricing/quote").header("Content-Type", media).body(body);
            let answer = client.send(&app, &token, "POST", "/v1/pricing/quote", request).await;
            assert_eq!(told(&answer), expected(status, code, ""), "{body}");
        }
        let list = client.get(&app, &token, "/v1/pricing/quotes").await.expect_status(200).json();
        assert_eq!(list["data"], json!([]), "none of it left anything behind");
        app.stop().await;
    }

    async fn a_corridor_without_a_plan_is_not_enabled(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("pricing:read pricing:quote").await;
        let token = client.mint(&app).await;
        let retired = plans::SANDBOX.replace("key = \"standard\"", "active = false\nkey = \"standard\"");
        plans::import(&app.ctx, &plans::drafts(&retired, Format::Toml).unwrap()).await.unwrap();
        app.hands.advance(Duration::from_secs(3));
        let body = with(&json!({ "method": "wallet" }));
        let answer = client.post(&app, &token, "/v1/pricing/quote", &body).await;
        assert_eq!(told(&answer), expected(422, "corridor_not_enabled", ""));
        app.stop().await;
    }

    async fn a_quote_is_shown_listed_and_explained_to_its_merchant_only(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let given = client.post(&app, &token, "/v1/pricing/quote", &example()).await.expect_status(201).json();
        let path = format!("/v1/pricing/quotes/{}", given["quote_id"].as_str().unwrap());
        let seen = client.get(&app, &token, &path).await.expect_status(200).json();
        assert_eq!((&seen["state"], &seen["fee"], &seen["offer"]), (&json!("open"), &given["fee"], &given["offer"]));
        assert_eq!(seen["quote_signature"], given["quote_signature"]);
        let why = client.get(&app, &token, &format!("{path}/explain")).await.expect_status(200).json();
        let won: Vec<_> = why["considered"].as_array().unwrap().iter().filter(|seen| seen["won"] == true).collect();
        assert_eq!((won.len(), &won[0]["plan_id"]), (1, &given["plan_id"]));
        assert!(why["considered"].as_array().unwrap().iter().all(|seen| seen["won"] == true || seen["reason"].is_string()));
        let last = why["steps"].as_array().unwrap().last().unwrap();
        assert_eq!(last["result"], format!("{} USD", given["fee"].as_str().unwrap()));
        let page = client.get(&app, &token, "/v1/pricing/quotes?limit=1").await.expect_status(200).json();
        assert_eq!((&page["data"][0]["quote_id"], &page["has_more"]), (&given["quote_id"], &json!(false)));

        let stranger = app.client("pricing:read").await;
        let foreign = stranger.mint(&app).await;
        for path in [path.clone(), format!("{path}/explain"), "/v1/pricing/quotes/pq_nothing1".to_owned()] {
            let answer = stranger.get(&app, &foreign, &path).await;
            assert_eq!(told(&answer).1, "not_found", "{path}");
        }
        let refused = stranger.post(&app, &foreign, "/v1/pricing/quote", &example()).await.expect_status(403);
        assert_eq!(told(&refused).1, "forbidden");
        for wrong in ["/v1/pricing/quotes/nothing", "/v1/pricing/quotes/%FF", "/v1/pricing/quotes?limit=0",
            "/v1/pricing/quotes?cursor=x", "/v1/pricing/quotes?state=open"] {
            let answer = client.get(&app, &token, wrong).await;
            assert_eq!((answer.status, told(&answer).1.as_str()), (400, "invalid_parameter"), "{wrong}");
        }
        app.hands.advance(Duration::from_mins(30));
        let seen = client.get(&app, &token, &path).await.expect_status(200).json();
        assert_eq!(seen["state"], "expired");
        app.stop().await;
    }

    async fn a_key_makes_the_answer_the_same_again(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let ask = async |key: &str, body: &Value| {
            let path = "/v1/pricing/quote";
            let request = Request::post(path).header("Idempotency-Key", key).json(body);
            client.send(&app, &token, "POST", path, request).await
        };
        let first = ask("one", &example()).await.expect_status(201);
        let again = ask("one", &example()).await.expect_status(201);
        assert_eq!((first.body, again.header("X-Idempotent-Replayed")), (again.body.clone(), Some("true")));
        let other = ask("one", &with(&json!({ "amount": "2.00" }))).await.expect_status(409);
        assert_eq!(told(&other).1, "idempotency_conflict");
        assert_eq!(told(&ask(&"k".repeat(256), &example()).await).1, "invalid_idempotency_key");
        app.stop().await;
    }

    async fn plans_are_shown_as_published(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let plans = client.get(&app, &token, "/v1/pricing").await.expect_status(200).json();
        let plans = plans["data"].as_array().unwrap();
        assert!(plans.len() > 5);
        for plan in plans {
            assert!(is_id(&plan["id"], "prc_") && plan["name"].is_string(), "{plan}");
            assert!(plan["active"].is_boolean() && plan["priority"].is_i64(), "{plan}");
            for amount in ["fixed_fee", "percentage_fee", "min_fee", "max_fee"] {
                assert!(plan.get(amount).is_none_or(is_decimal), "{amount} in {plan}");
            }
        }
        let tiered = plans.iter().find(|plan| plan["fee_type"] == "tiered").unwrap();
        assert!(is_decimal(&tiered["tiers"][0]["min_volume"]), "{tiered}");
        app.stop().await;
    }

    async fn a_rate_is_shown_and_an_exchange_is_promised(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let query = "/v1/fx/rate?sell_currency=USD&buy_currency=EUR&sell_amount=1000.00";
        let rate = client.get(&app, &token, query).await.expect_status(200).json();
        assert_eq!((&rate["mid_market_rate"], &rate["customer_rate"]), (&json!("0.8951"), &json!("0.8910")));
        assert_eq!((&rate["sell_amount"], &rate["buy_amount"]), (&json!("1000.00"), &json!("891.00")));
        assert_eq!((&rate["fx_markup_bps"], &rate["rate_timestamp"]), (&json!(45), &json!("2026-10-30T13:10:00Z")));
        let body = json!({ "sell_currency": "USD", "buy_currency": "EUR", "buy_amount": "891.00", "locked": true });
        let quote = client.post(&app, &token, "/v1/fx/quote", &body).await.expect_status(201).json();
        assert!(is_id(&quote["id"], "fxq_") && is_id(&quote["merchant_id"], "mer_"), "{quote}");
        assert_eq!((&quote["sell_amount"], &quote["locked"]), (&json!("1000.00"), &json!(true)));
        assert_eq!(quote["lock_expires_at"], quote["expires_at"]);
        for amount in ["buy_amount", "mid_market_rate", "customer_rate", "inverse_rate", "fx_fee"] {
            assert!(is_decimal(&quote[amount]), "{amount} in {quote}");
        }
        app.stop().await;
    }

    async fn hostile_fx_requests_are_refused_as_documented(db: TestDb) {
        let (app, client, token) = start(&db).await;
        for (query, status, code, fields) in [
            ("", 400, "invalid_parameter", "buy_currency,sell_currency"),
            ("?sell_currency=usd&buy_currency=EUR", 400, "invalid_parameter", "sell_currency"),
            ("?sell_currency=USD&buy_currency=USD", 400, "invalid_parameter", "buy_currency"),
            ("?sell_currency=USD&buy_currency=EUR&sell_amount=-1", 400, "invalid_parameter", "sell_amount"),
            ("?sell_currency=USD&buy_currency=EUR&sell_amount=0.01", 400, "invalid_parameter", "sell_amount"),
            ("?sell_currency=USD&buy_currency=EUR&locked=1", 400, "invalid_parameter", "locked"),
            ("?sell_currency=USD&sell_currency=EUR", 400, "invalid_parameter", ""),
            ("?sell_currency=%zz", 400, "invalid_parameter", ""),
            ("?sell_currency=USD&buy_currency=BTC", 422, "rate_unavailable", ""),
        ] {
            let answer = client.get(&app, &token, &format!("/v1/fx/rate{query}")).await;
            assert_eq!(told(&answer), expected(status, code, fields), "{query}");
        }
        let pair = |changes: Value| {
            let mut body = json!({ "sell_currency": "USD", "buy_currency": "EUR" });
            for (name, value) in changes.as_object().unwrap() {
                body[name] = value.clone();
            }
            body
        };
        for (body, fields) in [
            (json!({}), "buy_amount,buy_currency,sell_amount,sell_currency"),
            (pair(json!({})), "buy_amount,sell_amount"),
            (pair(json!({ "sell_amount": "1.00", "buy_amount": "1.00" })), "buy_amount,sell_amount"),
            (pair(json!({ "sell_amount": "1.00", "locked": "yes" })), "locked"),
            (pair(json!({ "sell_amount": "1.00", "rate": "9" })), "rate"),
            (pair(json!({ "sell_amount": "0.001" })), "sell_amount"),
            (pair(json!({ "sell_amount": "1.00", "buy_currency": "USD" })), "buy_currency"),
        ] {
            let answer = client.post(&app, &token, "/v1/fx/quote", &body).await;
            assert_eq!(told(&answer), expected(422, "validation_error", fields), "{body}");
        }
        app.stop().await;
    }

    async fn the_published_allowance_of_fx_holds(db: TestDb) {
        let app = TestApp::with(&db, |config| config.limits.fx_per_minute = 30).await;
        let client = app.client("pricing:read").await;
        let token = client.mint(&app).await;
        let path = "/v1/fx/rate?sell_currency=USD&buy_currency=EUR";
        for _ in 0..30 {
            client.get(&app, &token, path).await.expect_status(200);
        }
        let refused = client.get(&app, &token, path).await.expect_status(429);
        assert_eq!(told(&refused).1, "rate_limited");
        assert!(refused.header("Retry-After").is_some());
        app.stop().await;
    }

    async fn reference_data_is_listed(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let data = async |path: &str| {
            client.get(&app, &token, path).await.expect_status(200).json()["data"].as_array().unwrap().clone()
        };
        let currencies = data("/v1/currencies").await;
        let yen = currencies.iter().find(|currency| currency["code"] == "JPY").unwrap();
        assert_eq!((&yen["decimals"], &yen["kind"], &yen["numeric"]), (&json!(0), &json!("fiat"), &json!("392")));
        let countries = data("/v1/countries").await;
        let germany = countries.iter().find(|country| country["code"] == "DE").unwrap();
        assert_eq!((&germany["alpha3"], &germany["currencies"]), (&json!("DEU"), &json!(["EUR"])));
        let methods = data("/v1/payment-methods?country=DE").await;
        let iban = methods.iter().find(|method| method["method"] == "iban").unwrap();
        assert_eq!(iban["credentials"]["properties"]["iban"]["x-checksum"], "iban_mod97");
        assert!(methods.iter().all(|method| method["method"] != "us_bank"));
        assert_eq!(data("/v1/payment-methods").await.len(), 26);
        for wrong in ["?country=de", "?country=ZZ", "?country=DE&x=1"] {
            let path = format!("/v1/payment-methods{wrong}");
            assert_eq!(client.get(&app, &token, &path).await.status, 400, "{wrong}");
        }
        let corridors = data("/v1/corridors").await;
        assert!(corridors.iter().any(|corridor| corridor["method"] == "sepa" && corridor["dest_currency"] == "EUR"));
        assert!(corridors.iter().all(|corridor| corridor.get("provider").is_none()));
        app.stop().await;
    }
}
