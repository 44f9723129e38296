//! From the log to receivers, whatever they do.

use std::time::Duration;

use counterfoil::{
    base::failure::{Code, Failure, Result},
    db,
    events::{
        courier::Courier,
        log::{self, EventType, NewEvent},
    },
};
use serde_json::{Value, json};

use super::{
    endpoints::{id, make, nearby, start},
    receiver::{Answer, Receiver},
};
use crate::support::{
    app::TestApp,
    both::{TestDb, both},
    client::Client,
};

pub(super) async fn happen(app: &TestApp, client: &Client, kind: EventType, about: &str) {
    let event = NewEvent::new(kind, about, &json!({ "id": about })).unwrap();
    let written: Result<_> = db::write!(app.ctx.db, client.merchant, |tx| {
        log::append(tx, &app.ctx, client.merchant, &event).await
    });
    written.unwrap();
}

pub(super) async fn deliveries(app: &TestApp, client: &Client, endpoint: &str) -> Vec<Value> {
    // A fresh one, because the clock may have been turned by days.
    let token = &client.mint(app).await;
    let path = format!("/v1/webhooks/{endpoint}/deliveries?limit=100");
    let page = client.get(app, token, &path).await.expect_status(200).json();
    page["data"].as_array().unwrap().clone()
}

async fn only(app: &TestApp, client: &Client, endpoint: &str) -> Value {
    let mut all = deliveries(app, client, endpoint).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

pub(super) async fn status(app: &TestApp, client: &Client, endpoint: &str) -> Value {
    let token = &client.mint(app).await;
    let path = format!("/v1/webhooks/{endpoint}");
    client.get(app, token, &path).await.expect_status(200).json()
}

/// A server, a merchant, a receiver and an endpoint that wants everything.
pub(super) async fn all(db: &TestDb, receiver: &Receiver) -> (TestApp, Client, String, String) {
    let (app, client, token) = start(db).await;
    let body = json!({ "url": receiver.url(), "events": ["*"] });
    let made = make(&app, &client, &token, &body).await;
    let id = id(&made).to_owned();
    (app, client, token, id)
}

async fn post(app: &TestApp, client: &Client, path: &str, body: Value) -> Value {
    let token = &client.mint(app).await;
    client.post(app, token, path, &body).await.expect_status(202).json()
}

both! {
    async fn an_event_arrives_as_the_bytes_of_the_log_with_its_headers(db: TestDb) {
        let receiver = Receiver::saying(204).await;
        let (app, client, token, endpoint) = all(&db, &receiver).await;
        happen(&app, &client, EventType::PayoutCreated, "pay_1").await;
        app.run_due_jobs().await;
        let seen = receiver.seen();
        let [seen] = &seen[..] else { panic!("{} came", seen.len()) };
        let event = seen.json();
        let id = event["id"].as_str().unwrap();
        assert_eq!(seen.header("x-webhook-id"), Some(id));
        assert_eq!(seen.header("x-webhook-event"), Some("payout.created"));
        assert_eq!(seen.header("user-agent"), Some("AntonPayments-Webhook/1.0"));
        assert_eq!(seen.header("content-type"), Some("application/json"));
        let now = app.ctx.now().unix_seconds().to_string();
        assert_eq!(seen.header("x-webhook-timestamp"), Some(now.as_str()));
        let stored = client.get(&app, &token, &format!("/v1/webhooks/events/{id}")).await.expect_status(200);
        assert_eq!(stored.json()["payload"], event);
        let body = String::from_utf8(seen.body.clone()).unwrap();
        assert!(stored.text().contains(&body), "byte for byte");
        let delivery = only(&app, &client, &endpoint).await;
        assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("delivered"), &json!(1)));
        assert_eq!((&delivery["response_status"], &delivery["max_attempts"]), (&json!(204), &json!(5)));
        let path = format!("/v1/webhooks/events/{id}/deliveries");
        assert_eq!(client.get(&app, &token, &path).await.json(), json!({ "data": [delivery] }));
        app.run_due_jobs().await;
        assert_eq!(receiver.seen().len(), 1, "once is enough");
        app.stop().await;
    }

    /// Exactly what was sent, also after the secret was changed; and of the answer what helps to find it.
    async fn a_delivery_shows_its_headers_and_those_of_the_answer(db: TestDb) {
        let long = "x".repeat(300);
        let answer = format!(
            "HTTP/1.1 503 So\r\nX-Request-Id: r-1\r\nSet-Cookie: secret=1\r\nServer: {long}\r\nContent-Length: 0\r\n\r\n"
        );
        let receiver = Receiver::doing(move |_| Answer::Bytes(answer.clone())).await;
        let (app, client, token) = start(&db).await;
        for dialect in ["payouts", "standard"] {
            let body = json!({ "url": receiver.url(), "events": ["*"], "dialect": dialect });
            let made = make(&app, &client, &token, &body).await;
            happen(&app, &client, EventType::PayoutSent, "pay_1").await;
            app.run_due_jobs().await;
            let seen = receiver.seen().pop().unwrap();
            let rotate = format!("/v1/webhooks/{}/secret/rotate", id(&made));
            client.post(&app, &token, &rotate, &json!({ "grace_seconds": 0 })).await.expect_status(200);
            let event = seen.json()["id"].as_str().unwrap().to_owned();
            let path = format!("/v1/webhooks/events/{event}/deliveries");
            let shown = client.get(&app, &token, &path).await.expect_status(200).json();
            let shown = shown["data"].as_array().unwrap().iter().find(|one| one["subscription_id"] == id(&made)).unwrap();
            let said = shown["request_headers"].as_object().unwrap();
            assert!(said.len() > 3, "{said:?}");
            for (name, value) in said {
                assert_eq!(seen.header(name), value.as_str(), "{name}");
            }
            let of_ours = |(name, _): &&(String, String)| !["host", "accept", "content-length"].contains(&name.as_str());
            assert_eq!(seen.headers.iter().filter(of_ours).count(), said.len(), "{:?}", seen.headers);
            let wanted = json!({ "content-length": "0", "server": "x".repeat(256), "x-request-id": "r-1" });
            assert_eq!(shown["response_headers"], wanted);
            client.call(&app, &token, "DELETE", &format!("/v1/webhooks/{}", id(&made))).await.expect_status(204);
        }
        app.stop().await;
    }

    async fn what_is_undone_is_not_delivered(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, _, _) = all(&db, &receiver).await;
        let event = NewEvent::new(EventType::PayoutCreated, "pay_1", &json!({})).unwrap();
        let undone: Result<()> = db::write!(app.ctx.db, client.merchant, |tx| {
            log::append(tx, &app.ctx, client.merchant, &event).await?;
            Err(Failure::new(Code::InvalidState))
        });
        undone.unwrap_err();
        app.run_due_jobs().await;
        assert!(receiver.seen().is_empty());
        app.stop().await;
    }

    async fn only_what_an_endpoint_asked_for_arrives_and_only_from_its_beginning_on(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let (payouts, everything) = (Receiver::saying(200).await, Receiver::saying(200).await);
        happen(&app, &client, EventType::PayoutCreated, "pay_0").await;
        for (receiver, events) in [(&payouts, "payout.*"), (&everything, "*")] {
            make(&app, &client, &token, &json!({ "url": receiver.url(), "events": [events] })).await;
        }
        for kind in [EventType::PayoutCreated, EventType::FundingCredit, EventType::PayoutFailed] {
            happen(&app, &client, kind, "x").await;
        }
        let other = app.client("webhooks:read").await;
        happen(&app, &other, EventType::PayoutCreated, "x").await;
        app.run_due_jobs().await;
        assert_eq!(payouts.sequences(), [2, 4]);
        assert_eq!(everything.sequences(), [2, 3, 4]);
        app.stop().await;
    }

    async fn a_test_goes_to_its_endpoint_only(db: TestDb) {
        let (app, client, token) = start(&db).await;
        let (tested, other) = (Receiver::saying(200).await, Receiver::saying(200).await);
        let made = make(&app, &client, &token, &json!({ "url": tested.url(), "events": ["payout.sent"] })).await;
        make(&app, &client, &token, &json!({ "url": other.url(), "events": ["*"] })).await;
        let path = format!("/v1/webhooks/{}/test", id(&made));
        let answer = client.call(&app, &token, "POST", &path).await.expect_status(202).json();
        app.run_due_jobs().await;
        let seen = tested.seen();
        assert_eq!(seen[0].json()["id"], answer["event_id"]);
        assert_eq!(seen[0].header("x-webhook-event"), Some("test"));
        assert!(other.seen().is_empty());
        app.stop().await;
    }

    /// As published: again after 30 s, 2 min, 8 min and 32 min, with a new timestamp, then never.
    async fn a_failure_is_repeated_on_schedule_and_ends_as_a_dead_letter(db: TestDb) {
        let receiver = Receiver::doing(|_| {
            Answer::Bytes("HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nwhy?".to_owned())
        }).await;
        let (app, client, _, endpoint) = all(&db, &receiver).await;
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        app.run_due_jobs().await;
        for (made, pause) in [(1, 30), (2, 120), (3, 480), (4, 1_920)] {
            assert_eq!(receiver.seen().len(), made);
            let waiting = only(&app, &client, &endpoint).await;
            assert_eq!((&waiting["status"], &waiting["attempts"]), (&json!("pending"), &json!(made)));
            let due = app.ctx.now().plus(Duration::from_secs(pause));
            assert_eq!(waiting["next_retry_at"], json!(due));
            assert_eq!(waiting["response_body"], "why?");
            app.hands.advance(Duration::from_secs(pause - 1));
            app.run_due_jobs().await;
            assert_eq!(receiver.seen().len(), made, "not before its time");
            app.hands.advance(Duration::from_secs(1));
            app.run_due_jobs().await;
        }
        let dead = only(&app, &client, &endpoint).await;
        assert_eq!((&dead["status"], &dead["attempts"]), (&json!("failed"), &json!(5)));
        assert_eq!(dead.get("next_retry_at"), None);
        app.hands.advance(Duration::from_hours(24));
        app.run_due_jobs().await;
        let seen = receiver.seen();
        assert_eq!(seen.len(), 5);
        assert!(seen.iter().all(|one| one.body == seen[0].body));
        let stamps: std::collections::BTreeSet<_> =
            seen.iter().map(|one| one.header("x-webhook-timestamp")).collect();
        assert_eq!(stamps.len(), 5);
        let path = format!("/v1/webhooks/{endpoint}/deliveries?status=failed");
        let token = client.mint(&app).await;
        let dead = client.get(&app, &token, &path).await.expect_status(200).json();
        assert_eq!(dead["data"].as_array().unwrap().len(), 1);
        app.stop().await;
    }

    async fn everything_but_2xx_is_a_failure(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, token) = {
            let app = TestApp::with(&db, |config| {
                nearby(config);
                config.webhooks.timeout = Duration::from_millis(300);
            }).await;
            let client = app.client("webhooks:read webhooks:write").await;
            let token = client.mint(&app).await;
            (app, client, token)
        };
        let made = make(&app, &client, &token, &json!({ "url": receiver.url(), "events": ["*"] })).await;
        let short = "HTTP/1.1 503 No\r\nContent-Length: 999\r\n\r\nx";
        let chunks = "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
        let bytes = |text: &str| Answer::Bytes(text.to_owned());
        let answers = [
            Answer::Status(301),
            Answer::Status(404),
            Answer::Status(429),
            Answer::Drop,
            Answer::Stall,
            bytes(short),
            bytes(chunks),
            bytes("HTTP/1.1 200"),
            bytes("nonsense\r\n\r\n"),
        ];
        for (number, answer) in answers.into_iter().enumerate() {
            receiver.now(move |_| answer.clone());
            happen(&app, &client, EventType::PayoutSent, &format!("pay_{number}")).await;
            app.run_due_jobs().await;
            let newest = deliveries(&app, &client, id(&made)).await.into_iter().next().unwrap();
            assert_eq!((&newest["status"], &newest["attempts"]), (&json!("pending"), &json!(1)), "{number}: {newest}");
            assert!(newest["error"].is_string());
        }
        // A status that is there counts, whatever becomes of the body.
        for answer in [Answer::StallInBody, bytes("HTTP/1.1 202 So\r\nContent-Length: 9\r\n\r\nx")] {
            receiver.now(move |_| answer.clone());
            app.hands.advance(Duration::from_hours(1));
            app.run_due_jobs().await;
        }
        let left = deliveries(&app, &client, id(&made)).await;
        assert!(left.iter().all(|one| one["status"] == "delivered"), "{left:#?}");
        app.stop().await;
    }

    async fn a_receiver_can_ask_for_time(db: TestDb) {
        let receiver = Receiver::doing(|_| {
            Answer::Bytes("HTTP/1.1 429 Slow\r\nRetry-After: 100\r\nContent-Length: 0\r\n\r\n".to_owned())
        }).await;
        let (app, client, _, _) = all(&db, &receiver).await;
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        app.run_due_jobs().await;
        happen(&app, &client, EventType::PayoutSent, "pay_2").await;
        app.hands.advance(Duration::from_secs(99));
        app.run_due_jobs().await;
        assert_eq!(receiver.seen().len(), 1, "neither the one nor the other");
        receiver.now(|_| Answer::Status(200));
        app.hands.advance(Duration::from_secs(1));
        app.run_due_jobs().await;
        assert_eq!(receiver.sequences(), [1, 1, 2]);
        app.stop().await;
    }

    async fn who_is_gone_is_left_alone_and_its_merchant_is_told(db: TestDb) {
        let receiver = Receiver::saying(410).await;
        let (app, client, token, endpoint) = all(&db, &receiver).await;
        let watcher = Receiver::saying(200).await;
        make(&app, &client, &token, &json!({ "url": watcher.url(), "events": ["webhook.*"] })).await;
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        app.run_due_jobs().await;
        let gone = status(&app, &client, &endpoint).await;
        assert_eq!((&gone["status"], &gone["disabled_reason"]), (&json!("disabled"), &json!("gone")));
        let told = watcher.seen();
        assert_eq!(told[0].header("x-webhook-event"), Some("webhook.disabled"));
        assert_eq!(told[0].json()["data"]["id"], json!(endpoint));
        happen(&app, &client, EventType::PayoutSent, "pay_2").await;
        app.hands.advance(Duration::from_hours(2));
        app.run_due_jobs().await;
        assert_eq!(receiver.seen().len(), 1);
        let token = client.mint(&app).await;
        client.call(&app, &token, "POST", &format!("/v1/webhooks/{endpoint}/test")).await.expect_status(409);
        // The way back: nothing was lost.
        receiver.now(|_| Answer::Status(200));
        let path = format!("/v1/webhooks/{endpoint}/reactivate");
        let back = client.call(&app, &token, "POST", &path).await.expect_status(200).json();
        assert_eq!((&back["status"], back.get("disabled_reason")), (&json!("active"), None));
        app.run_due_jobs().await;
        let mut seen = receiver.sequences();
        seen.sort_unstable();
        assert_eq!(seen, [1, 1, 2, 3]);
        app.stop().await;
    }

    async fn what_happens_while_an_endpoint_is_off_waits_or_is_skipped(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, token, endpoint) = all(&db, &receiver).await;
        let act = async |verb: &str, body: Value| {
            let path = format!("/v1/webhooks/{endpoint}/{verb}");
            client.post(&app, &token, &path, &body).await.expect_status(200).json()
        };
        assert_eq!(act("deactivate", json!({})).await["status"], "inactive");
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        app.run_due_jobs().await;
        assert!(receiver.seen().is_empty());
        act("reactivate", json!({})).await;
        app.run_due_jobs().await;
        assert_eq!(receiver.sequences(), [1]);
        act("deactivate", json!({})).await;
        happen(&app, &client, EventType::PayoutSent, "pay_2").await;
        act("reactivate", json!({ "skip_missed": true })).await;
        happen(&app, &client, EventType::PayoutSent, "pay_3").await;
        app.run_due_jobs().await;
        assert_eq!(receiver.sequences(), [1, 3]);
        app.stop().await;
    }

    async fn of_one_resource_the_first_attempts_are_in_order(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, _, _) = all(&db, &receiver).await;
        for number in 0..60 {
            happen(&app, &client, EventType::PayoutSent, &format!("pay_{}", number % 4)).await;
        }
        app.run_due_jobs().await;
        for resource in 0..4 {
            let about = format!("pay_{resource}");
            let seen = receiver.seen();
            let own = seen.iter().filter(|one| one.json()["data"]["id"] == about.as_str());
            let numbers: Vec<_> = own.map(super::receiver::Seen::sequence).collect();
            assert!(numbers.len() == 15 && numbers.is_sorted(), "{numbers:?}");
        }
        app.stop().await;
    }

    async fn one_event_or_a_range_is_delivered_again_by_hand(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, _, endpoint) = all(&db, &receiver).await;
        for number in 0..5 {
            happen(&app, &client, EventType::PayoutSent, &format!("pay_{number}")).await;
        }
        app.run_due_jobs().await;
        let first = receiver.seen().into_iter().find(|seen| seen.sequence() == 1).unwrap();
        let event = first.json()["id"].as_str().unwrap().to_owned();
        let one = format!("/v1/webhooks/events/{event}/redeliver");
        let planned = post(&app, &client, &one, json!({ "subscription_id": endpoint })).await;
        assert_eq!(planned, json!({ "planned": 1, "through": 1 }));
        let twice = post(&app, &client, &one, json!({ "subscription_id": endpoint })).await;
        assert_eq!(twice["planned"], 0, "it is on its way already");
        let range = format!("/v1/webhooks/{endpoint}/redeliver");
        let planned = post(&app, &client, &range, json!({ "after": 0, "through": 3 })).await;
        assert_eq!(planned, json!({ "planned": 2, "through": 3 }));
        app.run_due_jobs().await;
        let mut seen = receiver.sequences();
        seen.sort_unstable();
        assert_eq!(seen, [1, 1, 2, 2, 3, 3, 4, 5]);
        // Dead letters only.
        receiver.now(|seen| Answer::Status(if seen.sequence() == 6 { 500 } else { 200 }));
        happen(&app, &client, EventType::PayoutSent, "pay_6").await;
        for _ in 0..5 {
            app.run_due_jobs().await;
            app.hands.advance(Duration::from_hours(1));
        }
        receiver.now(|_| Answer::Status(200));
        let planned = post(&app, &client, &range, json!({ "after": 0, "only_failed": true })).await;
        assert_eq!(planned, json!({ "planned": 1, "through": 6 }));
        app.run_due_jobs().await;
        let again = post(&app, &client, &range, json!({ "after": 0, "only_failed": true })).await;
        assert_eq!(again["planned"], 0, "it was delivered since");
        let stranger = app.client("webhooks:write").await;
        let strangers = stranger.mint(&app).await;
        let refused = stranger.post(&app, &strangers, &one, &json!({ "subscription_id": endpoint })).await;
        refused.expect_status(404);
        app.stop().await;
    }

    async fn both_secrets_sign_until_the_grace_is_over(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, token, endpoint) = all(&db, &receiver).await;
        let rotate = format!("/v1/webhooks/{endpoint}/secret/rotate");
        let next = async |pause| {
            app.hands.advance(pause);
            happen(&app, &client, EventType::PayoutSent, "pay_1").await;
            app.run_due_jobs().await;
            let newest = receiver.seen().pop().unwrap();
            newest.header("x-webhook-signature-next").is_some()
        };
        assert!(!next(Duration::ZERO).await);
        client.post(&app, &token, &rotate, &json!({})).await.expect_status(200);
        assert!(next(Duration::ZERO).await);
        assert!(next(Duration::from_secs(86_399)).await);
        assert!(!next(Duration::from_secs(1)).await);
        let token = client.mint(&app).await;
        client.post(&app, &token, &rotate, &json!({ "grace_seconds": 0 })).await.expect_status(200);
        assert!(!next(Duration::ZERO).await, "a leaked secret signs nothing more");
        app.stop().await;
    }

    async fn a_deleted_endpoint_gets_nothing_and_its_deliveries_are_called_off(db: TestDb) {
        let receiver = Receiver::saying(500).await;
        let (app, client, token, endpoint) = all(&db, &receiver).await;
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        app.run_due_jobs().await;
        let event = receiver.seen()[0].json()["id"].as_str().unwrap().to_owned();
        client.call(&app, &token, "DELETE", &format!("/v1/webhooks/{endpoint}")).await.expect_status(204);
        app.hands.advance(Duration::from_hours(1));
        app.run_due_jobs().await;
        assert_eq!(receiver.seen().len(), 1);
        let path = format!("/v1/webhooks/events/{event}/deliveries");
        let left = client.get(&app, &token, &path).await.json();
        assert_eq!(left["data"][0]["status"], "cancelled");
        app.stop().await;
    }

    async fn what_is_ninety_days_old_is_dropped_from_the_oldest_on(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, token, _) = all(&db, &receiver).await;
        for _ in 0..3 {
            happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        }
        app.run_due_jobs().await;
        app.hands.advance(Duration::from_hours(24 * 89));
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        app.run_due_jobs().await;
        let token_of = async || {
            let token = client.mint(&app).await;
            client.get(&app, &token, "/v1/events").await.expect_status(200).json()
        };
        assert_eq!(token_of().await["data"].as_array().unwrap().len(), 4);
        app.hands.advance(Duration::from_hours(25));
        app.run_due_jobs().await;
        let left = token_of().await;
        let left: Vec<_> = left["data"].as_array().unwrap().iter().map(|e| e["sequence"].clone()).collect();
        assert_eq!(left, [json!(4)]);
        drop(token);
        app.stop().await;
    }

    /// Two couriers with one database: each event once, though both look at once.
    async fn two_couriers_share_the_work(db: TestDb) {
        let receivers = [Receiver::saying(200).await, Receiver::saying(200).await];
        let (app, client, token, _) = all(&db, &receivers[0]).await;
        make(&app, &client, &token, &json!({ "url": receivers[1].url(), "events": ["*"] })).await;
        for number in 0..100 {
            happen(&app, &client, EventType::PayoutSent, &format!("pay_{number}")).await;
        }
        let couriers = [Courier::new(app.events.clone()), Courier::new(app.events.clone())];
        let (one, two) = tokio::join!(couriers[0].run_due(), couriers[1].run_due());
        assert!(one.unwrap() + two.unwrap() > 0);
        app.run_due_jobs().await;
        for receiver in &receivers {
            let mut seen = receiver.sequences();
            seen.sort_unstable();
            assert_eq!(seen, (1..=100).collect::<Vec<_>>());
        }
        app.stop().await;
    }

    /// A replica that died in the middle of a visit: another takes over when its lease has run out.
    async fn the_endpoints_of_a_dead_replica_are_taken_over(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, _, _) = all(&db, &receiver).await;
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        let until = app.ctx.now().plus(Duration::from_secs(45));
        let taken: Result<u64> = db::write!(app.ctx.db, client.merchant, |tx| {
            const TAKE: &str = "UPDATE webhook_endpoints SET lease_id = 'dead', leased_until_us = $1";
            Ok(db::exec!(tx, TAKE, until)?)
        });
        assert_eq!(taken.unwrap(), 1);
        app.run_due_jobs().await;
        assert!(receiver.seen().is_empty());
        app.hands.advance(Duration::from_secs(45));
        app.run_due_jobs().await;
        assert_eq!(receiver.sequences(), [1]);
        app.stop().await;
    }
}
