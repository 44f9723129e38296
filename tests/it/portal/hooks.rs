//! Events and where they are sent: looked at, set up, and sent again.

use std::time::Duration;

use counterfoil::{
    base::{failure::Result, ids::MerchantId},
    db,
    events::{
        EndpointId, EventId,
        endpoints::{self, Filter, Metadata, NewEndpoint},
        log::{self, EventType, NewEvent},
        signatures::Dialect,
    },
    portal::users::Role,
};
use serde_json::json;

use super::{
    Shop,
    visitor::{Visitor, between},
};
use crate::{
    events::receiver::Receiver,
    support::{
        app::TestApp,
        both::{TestDb, both},
    },
};

/// An event of this merchant.
pub(super) async fn happen(
    app: &TestApp,
    merchant: MerchantId,
    kind: EventType,
    about: &str,
) -> EventId {
    let event = NewEvent::new(kind, about, &json!({ "id": about, "amount": "12.50" })).unwrap();
    let written: Result<EventId> =
        db::write!(app.ctx.db, merchant, |tx| log::append(tx, &app.ctx, merchant, &event).await);
    written.unwrap()
}

/// An endpoint that wants everything.
pub(super) async fn endpoint(app: &TestApp, merchant: MerchantId, url: &str) -> EndpointId {
    let new = NewEndpoint {
        target: app.events.outbound.check(url).await.unwrap(),
        filter: Filter::read(["*"]).unwrap(),
        dialect: Dialect::Payouts,
        metadata: Metadata::new(),
    };
    endpoints::create(&app.events, merchant, &new).await.unwrap().id
}

async fn open(db: &TestDb) -> (TestApp, Shop) {
    let app = TestApp::with(db, |config| config.webhooks.allow_loopback = true).await;
    let shop = Shop::open(&app).await;
    (app, shop)
}

/// Until the last attempt has failed.
async fn give_up(app: &TestApp) {
    for _ in 0..8 {
        app.run_due_jobs().await;
        app.hands.advance(Duration::from_hours(1));
    }
    app.run_due_jobs().await;
}

fn count(page: &str, what: &str) -> usize {
    page.matches(what).count()
}

both! {
    async fn events_are_listed_newest_first_and_narrowed_by_type_and_resource(db: TestDb) {
        let (app, shop) = open(&db).await;
        let mut owner = shop.owner(&app).await;
        let empty = owner.get("/portal/events").await.expect_status(200).text();
        assert!(empty.contains("Nothing has happened yet") && empty.contains("/portal/webhooks"));
        for number in 0..25 {
            let about = format!("pay_{number}");
            happen(&app, shop.merchant, EventType::PayoutCreated, &about).await;
        }
        happen(&app, shop.merchant, EventType::FundingCredit, "dep_1").await;
        happen(&app, shop.merchant, EventType::PayoutSent, "pay_3").await;
        let first = owner.get("/portal/events").await.expect_status(200).text();
        assert_eq!(count(&first, "<td class=\"number\">"), 20);
        let place = |text: &str| first.find(text).unwrap();
        assert!(place("payout.sent</a>") < place("funding.credit</a>"), "the newest first");
        let older = between(&first, "<a class=\"button\" href=\"/portal/events?", "\"").unwrap();
        let older = owner.get(&format!("/portal/events?{older}")).await.expect_status(200).text();
        assert_eq!(count(&older, "<td class=\"number\">"), 7);
        let credit = owner.get("/portal/events?type=funding.credit").await.text();
        assert_eq!(count(&credit, "<td class=\"number\">"), 1);
        assert!(credit.contains("value=\"funding.credit\" selected"), "it stays chosen");
        let about = owner.get("/portal/events?about=pay_3").await.text();
        assert_eq!(count(&about, "<td class=\"number\">"), 2);
        let both = owner.get("/portal/events?about=pay_3&type=payout.sent").await.text();
        assert_eq!(count(&both, "<td class=\"number\">"), 1);
        let none = owner.get("/portal/events?about=pay_99").await.expect_status(200).text();
        assert!(none.contains("No event is like this"));
        let wrong = owner.get("/portal/events?type=nonsense&about=pay_3").await.expect_status(400).text();
        assert!(wrong.contains("must be one of the choices") && wrong.contains("value=\"pay_3\""));
        app.stop().await;
    }

    async fn a_rare_type_is_found_across_pages_that_end_early(db: TestDb) {
        let (app, shop) = open(&db).await;
        let (merchant, ctx) = (shop.merchant, &app.ctx);
        happen(&app, merchant, EventType::FundingCredit, "dep_1").await;
        let event = NewEvent::new(EventType::PayoutCreated, "pay_1", &json!({})).unwrap();
        let written: Result<()> = db::write!(ctx.db, merchant, |tx| {
            for _ in 0..5_500 {
                log::append(tx, ctx, merchant, &event).await?;
            }
            Ok(())
        });
        written.unwrap();
        let mut owner = shop.owner(&app).await;
        let path = "/portal/events?type=funding.credit";
        let page = owner.get(path).await.expect_status(200).text();
        assert!(page.contains("None among the newest five thousand"));
        let older = between(&page, "href=\"/portal/events?type=funding.credit&amp;", "\"").unwrap();
        let found = owner.get(&format!("{path}&{older}")).await.expect_status(200).text();
        assert!(found.contains("dep_1") && !found.contains("Older"));
        let file = owner.get("/portal/events.csv?type=funding.credit").await.expect_status(200).text();
        assert_eq!(file.lines().count(), 2, "a file goes on until the end");
        app.stop().await;
    }

    async fn an_event_shows_its_exact_body_and_is_delivered_again(db: TestDb) {
        let (app, shop) = open(&db).await;
        let receiver = Receiver::saying(500).await;
        let endpoint = endpoint(&app, shop.merchant, &receiver.url()).await;
        let event = happen(&app, shop.merchant, EventType::PayoutFailed, "pay_1").await;
        give_up(&app).await;
        let tries = receiver.seen().len();
        assert_eq!(tries, 5);
        let mut owner = shop.owner(&app).await;
        let path = format!("/portal/events/{event}");
        let page = owner.get(&path).await.expect_status(200).text();
        let exact = String::from_utf8(receiver.seen()[0].body.clone()).unwrap();
        assert!(page.contains(&exact.replace('"', "&quot;")), "byte for byte");
        assert!(page.contains("Headers of the answer") && page.contains("content-length: 0"));
        assert!(page.contains("Headers of the request") && page.contains("x-webhook-signature: v1="));
        assert!(page.contains("5 of 5") && page.contains("HTTP 500") && page.contains("every attempt was made"));
        let letters = owner.get(&format!("/portal/webhooks/{endpoint}?status=failed")).await.text();
        assert!(letters.contains("Dead letters") && letters.contains(&event.to_string()));

        let mut viewer = shop.member(&app, Role::Viewer).await;
        assert!(!viewer.get(&path).await.expect_status(200).text().contains("Deliver again"));
        assert!(page.contains("Deliver again"));
        receiver.now(|_| crate::events::receiver::Answer::Status(204));
        let to = endpoint.to_string();
        let deliver = format!("{path}/deliver");
        let sent = owner.post(&deliver, &[("endpoint", &to)]).await.expect_status(303);
        assert_eq!(sent.header("Location"), Some(&*format!("{path}?done=again")));
        let waiting = owner.post(&deliver, &[("endpoint", &to)]).await.expect_status(303);
        assert_eq!(waiting.header("Location"), Some(&*format!("{path}?done=waiting")));
        app.run_due_jobs().await;
        assert_eq!(receiver.seen().len(), tries + 1);
        let page = owner.get(&path).await.text();
        assert!(page.contains("delivered") && page.contains("HTTP 204"));
        let trail = owner.get("/portal/trail").await.text();
        assert_eq!(count(&trail, "Delivered again to"), 2);

        owner.post(&format!("/portal/webhooks/{endpoint}/off"), &[]).await.expect_status(303);
        assert!(!owner.get(&path).await.text().contains("Deliver again</button>"), "it would be refused");
        let refused = owner.post(&deliver, &[("endpoint", &to)]).await.expect_status(409).text();
        assert!(refused.contains("reactivate it first") && refused.contains(&event.to_string()));
        owner.post(&deliver, &[("endpoint", "wbh_x")]).await.expect_status(404);
        app.stop().await;
    }

    async fn an_endpoint_is_added_tested_edited_switched_and_deleted(db: TestDb) {
        let (app, shop) = open(&db).await;
        let receiver = Receiver::saying(200).await;
        let mut dev = shop.member(&app, Role::Developer).await;
        let empty = dev.get("/portal/webhooks").await.expect_status(200).text();
        assert!(empty.contains("Nobody is told of events yet"));
        let add = "/portal/webhooks";
        let wrong = [("url", "ftp://x.example/<b>"), ("dialect", "payouts"), ("event.nonsense", "on")];
        let refused = dev.post(add, &wrong).await.expect_status(422).text();
        assert!(refused.contains("https://") && refused.contains("at least one event"));
        assert!(refused.contains("value=\"ftp://x.example/&lt;b&gt;\""), "what was typed stays");
        let url = receiver.url();
        let fields = [("url", &*url), ("dialect", "standard"), ("event.payout.*", "on")];
        let made = dev.post(add, &fields).await.expect_status(200).text();
        let secret = between(&made, "<code id=\"secret\">", "</code>").unwrap();
        assert!(secret.starts_with("whsec_") && made.contains("Public key"));
        let id = between(&made, "href=\"/portal/webhooks/wbh_", "\"").unwrap();
        let path = format!("/portal/webhooks/wbh_{id}");
        let page = dev.get(&path).await.expect_status(200).text();
        assert!(!page.contains(&secret), "shown once");
        assert!(page.contains("Nothing was sent here yet"));

        let tested = dev.post(&format!("{path}/test"), &[]).await.expect_status(303);
        let event = tested.header("Location").unwrap().to_owned();
        app.run_due_jobs().await;
        assert!(dev.get(&event).await.expect_status(200).text().contains("HTTP 200"));
        let edit = format!("{path}/edit");
        let form = dev.get(&edit).await.expect_status(200).text();
        assert!(form.contains("name=\"event.payout.*\" value=\"on\" checked"));
        dev.post(&edit, &[("url", &url)]).await.expect_status(422);
        let changed = [("url", &*url), ("event.funding.credit", "on")];
        dev.post(&edit, &changed).await.expect_status(303);
        assert!(dev.get(&path).await.text().contains("funding.credit"));

        dev.post(&format!("{path}/rotate"), &[("overlap", "7")]).await.expect_status(422);
        let rotated = dev.post(&format!("{path}/rotate"), &[("overlap", "24")]).await.expect_status(200).text();
        let next = between(&rotated, "<code id=\"secret\">", "</code>").unwrap();
        assert!(next != secret && rotated.contains("two signatures until"));
        assert!(dev.get(&path).await.text().contains("signs as well until"));

        dev.post(&format!("{path}/off"), &[]).await.expect_status(303);
        let off = dev.get(&path).await.text();
        assert!(off.contains("inactive") && !off.contains("Send a test</button>"));
        let refused = dev.post(&format!("{path}/test"), &[]).await.expect_status(409).text();
        assert!(refused.contains("reactivate it first"));
        dev.post(&format!("{path}/on"), &[("skip_missed", "on")]).await.expect_status(303);
        assert!(dev.get("/portal/webhooks").await.text().contains(&url));
        dev.post(&format!("{path}/delete"), &[]).await.expect_status(303);
        dev.get(&path).await.expect_status(404);
        let trail = shop.owner(&app).await.get("/portal/trail").await.text();
        for line in ["Added a", "Changed a", "Switched off a", "Switched on a", "Deleted a", "Rotated the secret of a"] {
            assert!(trail.contains(&format!("{line} webhook endpoint")), "{line}");
        }
        assert!(trail.contains("Sent a test event to") && !trail.contains(&secret));
        app.stop().await;
    }

    async fn a_range_of_dead_letters_is_delivered_again(db: TestDb) {
        let (app, shop) = open(&db).await;
        let receiver = Receiver::doing(|seen| {
            crate::events::receiver::Answer::Status(if seen.sequence() == 2 { 200 } else { 500 })
        }).await;
        let endpoint = endpoint(&app, shop.merchant, &receiver.url()).await;
        for number in 1..=4 {
            happen(&app, shop.merchant, EventType::PayoutSent, &format!("pay_{number}")).await;
        }
        give_up(&app).await;
        receiver.now(|_| crate::events::receiver::Answer::Status(200));
        let before = receiver.seen().len();
        let mut owner = shop.owner(&app).await;
        let path = format!("/portal/webhooks/{endpoint}");
        let again = format!("{path}/again");
        let wrong = owner.post(&again, &[("after", "one"), ("through", "3")]).await.expect_status(422).text();
        assert!(wrong.contains("the number of an event") && wrong.contains("value=\"3\""));
        let range = [("after", "2"), ("through", "3"), ("only_failed", "on")];
        let sent = owner.post(&again, &range).await.expect_status(303);
        assert_eq!(sent.header("Location"), Some(&*format!("{path}?done=again&planned=1")));
        app.run_due_jobs().await;
        let came: Vec<i64> = receiver.sequences().split_off(before);
        assert_eq!(came, [3], "2 was delivered, 1 and 4 are outside");
        let nothing = owner.post(&again, &range).await.expect_status(303);
        let page = owner.get(nothing.header("Location").unwrap()).await.text();
        assert!(page.contains("nothing to deliver again"));
        let all = owner.post(&again, &[]).await.expect_status(303);
        assert!(all.header("Location").unwrap().ends_with("planned=4"));
        app.stop().await;
    }
}

/// Whatever a stranger knows the ids of.
pub(super) async fn victim(app: &TestApp, shop: &Shop) -> (EndpointId, EventId) {
    let endpoint = endpoint(app, shop.merchant, "https://hooks.example.com/victim").await;
    let event = happen(app, shop.merchant, EventType::PayoutSent, "pay_victim").await;
    (endpoint, event)
}

#[tokio::test]
async fn another_merchants_endpoint_takes_no_event_of_mine() {
    let db = TestDb::sqlite().await;
    let (app, shop) = open(&db).await;
    let other = Shop::open(&app).await;
    let (endpoint, _) = victim(&app, &other).await;
    let event = happen(&app, shop.merchant, EventType::PayoutSent, "pay_mine").await;
    let mut owner: Visitor<'_> = shop.owner(&app).await;
    let to = endpoint.to_string();
    let path = format!("/portal/events/{event}/deliver");
    owner.post(&path, &[("endpoint", &to)]).await.expect_status(404);
    app.stop().await;
}
