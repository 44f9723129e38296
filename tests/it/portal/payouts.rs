//! A second pair of eyes: who may let a payout go, what that is bound to, and who may call one off.

use counterfoil::{
    money::{Amount, Currency},
    oauth::{jose::KeyKind, scopes::Scopes},
    payouts::payout::{Actor, desk},
    portal::users::{self, Role},
};
use serde_json::json;

use super::{
    Shop,
    credentials::{challenge, client, signed, text},
    visitor::{Visitor, between},
};
use crate::{
    payouts::shop as api,
    support::{
        app::TestApp,
        both::{TestDb, both},
        client::{Client, ProofKey},
        http::Response,
    },
};

/// Where somebody has to approve payouts of 500 euros and more.
async fn careful(db: &TestDb) -> TestApp {
    let from = Amount::parse("500.00", Currency::EUR).unwrap();
    TestApp::with(db, |config| config.payouts.approval_from = vec![from]).await
}

async fn money<'a>(app: &'a TestApp, shop: &Shop) -> api::Shop<'a> {
    let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
    api::Shop::of(app, client, "10000.00").await
}

/// One that waits for approval.
async fn waiting(money: &api::Shop<'_>, key: &str) -> String {
    let id = money.paid(key, "600.00", &json!({ "reference": key })).await;
    money.let_go().await;
    assert_eq!(money.status(&id).await, "pending_approval");
    id
}

fn path(id: &str) -> String {
    format!("/portal/payouts/{id}")
}

/// What the form of the page holds.
struct Form {
    digest: String,
    seen: String,
}

async fn form(visitor: &mut Visitor<'_>, id: &str) -> Form {
    let page = visitor.get(&path(id)).await.expect_status(200).text();
    read_form(&page)
}

fn read_form(page: &str) -> Form {
    let hidden = |name: &str| between(page, &format!("name=\"{name}\" value=\""), "\"").unwrap();
    Form { digest: hidden("digest"), seen: hidden("seen") }
}

async fn approve(visitor: &mut Visitor<'_>, id: &str, form: &Form) -> Response {
    let fields = [("digest", &*form.digest), ("seen", &*form.seen), ("reason", "bill checked")];
    visitor.post(&format!("{}/approve", path(id)), &fields).await
}

/// Registers a key in the portal: the credential's first, or one more.
async fn register(visitor: &mut Visitor<'_>, app: &TestApp, at: &str) -> (ProofKey, Response) {
    let key = ProofKey::make(&app.ctx.random, KeyKind::P256);
    let proof = signed(&key, &challenge(visitor).await);
    let scopes: Vec<String> = Scopes::all().iter().map(|scope| format!("scope.{scope}")).collect();
    let jwk = text(&key.jwk);
    let mut fields = vec![("label", "Own"), ("jwk", &*jwk), ("proof", &*proof)];
    fields.extend(scopes.iter().map(|scope| (scope.as_str(), "on")));
    let answer = visitor.post(at, &fields).await;
    (key, answer)
}

both! {
    async fn an_approver_lets_a_payout_go_and_it_arrives(db: TestDb) {
        let app = careful(&db).await;
        let shop = Shop::open(&app).await;
        let money = money(&app, &shop).await;
        let mut approver = shop.member(&app, Role::Approver).await;
        assert!(!approver.get("/portal").await.text().contains("wait for approval"));
        let id = waiting(&money, "bill 7").await;
        assert!(approver.get("/portal").await.text().contains("?status=pending_approval"));
        let list = approver.get("/portal/payouts?status=pending_approval").await.text();
        assert!(list.contains(&id) && list.contains("Ada Lovelace") && list.contains("bill 7"));
        let seen = form(&mut approver, &id).await;
        let page = approver.get(&path(&id)).await.text();
        for shown in ["DE89****3000", "Ada Lovelace", "Does it go out?", "Its amount needs an approval"] {
            assert!(page.contains(shown), "{shown} is not in {page}");
        }
        approve(&mut approver, &id, &seen).await.expect_status(303);
        money.let_go().await;
        assert_eq!(money.status(&id).await, "completed");

        let person = users::by_email(&app.ctx, &format!("approver-{}", shop.email)).await;
        let person = person.unwrap().unwrap().person.id.to_string();
        let timeline = money.get(&format!("/v1/payouts/{id}/timeline")).await;
        let steps = timeline["data"].as_array().unwrap();
        let step = steps.iter().find(|step| step["to"] == "approved").unwrap();
        assert_eq!(step["actor"], format!("person:{person}"));
        assert_eq!(step["cause"], "bill checked");
        let decisions = desk::see(&app.ctx, id.parse().unwrap()).await.unwrap().decisions;
        assert_eq!(decisions[0].actor, Actor::Person(person));
        assert_eq!(decisions[0].digest, seen.digest);
        let page = approver.get(&path(&id)).await.text();
        assert!(page.contains("by approver") && page.contains("Bill checked"), "{page}");
        for moved in ["hold", "payout", "−600"] {
            assert!(page.contains(moved), "the ledger shows {moved}");
        }
        let trail = shop.owner(&app).await.get("/portal/trail").await.text();
        assert!(trail.contains("Approved payout") && trail.contains("600.00 EUR · bill checked"));
        app.stop().await;
    }

    async fn nobody_approves_what_a_key_of_their_own_has_asked_for(db: TestDb) {
        let app = careful(&db).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        let mut approver = shop.member(&app, Role::Approver).await;
        let (key, page) = register(&mut owner, &app, "/portal/credentials").await;
        let own = client(&shop, &page.expect_status(200).text(), key);
        let vouched = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
        let added = format!("/portal/credentials/{}/keys", vouched.id);
        let (key, page) = register(&mut owner, &app, &added).await;
        page.expect_status(303);
        let added = Client { key, ..vouched };
        let mut payee = String::new();
        let mut account = String::new();
        for (number, client) in [own, added].into_iter().enumerate() {
            let mut money = if number == 0 {
                api::Shop::of(&app, client, "10000.00").await
            } else {
                let token = client.mint(&app).await;
                api::Shop { app: &app, client, token, payee: String::new(), account: String::new() }
            };
            if number == 0 {
                (payee, account) = (money.payee.clone(), money.account.clone());
            } else {
                (money.payee, money.account) = (payee.clone(), account.clone());
            }
            let id = waiting(&money, &format!("bill {number}")).await;
            let page = owner.get(&path(&id)).await.text();
            assert!(page.contains("It waits for somebody else") && !page.contains("id=\"approve\""));
            let seen = form(&mut approver, &id).await;
            let refused = approve(&mut owner, &id, &seen).await.expect_status(403).text();
            assert!(refused.contains("somebody else has to decide"), "{refused}");
            assert_eq!(money.status(&id).await, "pending_approval");
            approve(&mut approver, &id, &seen).await.expect_status(303);
        }
        let trail = owner.get("/portal/trail").await.text();
        assert_eq!(trail.matches("Approved payout").count(), 2, "what was refused left no line");
        app.stop().await;
    }

    async fn an_approval_of_what_has_changed_meanwhile_is_refused(db: TestDb) {
        let app = careful(&db).await;
        let shop = Shop::open(&app).await;
        let money = money(&app, &shop).await;
        let mut approver = shop.member(&app, Role::Approver).await;
        let (id, other) = (waiting(&money, "bill 7").await, waiting(&money, "bill 8").await);
        let seen = form(&mut approver, &id).await;
        for wrong in [
            Form { digest: String::new(), seen: seen.seen.clone() },
            Form { digest: form(&mut approver, &other).await.digest, seen: seen.seen.clone() },
            Form { digest: seen.digest.clone(), seen: String::new() },
        ] {
            approve(&mut approver, &id, &wrong).await.expect_status(409);
        }
        let path = format!("/v1/beneficiaries/{}", money.payee);
        let renamed = crate::support::http::Request::new("PUT", &path).json(&json!({ "display_name": "Eve" }));
        money.client.send(&app, &money.token, "PUT", &path, renamed).await.expect_status(200);
        let again = approve(&mut approver, &id, &seen).await.expect_status(409).text();
        assert!(again.contains("has changed since this page was made"), "{again}");
        assert!(again.contains("bill checked") && again.contains("Eve"), "what was typed stays");
        assert_eq!(money.status(&id).await, "pending_approval");
        approve(&mut approver, &id, &read_form(&again)).await.expect_status(303);
        approve(&mut approver, &id, &read_form(&again)).await.expect_status(409);
        app.stop().await;
    }

    async fn what_is_sent_back_needs_a_reason_and_frees_the_money(db: TestDb) {
        let app = careful(&db).await;
        let shop = Shop::open(&app).await;
        let money = money(&app, &shop).await;
        let before = money.balance("EUR").await;
        let mut approver = shop.member(&app, Role::Approver).await;
        let id = waiting(&money, "bill 7").await;
        let seen = form(&mut approver, &id).await;
        let reject = format!("{}/reject", path(&id));
        let mut fields = vec![("digest", &*seen.digest), ("seen", &*seen.seen)];
        let refused = approver.post(&reject, &fields).await.expect_status(422).text();
        assert!(refused.contains("It must say why it is sent back"), "{refused}");
        let long = "x".repeat(256);
        fields.push(("reason", &long));
        approver.post(&reject, &fields).await.expect_status(422);
        fields.pop();
        fields.push(("reason", "not our bill"));
        approver.post(&reject, &fields).await.expect_status(303);
        let payout = money.payout(&id).await;
        assert_eq!((&payout["status"], &payout["cancelled_reason"]), (&json!("cancelled"), &json!("not our bill")));
        assert_eq!(money.balance("EUR").await, before);
        assert!(approver.get(&format!("{}?done=rejected", path(&id))).await.text().contains("is yours again"));
        assert!(shop.owner(&app).await.get("/portal/trail").await.text().contains("Rejected payout"));
        app.stop().await;
    }

    async fn what_the_house_holds_is_not_the_merchants_to_let_go(db: TestDb) {
        let app = careful(&db).await;
        let shop = Shop::open(&app).await;
        let money = money(&app, &shop).await;
        let (mut owner, mut approver) = (shop.owner(&app).await, shop.member(&app, Role::Approver).await);
        let sample = waiting(&money, "bill 7").await;
        let seen = form(&mut approver, &sample).await.seen;
        for (reference, status) in [
            ("sandbox:manual_review", "manual_review"),
            ("sandbox:engine_review", "pending_engine_review"),
        ] {
            let id = money.paid(reference, "10.00", &json!({ "reference": reference })).await;
            money.let_go().await;
            assert_eq!(money.status(&id).await, status);
            let page = approver.get(&path(&id)).await.text();
            assert!(page.contains("Nobody of your team can let it through") && !page.contains("id=\"approve\""));
            let digest = desk::see(&app.ctx, id.parse().unwrap()).await.unwrap().payout.digest();
            let refused = approve(&mut approver, &id, &Form { digest, seen: seen.clone() }).await;
            assert!(refused.expect_status(409).text().contains("for whoever runs this server"));
            owner.post(&format!("{}/cancel", path(&id)), &[]).await.expect_status(303);
            assert_eq!(money.status(&id).await, "cancelled");
        }
        app.stop().await;
    }

    async fn a_payout_is_called_off_until_it_is_let_through(db: TestDb) {
        let app = careful(&db).await;
        let shop = Shop::open(&app).await;
        let money = money(&app, &shop).await;
        let before = money.balance("EUR").await;
        let mut developer = shop.member(&app, Role::Developer).await;
        let mut viewer = shop.member(&app, Role::Viewer).await;
        let id = waiting(&money, "bill 7").await;
        let cancel = format!("{}/cancel", path(&id));
        assert!(!viewer.get(&path(&id)).await.text().contains(&cancel));
        let page = developer.get(&path(&id)).await.text();
        assert!(page.contains(&cancel) && !page.contains("id=\"approve\""));
        assert!(page.contains("An owner or an approver of your team"));
        developer.post(&cancel, &[("reason", "twice\nmade")]).await.expect_status(422);
        developer.post(&cancel, &[("reason", "made twice")]).await.expect_status(303);
        assert_eq!(money.payout(&id).await["cancelled_reason"], "made twice");
        assert_eq!(money.balance("EUR").await, before);
        let again = developer.post(&cancel, &[]).await.expect_status(409).text();
        assert!(again.contains("it could be cancelled before"), "{again}");
        assert!(shop.owner(&app).await.get("/portal/trail").await.text().contains("Cancelled payout"));

        let gone = money.paid("gone", "10.00", &json!({})).await;
        money.let_go().await;
        let late = format!("{}/cancel", path(&gone));
        assert!(!developer.get(&path(&gone)).await.text().contains(&late));
        developer.post(&late, &[]).await.expect_status(409);
        assert_eq!(money.status(&gone).await, "completed");
        app.stop().await;
    }
}
