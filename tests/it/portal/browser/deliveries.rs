//! A delivery that failed is sent again from its page, and arrives; a long list is downloaded, and the page
//! tells how far it is.

use std::time::Duration;

use counterfoil::events::{EndpointId, EventId, log::EventType};
use serde_json::json;

use super::{driver::Browser, journeys::sign_in};
use crate::{
    events::receiver::{Answer, Receiver},
    portal::{Shop, hooks},
    support::{app::TestApp, both::TestDb, client::Client},
};

/// What the pages of events show: one endpoint that takes everything, one that is gone, events of
/// several kinds, and requests that went well and did not. Gives the endpoint and an event.
pub(super) async fn fill(app: &TestApp, client: &Client) -> (EndpointId, EventId) {
    let merchant = client.merchant;
    let answer = "HTTP/1.1 410 Gone\r\nContent-Length: 33\r\nConnection: close\r\n\r\n{\"error\":\"this shop has moved on\"}";
    let gone = Receiver::doing(move |_| Answer::Bytes(answer.to_owned())).await;
    let well = Receiver::saying(200).await;
    let endpoint = hooks::endpoint(app, merchant, &gone.url()).await;
    hooks::endpoint(app, merchant, &well.url()).await;
    let payout = "pay_01KAKT8N3YB3S8A2X5V4Q9M7RD";
    let mut last =
        hooks::happen(app, merchant, EventType::FundingCredit, "dep_01KAKT8N3YB3S8A2X5V4Q9M7RA")
            .await;
    for kind in [EventType::PayoutCreated, EventType::PayoutProcessing, EventType::PayoutSent] {
        last = hooks::happen(app, merchant, kind, payout).await;
    }
    app.run_due_jobs().await;
    let token = client.mint(app).await;
    client.get(app, &token, "/v1/balances").await.expect_status(200);
    client.get(app, &token, "/v1/payouts?status=sent&limit=5").await.expect_status(200);
    client.post(app, &token, "/v1/pricing/quote", &json!({})).await.expect_status(422);
    app.requests.flush(&app.ctx).await.unwrap();
    (endpoint, last)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_failed_is_sent_again_from_its_page() {
    let db = TestDb::sqlite().await;
    let app = TestApp::with(&db, |config| config.webhooks.allow_loopback = true).await;
    let shop = Shop::open(&app).await;
    let receiver = Receiver::saying(500).await;
    let browser = Browser::open().await;
    sign_in(&browser, &app, &shop).await;

    browser.go(&app.url("/portal/webhooks/new")).await;
    browser.fill("#url", "ftp://nowhere.example").await;
    browser.click("main button.primary").await;
    browser.wait_for("#url-fault").await;
    // A browser logs the status of a refused form; that one was meant.
    browser.log("browser").await;
    browser.fill("#url", &receiver.url()).await;
    browser.click("main button.primary").await;
    assert!(browser.text("#secret").await.starts_with("whsec_"));
    browser.click("main a.primary").await;
    browser.wait_for("#deliveries").await;

    let event = hooks::happen(&app, shop.merchant, EventType::PayoutFailed, "pay_1").await;
    for minutes in [0, 1, 3, 10, 40] {
        app.hands.advance(Duration::from_mins(minutes));
        app.run_due_jobs().await;
    }
    assert_eq!(receiver.seen().len(), 5, "every attempt failed");
    // Nobody was here for longer than a session waits.
    sign_in(&browser, &app, &shop).await;
    receiver.now(|_| Answer::Status(200));
    browser.go(&app.url(&format!("/portal/events/{event}"))).await;
    browser.wait_for(".badge.failed").await;
    assert!(browser.text("main").await.contains("HTTP 500"));
    browser.click("form[action$=deliver] button").await;
    browser.wait_for(".notice.good").await;
    app.run_due_jobs().await;
    receiver.has_seen(6).await;
    browser.go(&app.url(&format!("/portal/events/{event}"))).await;
    browser.wait_for(".badge.delivered").await;
    assert!(browser.text("main").await.contains("HTTP 200"));
    browser.expect_quiet("redelivery").await;
    browser.close().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_is_downloaded_with_progress() {
    let db = TestDb::sqlite().await;
    let app = TestApp::with(&db, |_| ()).await;
    let shop = Shop::open(&app).await;
    for number in 0..1_100 {
        hooks::happen(&app, shop.merchant, EventType::PayoutSent, &format!("pay_{number}")).await;
    }
    let browser = Browser::open().await;
    sign_in(&browser, &app, &shop).await;
    browser.go(&app.url("/portal/events?type=payout.sent")).await;
    browser.click("[data-download]").await;
    let file = browser.downloaded("events.csv").await;
    assert_eq!(file.lines().count(), 1_101);
    assert_eq!(browser.text(".download [role=status]").await, "1,100 rows, done");
    assert_eq!(browser.text("[data-download]").await, "Download CSV");
    browser.expect_quiet("download").await;
    browser.close().await;
    app.stop().await;
}
