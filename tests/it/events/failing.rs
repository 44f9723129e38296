//! Endpoints that fail and fail: left alone for a while, told of, and switched off.

use std::time::Duration;

use counterfoil::events::log::EventType;
use serde_json::json;

use super::{
    deliveries::{all, deliveries, happen, status},
    endpoints::make,
    receiver::{Answer, Receiver},
};
use crate::support::{both::both, http::Request};

both! {
    async fn a_day_of_failure_is_told_of_once_for_each_row_of_failures(db: TestDb) {
        let receiver = Receiver::saying(500).await;
        let (app, client, token, endpoint) = all(&db, &receiver).await;
        let watcher = Receiver::saying(200).await;
        make(&app, &client, &token, &json!({ "url": watcher.url(), "events": ["webhook.*"] })).await;
        let attempt = async |hours, told| {
            app.hands.advance(Duration::from_hours(hours));
            happen(&app, &client, EventType::PayoutSent, "pay_1").await;
            app.run_due_jobs().await;
            assert_eq!(watcher.seen().len(), told, "after {hours} hours more");
        };
        attempt(0, 0).await;
        attempt(23, 0).await;
        attempt(1, 1).await;
        let seen = watcher.seen().remove(0);
        assert_eq!(seen.header("x-webhook-event"), Some("webhook.failing"));
        let data = &seen.json()["data"];
        assert_eq!((&data["id"], &data["status"]), (&json!(endpoint), &json!("active")));
        assert!(data["failing_since"].is_string());
        attempt(30, 1).await;
        // One success, and it begins anew.
        receiver.now(|_| Answer::Status(200));
        attempt(1, 1).await;
        receiver.now(|_| Answer::Status(500));
        attempt(1, 1).await;
        attempt(24, 2).await;
        // So does another address, and so does reactivating.
        let change = json!({ "url": format!("{}/other", receiver.url()) });
        let path = format!("/v1/webhooks/{endpoint}");
        let token = client.mint(&app).await;
        let request = Request::new("PUT", &path).json(&change);
        client.send(&app, &token, "PUT", &path, request).await.expect_status(200);
        attempt(1, 2).await;
        attempt(24, 3).await;
        let token = client.mint(&app).await;
        for verb in ["deactivate", "reactivate"] {
            client.post(&app, &token, &format!("{path}/{verb}"), &json!({})).await.expect_status(200);
        }
        attempt(1, 3).await;
        attempt(24, 4).await;
        app.stop().await;
    }

    async fn five_days_of_failure_switch_an_endpoint_off(db: TestDb) {
        let receiver = Receiver::saying(500).await;
        let (app, client, _, endpoint) = all(&db, &receiver).await;
        for quarter in 0..=(5 * 4) {
            assert_eq!(status(&app, &client, &endpoint).await["status"], "active", "{quarter}");
            happen(&app, &client, EventType::PayoutSent, &format!("pay_{quarter}")).await;
            app.run_due_jobs().await;
            app.hands.advance(Duration::from_hours(6));
        }
        app.run_due_jobs().await;
        let off = status(&app, &client, &endpoint).await;
        assert_eq!((&off["status"], &off["disabled_reason"]), (&json!("disabled"), &json!("failing")));
        app.stop().await;
    }

    async fn ten_failures_in_a_row_and_it_is_left_alone_for_a_while(db: TestDb) {
        let receiver = Receiver::saying(500).await;
        let (app, client, _, endpoint) = all(&db, &receiver).await;
        for number in 0..30 {
            happen(&app, &client, EventType::PayoutSent, &format!("pay_{number}")).await;
        }
        app.run_due_jobs().await;
        // One at a time: nobody has heard from it yet.
        let first = receiver.seen().len();
        assert_eq!(first, 10);
        app.hands.advance(Duration::from_secs(9));
        app.run_due_jobs().await;
        assert_eq!(receiver.seen().len(), first);
        app.hands.advance(Duration::from_secs(1));
        app.run_due_jobs().await;
        assert_eq!(receiver.seen().len(), first + 1, "one at a time finds out whether it is back");
        receiver.now(|_| Answer::Status(200));
        app.hands.advance(Duration::from_mins(5));
        app.run_due_jobs().await;
        let left = deliveries(&app, &client, &endpoint).await;
        assert_eq!(left.len(), 30);
        assert!(left.iter().all(|one| one["status"] == "delivered"), "{left:#?}");
        app.stop().await;
    }
}
