//! Every way a payout can go, by what a sandbox can be asked for.

use std::time::Duration;

use counterfoil::{
    base::failure::Result,
    db,
    jobs::{self, NewJob},
    payouts::payout::{self, Actor},
};
use serde_json::json;

use super::{PATH, Shop, code};
use crate::support::{app::TestApp, both::both};

const BEGINNING: [&str; 2] = ["created", "pending_screening"];

async fn ends(shop: &Shop<'_>, reference: &str, way: &[&str], left: &str) {
    let before = shop.balance("EUR").await;
    assert_eq!(before[0], before[2], "nothing is set aside yet");
    let id = shop.paid(reference, "100.00", &json!({ "reference": reference })).await;
    shop.let_go().await;
    let wanted: Vec<_> = BEGINNING.iter().chain(way).collect();
    assert_eq!(
        shop.way(&id).await,
        wanted.iter().map(|s| (**s).to_owned()).collect::<Vec<_>>(),
        "{reference}"
    );
    assert_eq!(shop.balance("EUR").await, [left, "0.00", left], "{reference}");
}

both! {
    async fn each_end_settles_the_money_in_its_own_way(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        ends(&shop, "sandbox:screening_hit", &["screening_failed"], "1000.00").await;
        ends(&shop, "sandbox:velocity_blocked", &["velocity_blocked"], "1000.00").await;
        ends(&shop, "sandbox:refused", &["approved", "processing", "failed"], "1000.00").await;
        ends(&shop, "sandbox:failed", &["approved", "processing", "sent", "failed"], "1000.00").await;
        // The rail has done its work: the fee stays.
        ends(&shop, "sandbox:returned", &["approved", "processing", "sent", "returned"], "999.75").await;
        ends(&shop, "plain", &["approved", "processing", "sent", "completed"], "899.50").await;
        app.stop().await;
    }

    async fn what_is_late_or_lost_is_asked_about_and_never_paid_twice(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        for reference in ["sandbox:answer_lost", "sandbox:never_seen"] {
            let id = shop.paid(reference, "1.00", &json!({ "reference": reference })).await;
            app.run_due_jobs().await;
            assert_eq!(shop.status(&id).await, "processing", "{reference}");
            for _ in 0..6 {
                shop.wait(Duration::from_secs(2)).await;
            }
            assert_eq!(shop.status(&id).await, "completed", "{reference}");
        }
        let late = shop.paid("delayed", "1.00", &json!({ "reference": "sandbox:delayed" })).await;
        shop.let_go().await;
        assert_eq!(shop.status(&late).await, "sent");
        shop.wait(Duration::from_hours(1)).await;
        assert_eq!(shop.status(&late).await, "completed");

        let back = shop.paid("late", "100.00", &json!({ "reference": "sandbox:late_return" })).await;
        shop.let_go().await;
        assert_eq!(shop.status(&back).await, "completed");
        let before = shop.balance("EUR").await;
        let token = {
            app.hands.advance(Duration::from_hours(24));
            app.run_due_jobs().await;
            shop.client.mint(&app).await
        };
        let shop = Shop { token, ..shop };
        assert_eq!(shop.status(&back).await, "returned");
        let cents = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
        assert_eq!(cents(&shop.balance("EUR").await[0]) - cents(&before[0]), 10_000, "the fee stays");
        assert_eq!(shop.payout(&back).await["return_reason"], "the beneficiary gave it back");
        app.stop().await;
    }

    async fn a_payout_can_be_called_off_until_it_is_let_through(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let cancel = async |id: &str, key: &str| {
            shop.post(&format!("{PATH}/{id}/cancel"), key, &json!({ "reason": "changed my mind" })).await
        };
        let at_once = shop.paid("one", "100.00", &json!({})).await;
        let gone = cancel(&at_once, "c1").await.expect_status(200).json();
        assert_eq!((&gone["status"], &gone["cancelled_reason"]), (&json!("cancelled"), &json!("changed my mind")));
        assert_eq!(shop.balance("EUR").await, ["1000.00", "0.00", "1000.00"]);
        let again = cancel(&at_once, "c1").await.expect_status(200);
        assert_eq!(again.header("X-Idempotent-Replayed"), Some("true"));
        assert_eq!(code(&cancel(&at_once, "c2").await.expect_status(409)), "invalid_state");
        for reference in ["sandbox:engine_review", "sandbox:manual_review", "sandbox:approval"] {
            let held = shop.paid(reference, "100.00", &json!({ "reference": reference })).await;
            shop.let_go().await;
            assert!(shop.told(&held).await.contains(&"payout.held".to_owned()), "{reference}");
            cancel(&held, reference).await.expect_status(200);
        }
        let gone_through = shop.paid("two", "100.00", &json!({})).await;
        app.run_due_jobs().await;
        assert_eq!(code(&cancel(&gone_through, "c3").await.expect_status(409)), "invalid_state");
        shop.let_go().await;
        shop.post(&format!("{PATH}/pay_01HX8Z9K0M2N3P4Q5R6S7T8VAB/cancel"), "c4", &json!({})).await.expect_status(404);
        app.stop().await;
    }

    async fn an_approval_is_somebody_elses_word_on_exactly_what_was_seen(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            config.payouts.approval_from = vec![counterfoil::money::Amount::parse("500.00", counterfoil::money::Currency::EUR).unwrap()];
        }).await;
        let shop = Shop::open(&app, "2000.00").await;
        let small = shop.paid("small", "499.99", &json!({})).await;
        let large = shop.paid("large", "500.00", &json!({})).await;
        let unwanted = shop.paid("unwanted", "600.00", &json!({})).await;
        shop.let_go().await;
        assert_eq!(shop.status(&small).await, "completed");
        assert_eq!(shop.status(&large).await, "pending_approval");
        let merchant = shop.client.merchant;
        let which = (merchant, large.parse().unwrap());
        let seen = payout::get(&app.ctx, merchant, which.1).await.unwrap();
        let alice = Actor::Operator("alice".to_owned());
        let decide = async |digest: &str, by: &Actor| {
            payout::decide(&app.ctx, which, digest, by, Ok("looks right")).await.map_err(|failure| failure.code().as_str())
        };
        assert_eq!(decide(&seen.digest(), &seen.made_by).await.unwrap_err(), "forbidden");
        let other = payout::get(&app.ctx, merchant, unwanted.parse().unwrap()).await.unwrap();
        assert_eq!(decide(&other.digest(), &alice).await.unwrap_err(), "invalid_state");
        decide(&seen.digest(), &alice).await.unwrap();
        assert_eq!(decide(&seen.digest(), &alice).await.unwrap_err(), "invalid_state", "once is enough");
        payout::decide(&app.ctx, (merchant, other.id), &other.digest(), &alice, Err("not this one")).await.unwrap();
        shop.let_go().await;
        assert_eq!(shop.status(&large).await, "completed");
        assert_eq!(shop.status(&unwanted).await, "cancelled");
        assert_eq!(shop.payout(&unwanted).await["cancelled_reason"], "not this one");
        let timeline = shop.get(&format!("{PATH}/{large}/timeline")).await;
        let approved = timeline["data"].as_array().unwrap().iter().find(|step| step["to"] == "approved").unwrap();
        assert_eq!(approved["actor"], "operator:alice");
        app.stop().await;
    }

    async fn a_word_given_while_the_last_job_is_on_its_way_out_is_heard(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let id = shop.paid("one", "1.00", &json!({ "reference": "sandbox:approval" })).await;
        let read = "SELECT unique_key FROM jobs WHERE kind = 'payouts.advance'";
        let key: Result<(String,)> = db::read!(app.ctx.db, |tx| Ok(db::one!(tx, (String,), read)?));
        app.run_due_jobs().await;
        assert_eq!(shop.status(&id).await, "pending_approval");
        // As if its job had not been deleted yet: another replica is about to.
        let late = app.ctx.now().plus(Duration::from_hours(1));
        let stays = NewJob::new("tests.nobody", late, &()).unwrap().unique(key.unwrap().0);
        let merchant = shop.client.merchant;
        let queued: Result<()> =
            db::write!(app.ctx.db, merchant, |tx| jobs::enqueue(tx, &app.ctx, &stays).await);
        queued.unwrap();
        let seen = payout::get(&app.ctx, merchant, id.parse().unwrap()).await.unwrap();
        let alice = Actor::Operator("alice".to_owned());
        payout::decide(&app.ctx, (merchant, seen.id), &seen.digest(), &alice, Ok("yes")).await.unwrap();
        shop.let_go().await;
        assert_eq!(shop.status(&id).await, "completed");
        app.stop().await;
    }
}
