//! The courier as it runs in a server: woken by commits, by the clock, and delayed by nobody.

use std::time::Duration;

use counterfoil::{
    base::{failure::Result, tasks::Tasks},
    ctx::Ctx,
    db,
    events::{
        courier::Courier,
        log::{self, EventType, NewEvent},
    },
};
use serde_json::json;
use sqlx::{Executor, postgres::PgListener};
use tokio::time::timeout;

use super::{
    deliveries::{all, happen},
    endpoints::{make, nearby, short_leases},
    receiver::{Answer, Receiver},
};
use crate::support::{
    app::TestApp,
    both::{TestDb, both},
};

/// A receiver may take longer than a lease lasts: who waits for it renews the lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visit_that_waits_renews_its_lease() {
    const RING: &str = "CREATE FUNCTION ring() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('leases', ''); RETURN NULL; END $$";
    const BELL: &str = "CREATE TRIGGER bell AFTER UPDATE OF leased_until_us
        ON webhook_endpoints FOR EACH ROW EXECUTE FUNCTION ring()";
    let db = TestDb::postgres().await;
    let app = TestApp::with(&db, short_leases).await;
    let client = app.client("webhooks:write").await;
    let token = client.mint(&app).await;
    let silent = Receiver::doing(|_| Answer::Stall).await;
    make(&app, &client, &token, &json!({ "url": silent.url(), "events": ["*"] })).await;
    let mut listener = PgListener::connect(&db.url).await.unwrap();
    listener.execute(RING).await.unwrap();
    listener.execute(BELL).await.unwrap();
    listener.listen("leases").await.unwrap();
    let tasks = run(&app, NEVER);
    happen(&app, &client, EventType::PayoutSent, "pay_1").await;
    silent.has_seen(1).await;
    // Taken, and renewed again and again.
    for _ in 0..5 {
        timeout(Duration::from_secs(20), listener.recv()).await.expect("a renewal").unwrap();
    }
    assert_eq!(silent.seen().len(), 1);
    tasks.stop();
    app.stop().await;
}

/// Longer than any test: whoever relies on it is never woken.
const NEVER: Duration = Duration::from_hours(1);

fn run(app: &TestApp, poll: Duration) -> Tasks {
    let tasks = Tasks::default();
    tasks.spawn(Courier::new(app.events.clone()).run(tasks.clone(), poll));
    tasks
}

both! {
    async fn a_commit_wakes_the_courier(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, _, _) = all(&db, &receiver).await;
        let tasks = run(&app, NEVER);
        for count in 1..=5 {
            happen(&app, &client, EventType::PayoutSent, "pay_1").await;
            receiver.has_seen(count).await;
        }
        assert!(tasks.drain(Duration::from_secs(20)).await);
        app.stop().await;
    }

    /// Nobody rings when another process writes: then the next look finds it.
    async fn without_a_bell_the_next_look_finds_it(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (mut app, client, _, _) = all(&db, &receiver).await;
        let tasks = run(&app, Duration::from_millis(20));
        let elsewhere = db.open().await;
        let other = Ctx { db: elsewhere, ..app.ctx.clone() };
        let own = std::mem::replace(&mut app.ctx, other);
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        app.ctx = own;
        receiver.has_seen(1).await;
        assert!(tasks.drain(Duration::from_secs(20)).await);
        app.stop().await;
    }

    /// Twelve receivers hold on to whatever they get. They have failed before, so they share one
    /// place, and the healthy one is served beside them.
    async fn the_dead_do_not_delay_the_living(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            nearby(config);
            config.webhooks.endpoints_at_once = 4;
        }).await;
        let client = app.client("webhooks:write").await;
        let token = client.mint(&app).await;
        let (dead, living) = (Receiver::doing(|_| Answer::Drop).await, Receiver::saying(200).await);
        for _ in 0..12 {
            make(&app, &client, &token, &json!({ "url": dead.url(), "events": ["*"] })).await;
        }
        happen(&app, &client, EventType::PayoutSent, "pay_0").await;
        app.run_due_jobs().await;
        assert_eq!(dead.seen().len(), 12);
        dead.now(|_| Answer::Stall);
        make(&app, &client, &token, &json!({ "url": living.url(), "events": ["*"] })).await;
        app.hands.advance(Duration::from_secs(30));
        let tasks = run(&app, Duration::from_millis(20));
        for count in 1..=3 {
            happen(&app, &client, EventType::PayoutSent, &format!("pay_{count}")).await;
            living.has_seen(count).await;
        }
        tasks.stop();
        app.stop().await;
    }

    /// Nothing is known of them yet, so they have places as good as anybody's, and hold on to what they
    /// get: the living is served all the same, and each of the silent holds one connection.
    async fn the_silent_leave_their_places_to_others(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            nearby(config);
            config.webhooks.endpoints_at_once = 4;
        }).await;
        let client = app.client("webhooks:write").await;
        let token = client.mint(&app).await;
        let (silent, living) = (Receiver::doing(|_| Answer::Stall).await, Receiver::saying(200).await);
        for _ in 0..12 {
            make(&app, &client, &token, &json!({ "url": silent.url(), "events": ["*"] })).await;
        }
        for count in 1..=5 {
            happen(&app, &client, EventType::PayoutSent, &format!("pay_{count}")).await;
        }
        let tasks = run(&app, Duration::from_millis(20));
        silent.has_seen(12).await;
        make(&app, &client, &token, &json!({ "url": living.url(), "events": ["*"] })).await;
        happen(&app, &client, EventType::PayoutSent, "pay_0").await;
        living.has_seen(1).await;
        assert_eq!(silent.seen().len(), 12, "one for each");
        tasks.stop();
        app.stop().await;
    }

    /// While an endpoint is visited, more happens: nobody has to look at all endpoints to find it.
    async fn what_happens_during_a_visit_is_delivered_after_it(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, _, _) = all(&db, &receiver).await;
        let tasks = run(&app, NEVER);
        for round in 0..5 {
            for number in 0..20 {
                happen(&app, &client, EventType::PayoutSent, &format!("pay_{number}")).await;
            }
            receiver.has_seen((round + 1) * 20).await;
        }
        assert!(tasks.drain(Duration::from_secs(20)).await);
        app.stop().await;
    }

    /// The first is never answered, and stays out of nobody's way: what came after it is written down, and it
    /// has a row that waits.
    async fn a_silent_attempt_does_not_hold_up_the_outcomes_behind_it(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, token, endpoint) = all(&db, &receiver).await;
        let tasks = run(&app, NEVER);
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        receiver.has_seen(1).await;
        receiver.now(|seen| if seen.json()["data"]["id"] == "pay_2" { Answer::Stall } else { Answer::Status(200) });
        let path = format!("/v1/webhooks/{endpoint}/deliveries?limit=100");
        let outcomes = async || {
            let page = client.get(&app, &token, &path).await.expect_status(200).json();
            let all = page["data"].as_array().unwrap().iter();
            let mut all: Vec<_> = all.map(|one| format!("{} {}", one["status"], one["attempts"])).collect();
            all.sort_unstable();
            all
        };
        let batch: Result<_> = db::write!(app.ctx.db, client.merchant, |tx| {
            for number in 3..6 {
                for about in [format!("pay_{number}"), "pay_2".to_owned()] {
                    let event = NewEvent::new(EventType::PayoutSent, about.clone(), &json!({ "id": about })).unwrap();
                    log::append(tx, &app.ctx, client.merchant, &event).await?;
                }
            }
            Ok(())
        });
        batch.unwrap();
        receiver.has_seen(1 + 4).await;
        let (done, waits) = ("\"delivered\" 1", "\"pending\" 0");
        let wanted = [done, done, done, done, waits, waits];
        timeout(Duration::from_secs(20), async {
            while outcomes().await != wanted {
                tokio::task::yield_now().await;
            }
        }).await.expect("all but the silent are written down");
        tasks.stop();
        app.stop().await;
    }

    /// One place and 32 seats, and more silent receivers than that: who finds no seat gives its place up.
    async fn when_every_seat_is_taken_the_living_are_served_all_the_same(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            nearby(config);
            config.webhooks.endpoints_at_once = 2;
        }).await;
        let client = app.client("webhooks:write").await;
        let token = client.mint(&app).await;
        let (silent, living) = (Receiver::doing(|_| Answer::Stall).await, Receiver::saying(200).await);
        for _ in 0..34 {
            make(&app, &client, &token, &json!({ "url": silent.url(), "events": ["*"] })).await;
        }
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        let tasks = run(&app, Duration::from_millis(20));
        silent.has_seen(33).await;
        make(&app, &client, &token, &json!({ "url": living.url(), "events": ["*"] })).await;
        happen(&app, &client, EventType::PayoutSent, "pay_2").await;
        living.has_seen(1).await;
        tasks.stop();
        app.stop().await;
    }
}
