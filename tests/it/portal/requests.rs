//! The log of API requests: what is in it, what never is, and what it may cost.

use std::time::Duration;

use axum::http::Method;
use counterfoil::{
    oauth::{jose::KeyKind, scopes::Scopes},
    web::requests::{self, Answered, Filter, RequestLog},
};
use serde_json::json;

use super::Shop;
use crate::support::{app::TestApp, both::both, http::Request};

both! {
    async fn requests_are_listed_with_their_names_and_outcomes(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (shop, other) = (Shop::open(&app).await, Shop::open(&app).await);
        let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
        let mut owner = shop.owner(&app).await;
        let empty = owner.get("/portal/requests").await.expect_status(200).text();
        assert!(empty.contains("No server of yours has asked"));
        let token = client.mint(&app).await;
        let good = client.get(&app, &token, "/v1/payouts?status=sent&reference=Anna+Smith").await;
        let good = good.expect_status(200).header("X-Request-ID").unwrap().to_owned();
        let bad = client.post(&app, &token, "/v1/pricing/quote", &json!({ "amount": "secret-note" })).await;
        let bad = bad.expect_status(422).header("X-Request-ID").unwrap().to_owned();
        let path = "/v1/balances";
        let named = Request::get(path).header("X-Request-ID", "order-17");
        client.send(&app, &token, "GET", path, named).await.expect_status(200);
        // A proof that is refused is what one looks for here.
        let proof = client.key.proof(&app, "POST", path, Some(&token));
        let refused = Request::get(path).header("Authorization", format!("DPoP {token}")).header("DPoP", &proof);
        app.send(refused).await.expect_status(401);
        app.send(Request::get(path)).await.expect_status(401);
        app.requests.flush(&app.ctx).await.unwrap();

        let page = owner.get("/portal/requests").await.expect_status(200).text();
        for shown in [&*good, &bad, "order-17", "/v1/payouts?status&amp;reference", "validation_error", client.id.as_str()] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        for never in ["Anna", "secret-note", &token, &proof] {
            assert!(!page.contains(never), "{never}");
        }
        assert_eq!(page.matches("<td class=\"target\">").count(), 4, "a stranger's is in nobody's log");
        let refused = owner.get("/portal/requests?outcome=refused").await.text();
        assert_eq!(refused.matches("<td class=\"target\">").count(), 2);
        assert!(refused.contains("invalid_dpop_proof"));
        let one = owner.get("/portal/requests?request_id=order-17").await.text();
        assert_eq!(one.matches("<td class=\"target\">").count(), 1);
        let wrong = owner.get("/portal/requests?outcome=good&request_id=x").await.expect_status(400).text();
        assert!(wrong.contains("value=\"x\""), "what was typed stays");
        let file = owner.get("/portal/requests.csv?outcome=refused").await.expect_status(200).text();
        assert_eq!(file.lines().count(), 3);

        let mut stranger = other.owner(&app).await;
        let theirs = stranger.get("/portal/requests?request_id=order-17").await.text();
        assert!(theirs.contains("No request like this"));
        assert!(!stranger.get("/portal/requests").await.text().contains(&good));
        app.stop().await;
    }

    async fn old_lines_are_dropped_and_with_no_days_none_are_written(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
        let token = client.mint(&app).await;
        client.get(&app, &token, "/v1/balances").await.expect_status(200);
        app.requests.flush(&app.ctx).await.unwrap();
        app.hands.advance(Duration::from_hours(29 * 24));
        app.run_due_jobs().await;
        let mut owner = shop.owner(&app).await;
        assert!(owner.get("/portal/requests").await.text().contains("/v1/balances"));
        app.hands.advance(Duration::from_hours(2 * 24));
        app.run_due_jobs().await;
        owner = shop.owner(&app).await;
        assert!(!owner.get("/portal/requests").await.text().contains("/v1/balances"));
        drop(owner);

        let other = crate::support::both::TestDb::sqlite().await;
        let off = TestApp::with(&other, |config| config.requests.keep_days = 0).await;
        let shop = Shop::open(&off).await;
        let client = off.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
        let token = client.mint(&off).await;
        client.get(&off, &token, "/v1/balances").await.expect_status(200);
        off.requests.flush(&off.ctx).await.unwrap();
        let page = shop.owner(&off).await.get("/portal/requests").await.expect_status(200).text();
        assert!(page.contains("switched off") && !page.contains("/v1/balances"));
        off.stop().await;
        app.stop().await;
    }

    async fn what_waits_is_written_before_the_door_is_closed(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
        let token = client.mint(&app).await;
        client.get(&app, &token, "/v1/balances").await.expect_status(200);
        let (clock, hands) = (app.ctx.clock.clone(), app.hands.clone());
        let keys = app.keys_dir.clone();
        app.stop().await;
        let app = TestApp::at(&db, clock, hands, keys, |_| ()).await;
        let page = counterfoil::base::pagination::PageRequest { limit: 10, after: None };
        let kept = requests::page(&app.ctx, shop.merchant, &Filter::All, &page).await.unwrap();
        assert_eq!(kept.data.len(), 1);
        app.stop().await;
    }

    async fn more_lines_than_fit_are_dropped_and_nobody_waits(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let log = RequestLog::new();
        let line = || Answered {
            merchant: shop.merchant,
            at: app.ctx.now(),
            method: Method::GET,
            path_and_query: "/v1/balances".into(),
            status: 200,
            code: None,
            client: "ant_oc_x".to_owned(),
            request: "req_x".to_owned(),
            micros: 1,
        };
        // Nobody empties it meanwhile; who leaves a line cannot even wait, since nothing here is async.
        for _ in 0..20_000 {
            log.note(line);
        }
        log.flush(&app.ctx).await.unwrap();
        let mut owner = shop.owner(&app).await;
        let file = owner.get("/portal/requests.csv").await.expect_status(200).text();
        assert_eq!(file.lines().count(), 16_384 + 1, "what fits is kept, and listed to the end");
        app.stop().await;
    }
}
