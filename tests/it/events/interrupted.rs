//! What a visit leaves behind when something comes between.

use std::time::Duration;

use counterfoil::{base::failure::Result, db, events::log::EventType};
use serde_json::json;
use tokio::{
    task::{JoinHandle, yield_now},
    time::timeout,
};

use super::{
    deliveries::{all, happen},
    endpoints::{make, short_leases},
    receiver::{Answer, Receiver},
};
use crate::support::{app::TestApp, both::both, http::Request};

/// A courier of its own, as another replica has it.
#[expect(clippy::disallowed_methods, reason = "it is broken off, like a replica that is killed")]
fn visit(app: &TestApp) -> JoinHandle<()> {
    let courier = counterfoil::events::courier::Courier::new(app.events.clone());
    tokio::spawn(async move {
        courier.run_due().await.unwrap();
    })
}

async fn rows(app: &TestApp) -> i64 {
    let counted: Result<(i64,)> = db::read!(app.ctx.db, |tx| Ok(db::one!(
        tx,
        (i64,),
        "SELECT COUNT(*) FROM webhook_deliveries"
    )?));
    counted.unwrap().0
}

both! {
    /// It has moved past an event whose attempt still ran; the row that it wrote for it must not wait for the
    /// merchant's next event.
    async fn what_a_killed_visit_has_moved_past_is_delivered(db: TestDb) {
        let app = TestApp::with(&db, short_leases).await;
        let client = app.client("webhooks:write").await;
        let token = client.mint(&app).await;
        let receiver = Receiver::doing(|_| Answer::Stall).await;
        make(&app, &client, &token, &json!({ "url": receiver.url(), "events": ["*"] })).await;
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        let killed = visit(&app);
        receiver.has_seen(1).await;
        timeout(Duration::from_secs(20), async {
            while rows(&app).await == 0 {
                yield_now().await;
            }
        })
        .await
        .expect("a visit that renews its lease writes down where it is");
        killed.abort();
        receiver.now(|_| Answer::Status(200));
        app.hands.advance(Duration::from_mins(1));
        app.run_due_jobs().await;
        assert_eq!(receiver.sequences(), [1, 1]);
        app.stop().await;
    }

    async fn another_address_is_asked_at_once_though_the_old_one_is_silent(db: TestDb) {
        let (silent, well) = (Receiver::doing(|_| Answer::Stall).await, Receiver::saying(200).await);
        let (app, client, token, endpoint) = all(&db, &silent).await;
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        let old = visit(&app);
        silent.has_seen(1).await;
        let path = format!("/v1/webhooks/{endpoint}");
        let changed = json!({ "url": well.url() });
        let request = Request::new("PUT", &path).json(&changed);
        client.send(&app, &token, "PUT", &path, request).await.expect_status(200);
        app.run_due_jobs().await;
        assert_eq!(well.sequences(), [1], "nobody waits for the old lease");
        old.abort();
        app.stop().await;
    }

    /// What is ahead of an endpoint comes anyway, and in order.
    async fn what_is_still_ahead_is_not_planned_again(db: TestDb) {
        let silent = Receiver::doing(|_| Answer::Stall).await;
        let (app, client, token, endpoint) = all(&db, &silent).await;
        for _ in 0..2 {
            happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        }
        let visit = visit(&app);
        silent.has_seen(1).await;
        let path = format!("/v1/webhooks/{endpoint}/redeliver");
        let again = client.post(&app, &token, &path, &json!({ "after": 0 })).await.expect_status(202);
        assert_eq!(again.json()["planned"], 0);
        visit.abort();
        app.stop().await;
    }

    /// An endpoint that was off for longer than events are kept, of a merchant to whom nothing has happened
    /// since: there is nothing to read, and whoever looks must see that once.
    async fn a_log_that_was_dropped_is_read_to_its_end(db: TestDb) {
        let receiver = Receiver::saying(200).await;
        let (app, client, token, endpoint) = all(&db, &receiver).await;
        let path = |verb: &str| format!("/v1/webhooks/{endpoint}/{verb}");
        client.post(&app, &token, &path("deactivate"), &json!({})).await.expect_status(200);
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        app.hands.advance(Duration::from_hours(24 * 91));
        app.run_due_jobs().await;
        let token = client.mint(&app).await;
        client.post(&app, &token, &path("reactivate"), &json!({})).await.expect_status(200);
        timeout(Duration::from_secs(20), app.run_due_jobs()).await.expect("it comes to an end");
        happen(&app, &client, EventType::PayoutSent, "pay_2").await;
        app.run_due_jobs().await;
        assert_eq!(receiver.sequences(), [2]);
        app.stop().await;
    }
}
