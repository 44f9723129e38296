//! The log of API requests: what is in it, what never is, and what it may cost.

use std::time::Duration;

use axum::http::Method;
use counterfoil::{
    base::{failure::Result, ids::MerchantId},
    db,
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

    /// Ids are ordered by time, so that other merchants' lines, and younger ones, are not even looked at.
    async fn more_old_lines_than_one_run_drops_are_gone_a_minute_later(db: TestDb) {
        const OLD: &str = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
            INSERT INTO api_requests
            (merchant_id, id, at_us, method, path, status, client_id, request_id, micros)
            SELECT $1, 'rql_0000000000000000' || CAST(1000000000 + i AS TEXT), 0, 'GET', '/v1/balances',
                200, 'ant_oc_x', 'req_x', 1 FROM n";
        let app = TestApp::start(&db).await;
        let (shop, other) = (Shop::open(&app).await, Shop::open(&app).await);
        for merchant in [shop.merchant, other.merchant] {
            let client = app.client_of(merchant, KeyKind::P256, Scopes::all()).await;
            let token = client.mint(&app).await;
            client.get(&app, &token, "/v1/balances").await.expect_status(200);
        }
        app.requests.flush(&app.ctx).await.unwrap();
        let filled: Result<u64> =
            db::write!(app.ctx.db, shop.merchant, |tx| Ok(db::exec!(tx, OLD, shop.merchant)?));
        assert_eq!(filled.unwrap(), 100_001);
        app.hands.advance(Duration::from_hours(1));
        app.run_due_jobs().await;
        let left = lines(&app).await;
        assert!((3..=1_003).contains(&left), "one run has its measure, and left {left}");
        app.hands.advance(Duration::from_mins(1));
        app.run_due_jobs().await;
        assert_eq!(lines(&app).await, 2, "what is young stays");
        app.stop().await;
    }

    /// Those who have nothing old must not use up the turns of those who have.
    async fn every_merchants_old_lines_are_dropped_however_many_merchants_there_are(db: TestDb) {
        const LINE: &str = "INSERT INTO api_requests
            (merchant_id, id, at_us, method, path, status, client_id, request_id, micros)
            VALUES ($1, $2, 0, 'GET', '/v1/balances', 200, 'ant_oc_x', 'req_x', 1)";
        let app = TestApp::start(&db).await;
        for seed in 0..250 {
            let merchant = crate::db::merchant(&app.ctx.db, seed).await;
            // More of the young than one run has turns, and then more of the old.
            let id = if seed < 120 { "rql_7ZZZZZZZZZ0000000000000000" } else { "rql_00000000000000000000000000" };
            let made: Result<u64> =
                db::write!(app.ctx.db, merchant, |tx| Ok(db::exec!(tx, LINE, merchant, id)?));
            made.unwrap();
        }
        app.hands.advance(Duration::from_hours(1));
        app.run_due_jobs().await;
        assert_eq!(lines(&app).await, 150);
        app.hands.advance(Duration::from_mins(1));
        app.run_due_jobs().await;
        assert_eq!(lines(&app).await, 120);
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
        let line = |merchant, status| Answered {
            merchant,
            at: app.ctx.now(),
            method: Method::GET,
            path_and_query: "/v1/balances".into(),
            status,
            code: None,
            client: "ant_oc_x".to_owned(),
            request: "req_x".to_owned(),
            micros: 1,
        };
        // Nobody empties it meanwhile; who leaves a line cannot even wait, since nothing here is async.
        for _ in 0..1_000 {
            log.note(shop.merchant, false, || line(shop.merchant, 200));
        }
        let mut others = Vec::new();
        for seed in 0..70 {
            others.push(crate::db::merchant(&app.ctx.db, seed).await);
        }
        // Of a thousand shares, two merchants may get the same one.
        let elsewhere = |other: &&MerchantId| other.spread(1_024) != shop.merchant.spread(1_024);
        let other = *others.iter().find(elsewhere).unwrap();
        log.note(shop.merchant, true, || line(shop.merchant, 404));
        log.note(other, false, || line(other, 200));
        log.flush(&app.ctx).await.unwrap();
        assert_eq!(lines(&app).await, 250 + 2, "one merchant's crowd takes no other's place");
        log.note(shop.merchant, false, || line(shop.merchant, 200));
        log.flush(&app.ctx).await.unwrap();
        let mut owner = shop.owner(&app).await;
        let file = owner.get("/portal/requests.csv").await.expect_status(200).text();
        assert_eq!(file.lines().count(), 1 + 252, "the next half second has its own share");

        for merchant in others.iter().flat_map(|merchant| [merchant; 500]) {
            log.note(*merchant, false, || line(*merchant, 200));
        }
        log.flush(&app.ctx).await.unwrap();
        assert_eq!(lines(&app).await, 253 + 16_384, "and all together have a bound");
        app.stop().await;
    }
}

async fn lines(app: &TestApp) -> i64 {
    let counted: Result<i64> =
        db::read!(
            app.ctx.db,
            |tx| Ok(db::one!(tx, (i64,), "SELECT COUNT(*) FROM api_requests")?.0)
        );
    counted.unwrap()
}
