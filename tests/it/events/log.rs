//! The log: numbered without gaps, whoever writes at once and whatever is undone.

use counterfoil::{
    base::{
        environment::Environment,
        failure::{Code, Failure, Result},
    },
    db,
    events::log::{self, EventType, NewEvent},
    money::{Amount, Currency},
    payouts::balances,
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{app::TestApp, both::both, client::Client};

async fn page(app: &TestApp, client: &Client, token: &str, query: &str) -> Value {
    client.get(app, token, &format!("/v1/events{query}")).await.expect_status(200).json()
}

async fn append(app: &TestApp, client: &Client, kind: EventType, undone: bool) {
    let event = NewEvent::new(kind, "pay_1", &json!({ "id": "pay_1" })).unwrap();
    let outcome: Result<()> = db::write!(app.ctx.db, client.merchant, |tx| {
        log::append(tx, &app.ctx, client.merchant, &event).await?;
        if undone { Err(Failure::new(Code::InvalidState)) } else { Ok(()) }
    });
    assert_eq!(outcome.is_err(), undone);
}

async fn change(app: &TestApp, client: &Client, sql: &'static str) {
    let changed: Result<u64> =
        db::write!(app.ctx.db, client.merchant, |tx| Ok(db::exec!(tx, sql)?));
    assert_eq!(changed.unwrap(), 1);
}

both! {
    async fn numbers_leave_no_gap_whatever_is_undone(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, other) = (app.client("webhooks:read").await, app.client("webhooks:read").await);
        join_all((0..60).map(|number| append(&app, &client, EventType::Test, number % 3 == 0))).await;
        append(&app, &other, EventType::Test, false).await;
        let token = client.mint(&app).await;
        let (mut seen, mut after) = (Vec::new(), 0);
        loop {
            let page = page(&app, &client, &token, &format!("?after={after}&limit=7")).await;
            let data = page["data"].as_array().unwrap();
            seen.extend(data.iter().map(|event| event["sequence"].as_i64().unwrap()));
            after = page["next_after"].as_i64().unwrap();
            if after == page["last_sequence"].as_i64().unwrap() {
                break;
            }
            assert_eq!(data.len(), 7);
        }
        assert_eq!(seen, (1..=40).collect::<Vec<i64>>());
        let others = other.mint(&app).await;
        assert_eq!(page(&app, &other, &others, "").await["data"].as_array().unwrap().len(), 1);
        app.stop().await;
    }

    async fn a_filter_hides_and_the_place_to_go_on_still_moves(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("webhooks:read").await;
        for kind in [EventType::PayoutCreated, EventType::Test, EventType::PayoutFailed, EventType::Test] {
            append(&app, &client, kind, false).await;
        }
        let token = client.mint(&app).await;
        let shown = page(&app, &client, &token, "?types=payout.created,payout.failed").await;
        let kinds: Vec<_> = shown["data"].as_array().unwrap().iter().map(|e| e["type"].clone()).collect();
        assert_eq!(kinds, [json!("payout.created"), json!("payout.failed")]);
        assert_eq!((shown["next_after"].as_i64(), shown["last_sequence"].as_i64()), (Some(4), Some(4)));
        let none = page(&app, &client, &token, "?types=payout.sent&after=1").await;
        assert_eq!((&none["data"], &none["next_after"]), (&json!([]), &json!(4)));
        for wrong in ["?types=payout", "?after=-1", "?after=x", "?limit=0", "?limit=101", "?kind=x"] {
            let refused = client.get(&app, &token, &format!("/v1/events{wrong}")).await;
            assert_eq!(refused.expect_status(400).json()["error"]["code"], "invalid_parameter", "{wrong}");
        }
        app.stop().await;
    }

    async fn money_that_comes_in_is_told(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("webhooks:read").await;
        let dollars = Amount::parse("12.34", Currency::USD).unwrap();
        balances::credit(&app.ctx, Environment::Sandbox, client.merchant, dollars).await.unwrap();
        let token = client.mint(&app).await;
        let told = page(&app, &client, &token, "").await;
        let event = &told["data"][0];
        assert_eq!(event["type"], "funding.credit");
        assert!(event["id"].as_str().unwrap().starts_with("evt_"));
        assert_eq!((&event["data"]["amount"], &event["data"]["currency"]), (&json!("12.34"), &json!("USD")));
        app.stop().await;
    }

    async fn an_auditor_sees_a_gap(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("webhooks:read").await;
        for _ in 0..3 {
            append(&app, &client, EventType::Test, false).await;
        }
        assert_eq!(log::verify(&app.ctx).await.unwrap(), (3, Vec::new()));
        change(&app, &client, "UPDATE events SET sequence = 7 WHERE sequence = 2").await;
        let (_, faults) = log::verify(&app.ctx).await.unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
        change(&app, &client, "UPDATE events SET sequence = 2 WHERE sequence = 7").await;
        app.stop().await;
    }
}
