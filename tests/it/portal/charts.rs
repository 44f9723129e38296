//! The charts of the overview: counted once, from the log, and the same when counted again.

use std::time::Duration;

use counterfoil::{
    base::environment::Environment,
    db,
    money::Amount,
    oauth::{jose::KeyKind, scopes::Scopes},
    payouts::{
        balances,
        days::{self, Count, Measure},
    },
};

use super::Shop;
use crate::support::{app::TestApp, both::both, client::Client, http::Request};

const MINUTE: Duration = Duration::from_mins(1);

async fn seeded(app: &TestApp, client: &Client, what: &str) {
    let token = client.mint(app).await;
    let path = format!("/v1/merchant/sandbox/{what}");
    let answer = client.send(app, &token, "POST", &path, Request::post(&path)).await;
    assert_eq!(answer.status / 100, 2, "{}", answer.text());
}

/// Fills a sandbox with payouts, and lets what is under way arrive and be counted.
async fn paid_out(app: &TestApp, shop: &Shop) -> Client {
    let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
    for currency in ["USD", "EUR", "GBP"] {
        let amount = Amount::parse("100000.00", currency.parse().unwrap()).unwrap();
        balances::credit(&app.ctx, Environment::Sandbox, shop.merchant, amount).await.unwrap();
    }
    for what in ["seed-beneficiaries", "seed-payouts"] {
        seeded(app, &client, what).await;
    }
    counted(app).await;
    client
}

async fn counted(app: &TestApp) {
    for _ in 0..3 {
        app.hands.advance(MINUTE);
        app.run_due_jobs().await;
    }
}

async fn counts(app: &TestApp, shop: &Shop) -> Vec<Count> {
    let long_ago = app.ctx.now().minus(MINUTE * 60 * 24 * 29);
    days::since(&app.ctx, shop.merchant, long_ago).await.unwrap()
}

fn sum(counts: &[Count], measure: Measure) -> i64 {
    counts.iter().filter(|count| count.measure == measure).map(|count| count.count).sum()
}

both! {
    async fn every_payout_is_counted_once_and_drawn(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (shop, other) = (Shop::open(&app).await, Shop::open(&app).await);
        let mut owner = shop.owner(&app).await;
        let empty = owner.get("/portal").await.expect_status(200).text();
        assert!(!empty.contains("The last 30 days"), "nothing to draw yet");
        let client = paid_out(&app, &shop).await;
        let token = client.mint(&app).await;
        let listed = client.get(&app, &token, "/v1/payouts?limit=100").await.json();
        let listed = listed["data"].as_array().unwrap().clone();
        let found = counts(&app, &shop).await;
        assert_eq!(usize::try_from(sum(&found, Measure::Made)).unwrap(), listed.len());
        let arrived = listed.iter().filter(|payout| payout["status"] == "completed").count();
        assert!(arrived > 0 && usize::try_from(sum(&found, Measure::Arrived)).unwrap() >= arrived);
        assert_eq!(sum(&found, Measure::Rail), sum(&found, Measure::Arrived));
        counted(&app).await;
        assert_eq!(counts(&app, &shop).await, found, "counting again counts nothing twice");
        let page = owner.get("/portal").await.expect_status(200).text();
        for shown in ["The last 30 days", "role=\"img\" aria-label=\"Volume", "Success rate",
            "Time on the rail", "The numbers, day by day", "<rect class=\"bar volume\""] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        assert!(!page.contains("style=\""), "the CSP would refuse it");
        owner.get("/portal?currency=nonsense").await.expect_status(200);
        let theirs = other.owner(&app).await.get("/portal").await.text();
        assert!(!theirs.contains("The last 30 days"));
        app.stop().await;
    }

    async fn a_wrong_count_is_found_by_counting_again(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        paid_out(&app, &shop).await;
        let (seen, faults) = days::verify(&app.ctx).await.unwrap();
        assert!(seen > 0 && faults.is_empty(), "{faults:#?}");
        let change = async |sql: &'static str| {
            let house = db::Owner::House;
            db::write!(app.ctx.db, house, |tx| Ok(db::exec!(tx, sql)?)).unwrap();
        };
        change("UPDATE payout_days SET total = total + 1 WHERE measure = 'made'").await;
        let (_, faults) = days::verify(&app.ctx).await.unwrap();
        assert!(!faults.is_empty() && faults[0].contains("by the log it is"), "{faults:#?}");
        change("UPDATE payout_days SET total = total - 1 WHERE measure = 'made'").await;
        app.stop().await;
    }
}
