//! Starting a sandbox over.

use std::{collections::BTreeSet, fs, path::Path};

use counterfoil::{config::Environment, db::Engine, money::Currency};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::shop::{PATH, Shop, code};
use crate::support::{
    app::TestApp,
    both::both,
    http::{Request, Response},
};

const RESET: &str = "/v1/merchant/sandbox/reset";
const PEOPLE: &str = "/v1/merchant/sandbox/seed-beneficiaries";
const PAYOUTS: &str = "/v1/merchant/sandbox/seed-payouts";
const QUOTE: &str = "/v1/pricing/quote";

async fn bare(shop: &Shop<'_>, path: &str) -> Response {
    shop.client.send(shop.app, &shop.token, "POST", path, Request::post(path)).await
}

async fn reset(shop: &Shop<'_>, scope: &str) -> Value {
    let done = bare(shop, &format!("{RESET}?scope={scope}")).await.expect_status(200).json();
    assert_eq!(done["merchant_id"], shop.client.merchant.to_string());
    assert_eq!(done["scope"], scope);
    done
}

fn statuses(list: &Value) -> Vec<String> {
    let data = list["data"].as_array().unwrap().iter();
    data.map(|payout| payout["status"].as_str().unwrap().to_owned()).collect()
}

const SEEDED: [&str; 8] = [
    "completed",
    "failed",
    "cancelled",
    "manual_review",
    "sent",
    "pending_approval",
    "returned",
    "completed",
];

both! {
    async fn balances_start_over_and_payouts_under_way_go_on(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        shop.fund("3.00", Currency::BTC).await;
        let done = shop.paid("one", "10.00", &json!({})).await;
        shop.let_go().await;
        let held = shop.paid("two", "100.00", &json!({ "reference": "sandbox:manual_review" })).await;
        let last = shop.get("/v1/events").await["last_sequence"].as_i64().unwrap();

        assert_eq!(bare(&shop, RESET).await.expect_status(200).json()["scope"], "balances");
        app.verify().await;
        assert_eq!(shop.balance("EUR").await, ["100000.00", "100.25", "100100.25"]);
        for currency in ["USD", "GBP"] {
            assert_eq!(shop.balance(currency).await, ["100000.00", "0.00", "100000.00"]);
        }
        shop.client.get(&app, &shop.token, "/v1/balances/BTC").await.expect_status(404);
        assert_eq!(shop.get("/v1/transactions").await["data"].as_array().unwrap().len(), 4);
        let events = shop.get("/v1/events").await;
        assert_eq!(events["last_sequence"], last + 3, "events stay, three credits were added");
        assert_eq!(shop.status(&done).await, "completed");
        app.run_due_jobs().await;
        shop.post(&format!("/v1/payouts/{held}/cancel"), "c", &json!({})).await.expect_status(200);
        assert_eq!(shop.balance("EUR").await, ["100100.25", "0.00", "100100.25"]);
        app.stop().await;
    }

    async fn everything_goes_and_what_is_made_again_has_new_names(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let body = json!({ "sell_currency": "EUR", "buy_currency": "USD", "sell_amount": "200.00" });
        let quote = shop.post("/v1/fx/quote", "fx", &body).await.json();
        let quote = quote["id"].as_str().or(quote["quote_id"].as_str()).unwrap().to_owned();
        shop.post("/v1/fx/exchange", "fx", &json!({ "quote_id": quote })).await.expect_status(201);
        let done = shop.paid("one", "10.00", &json!({})).await;
        shop.let_go().await;
        let going = shop.paid("two", "10.00", &json!({})).await;
        let neighbour = Shop::open(&app, "5.00").await;
        let last = shop.get("/v1/events").await["last_sequence"].as_i64().unwrap();

        assert_eq!(reset(&shop, "delete-all").await["status"], "deleted");
        app.verify().await;
        for path in ["balances", "accounts", "transactions", "payouts", "beneficiaries", "instruments", "pricing/quotes", "fx/exchanges"] {
            assert_eq!(shop.get(&format!("/v1/{path}")).await["data"], json!([]), "{path}");
        }
        for id in [&done, &going] {
            shop.client.get(&app, &shop.token, &format!("/v1/payouts/{id}")).await.expect_status(404);
        }
        shop.client.get(&app, &shop.token, "/v1/idempotency/one").await.expect_status(404);
        // The job of the payout that was under way finds nothing to do.
        shop.let_go().await;
        let events = shop.get("/v1/events").await;
        assert_eq!(events["last_sequence"], last, "what was told stays told");
        assert_eq!(neighbour.balance("EUR").await[2], "5.00");
        assert_eq!(neighbour.get("/v1/beneficiaries").await["data"].as_array().unwrap().len(), 1);

        assert_eq!(reset(&shop, "all").await["status"], "reset");
        app.verify().await;
        assert_eq!(shop.balance("USD").await[0], "100000.00");
        assert_eq!(shop.get("/v1/beneficiaries").await["data"], json!([]));
        assert_eq!(code(&bare(&shop, PAYOUTS).await.expect_status(422)), "no_beneficiaries");
        app.stop().await;
    }

    async fn a_full_reset_is_the_same_sandbox_every_time(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "0.00").await;
        let mut seen = Vec::new();
        for _ in 0..2 {
            assert_eq!(reset(&shop, "full-reset").await["status"], "reset");
            app.verify().await;
            let people = shop.get("/v1/beneficiaries?limit=100").await;
            let mut names: Vec<_> = people["data"].as_array().unwrap().iter()
                .map(|one| format!("{} {}", one["display_name"], one["country"])).collect();
            names.sort();
            let payouts = shop.get("/v1/payouts?limit=100").await;
            let mut facts: Vec<_> = payouts["data"].as_array().unwrap().iter()
                .map(|one| format!("{} {} {} {}", one["status"], one["source_amount"], one["source_currency"], one["method"]))
                .collect();
            facts.sort();
            let balances = ["EUR", "USD", "GBP"].map(|currency| shop.balance(currency));
            let balances = join_all(balances).await;
            seen.push((names, facts, balances));
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!((seen[0].0.len(), seen[0].1.len()), (12, 8));
        // What has its state keeps it, whatever the runner still does.
        shop.let_go().await;
        let states: BTreeSet<_> = statuses(&shop.get("/v1/payouts?limit=100").await).into_iter().collect();
        assert_eq!(states, SEEDED.map(str::to_owned).into());
        app.stop().await;
    }

    async fn seeders_work_after_everything_was_deleted_and_twice(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "0.00").await;
        reset(&shop, "delete-all").await;
        let first = bare(&shop, PEOPLE).await.expect_status(201).json();
        assert_eq!((first["data"].as_array().unwrap().len(), &first["skipped"]), (12, &json!(0)));
        let methods: BTreeSet<_> = shop.get("/v1/instruments?limit=100").await["data"].as_array().unwrap().iter()
            .map(|one| one["method"].as_str().unwrap().to_owned()).collect();
        assert!(methods.len() >= 8, "{methods:?}");
        let again = bare(&shop, PEOPLE).await.expect_status(201).json();
        assert_eq!((again["data"].as_array().unwrap().len(), &again["skipped"]), (0, &json!(12)));
        let made = bare(&shop, PAYOUTS).await.expect_status(201).json();
        assert_eq!(statuses(&made), SEEDED);
        app.verify().await;
        let again = bare(&shop, PAYOUTS).await.expect_status(201).json();
        assert_eq!(statuses(&again), SEEDED);
        app.run_due_jobs().await;
        app.stop().await;
    }

    async fn a_key_makes_one_reset_and_one_seeding(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1.00").await;
        for path in [format!("{RESET}?scope=all"), PEOPLE.to_owned(), PAYOUTS.to_owned()] {
            let first = shop.post(&path, "k", &json!({})).await;
            assert_eq!(first.header("X-Idempotent-Replayed"), None, "{path}");
            let again = shop.post(&path, "k", &json!({})).await;
            assert_eq!(again.header("X-Idempotent-Replayed"), Some("true"), "{path}");
            assert_eq!(again.text(), first.text());
        }
        assert_eq!(shop.get("/v1/payouts").await["data"].as_array().unwrap().len(), 8);
        let other = shop.post(&format!("{RESET}?scope=delete-all"), "k", &json!({})).await.expect_status(409);
        assert_eq!(code(&other), "idempotency_conflict");
        app.run_due_jobs().await;
        app.stop().await;
    }

    async fn ten_resets_an_hour_are_enough(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1.00").await;
        let refused = bare(&shop, &format!("{RESET}?scope=everything")).await.expect_status(400);
        assert_eq!(code(&refused), "invalid_parameter");
        for _ in 0..10 {
            reset(&shop, "balances").await;
        }
        let refused = bare(&shop, RESET).await.expect_status(429);
        assert_eq!(code(&refused), "rate_limited");
        assert!(refused.header("Retry-After").is_some());
        app.stop().await;
    }

    async fn whoever_meets_a_reset_is_answered_and_the_books_agree(db: TestDb) {
        let app = TestApp::start(&db).await;
        let mut twins = Vec::new();
        if db.engine == Engine::Postgres {
            twins.push(app.beside(&db, |_| ()).await);
        }
        let mut shop = Shop::open(&app, "0.00").await;
        let mut doors = vec![(&app, shop.token.clone())];
        for twin in &twins {
            doors.push((twin, shop.client.mint(twin).await));
        }
        let (all, full) = (format!("{RESET}?scope=delete-all"), format!("{RESET}?scope=full-reset"));
        let never_lose = [QUOTE, PEOPLE, RESET, &*all];
        let mut done = BTreeSet::new();
        // Two rounds of four resets: an hour allows ten.
        for round in 0..2 {
            reset(&shop, "delete-all").await;
            shop.fund("1000.00", Currency::EUR).await;
            shop.meet_somebody().await;
            let order = shop.order("5.00", &json!({}));
            let quote = json!({ "source_currency": "USD", "dest_currency": "EUR", "amount": "1000.00" });
            let calls = [
                (PATH, Some(&order)), (PATH, Some(&order)), (QUOTE, Some(&quote)), (PEOPLE, None),
                (PAYOUTS, None), (RESET, None), (&*all, None), (&*full, None),
            ];
            let asked = doors.iter().enumerate().flat_map(|by| {
                calls.iter().enumerate().map(move |call| (by, call))
            });
            let shop = &shop;
            let answers = asked.map(async |((door, (on, token)), (number, (path, body)))| {
                let mut request = Request::post(path);
                if let Some(body) = body {
                    let key = format!("{door} {round} {number}");
                    request = request.header("Idempotency-Key", &key).json(body);
                }
                let answer = shop.client.send(on, token, "POST", path, request).await;
                ((door, (*path).to_owned()), answer)
            });
            let (answers, ()) = tokio::join!(join_all(answers), app.run_due_jobs());
            for (asked, answer) in answers {
                match answer.status {
                    200 | 201 => _ = done.insert(asked),
                    404 | 409 | 422 => {}
                    // A machine that stands still can be too busy for a while, and says so.
                    503 if code(&answer) == "unavailable" => {}
                    other => panic!("{asked:?}: {other} {}", answer.text()),
                }
            }
            app.verify().await;
        }
        for door in 0..doors.len() {
            for path in never_lose {
                assert!(done.contains(&(door, path.to_owned())), "{door} {path}: {done:?}");
            }
        }
        shop.let_go().await;
        for twin in twins {
            twin.stop().await;
        }
        app.stop().await;
    }

    async fn elsewhere_nothing_is_deleted_or_made_up(db: TestDb) {
        let app = TestApp::with(&db, |config| config.environment = Environment::Staging).await;
        let client = app.client("sandbox:write payouts:read").await;
        let token = client.mint(&app).await;
        for path in [RESET, PEOPLE, PAYOUTS] {
            let refused = client.call(&app, &token, "POST", path).await.expect_status(403);
            assert_eq!(code(&refused), "sandbox_only", "{path}");
        }
        let reader = app.client("payouts:read").await;
        let token = reader.mint(&app).await;
        for path in [RESET, PEOPLE, PAYOUTS] {
            let refused = reader.call(&app, &token, "POST", path).await.expect_status(403);
            assert_eq!(code(&refused), "forbidden", "{path}");
        }
        app.stop().await;
    }
}

/// What a reset leaves of a merchant, each for a reason.
const KEPT: &[(&str, &str)] = &[
    ("events", "what was told stays told"),
    ("event_sequences", "numbers are never given twice"),
    ("pii_audit", "who looked stays known"),
    ("directory", "or nobody could call again"),
    ("credentials", "the same"),
    ("credential_keys", "the same"),
    ("credential_secrets", "the same"),
    ("credential_uses", "when a secret was used last stays known"),
    ("key_uses", "the same of keys"),
    ("key_challenges", "a key that is about to be registered still can be"),
    ("webhook_endpoints", "events are told as before"),
    ("webhook_deliveries", "what was told, and how often, stays known"),
    ("api_requests", "what was asked stays known"),
    ("payout_day_marks", "events stay, so what was counted of them is not counted again"),
    ("revoked_tokens", "or a revoked token would live again"),
    ("portal_users", "or nobody could sign in again"),
    ("portal_sessions", "whoever is signed in stays so"),
    ("portal_recovery_codes", "they are somebody's only way in without their telephone"),
    ("portal_passkeys", "whoever signs in with one still does"),
    ("portal_links", "an invitation that was sent still works"),
    ("portal_names", "a name that is taken stays taken"),
    ("portal_trail", "what people did stays known"),
];

/// A table that is new has to be emptied by a reset, or named above.
#[test]
fn a_reset_knows_every_table_of_a_merchant() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tables = BTreeSet::new();
    for entry in fs::read_dir(root.join("migrations/sqlite")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for part in text.split("CREATE TABLE ").skip(1) {
            let (name, rest) = part.split_once(' ').unwrap();
            let body = rest.split_once(") STRICT").map_or(rest, |(body, _)| body);
            if body.contains("merchant_id") {
                tables.insert(name.to_owned());
            }
        }
    }
    let mut deleted = String::new();
    for file in [
        "ledger/erasure/store.rs",
        "payouts/sandbox/store.rs",
        "pricing/erasure/store.rs",
        "web/idempotency/store.rs",
    ] {
        deleted += &fs::read_to_string(root.join("src").join(file)).unwrap();
    }
    let emptied =
        |table: &str| deleted.contains(&format!("DELETE FROM {table} WHERE merchant_id = $1"));
    let kept = |table: &str| KEPT.iter().any(|(name, _)| *name == table);
    let forgotten: Vec<_> = tables.iter().filter(|table| emptied(table) == kept(table)).collect();
    assert!(forgotten.is_empty(), "neither emptied nor kept, or both: {forgotten:?}");
}
