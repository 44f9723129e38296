//! Nobody reaches what is another merchant's, by any id in any path.

use std::collections::BTreeSet;

use counterfoil::{
    events::endpoints,
    oauth::{
        credentials::{self, CredentialStatus, KeyStatus},
        jose::KeyKind,
        scopes::Scopes,
    },
    portal::{http::known, sessions, users},
};

use serde_json::json;

use super::{Shop, authenticator::Authenticator, hooks, passkeys};
use crate::{
    payouts::shop as payouts,
    support::{app::TestApp, both::both},
};

/// Every route with an id, but for one-time links, whose end is no id but a secret.
const WITH_IDS: &[(&str, &str)] = &[
    ("POST", "/portal/account/passkeys/{passkey}/name"),
    ("POST", "/portal/account/passkeys/{passkey}/remove"),
    ("POST", "/portal/account/sessions/{session}/end"),
    ("GET", "/portal/beneficiaries/{beneficiary}"),
    ("POST", "/portal/beneficiaries/{beneficiary}/person"),
    ("GET", "/portal/credentials/{client}"),
    ("POST", "/portal/credentials/{client}/keys"),
    ("GET", "/portal/credentials/{client}/keys/new"),
    ("POST", "/portal/credentials/{client}/keys/{jkt}/retire"),
    ("POST", "/portal/credentials/{client}/revoke"),
    ("POST", "/portal/credentials/{client}/rotate"),
    ("GET", "/portal/events/{event}"),
    ("POST", "/portal/events/{event}/deliver"),
    ("GET", "/portal/payouts/{payout}"),
    ("POST", "/portal/payouts/{payout}/approve"),
    ("POST", "/portal/payouts/{payout}/cancel"),
    ("GET", "/portal/payouts/{payout}/receipt"),
    ("GET", "/portal/payouts/{payout}/receipt/file"),
    ("POST", "/portal/payouts/{payout}/reject"),
    ("GET", "/portal/quotes/{quote}"),
    ("POST", "/portal/team/{user}/remove"),
    ("POST", "/portal/team/{user}/role"),
    ("GET", "/portal/webhooks/{endpoint}"),
    ("POST", "/portal/webhooks/{endpoint}/again"),
    ("POST", "/portal/webhooks/{endpoint}/delete"),
    ("GET", "/portal/webhooks/{endpoint}/deliveries.csv"),
    ("GET", "/portal/webhooks/{endpoint}/edit"),
    ("POST", "/portal/webhooks/{endpoint}/edit"),
    ("POST", "/portal/webhooks/{endpoint}/off"),
    ("POST", "/portal/webhooks/{endpoint}/on"),
    ("POST", "/portal/webhooks/{endpoint}/rotate"),
    ("POST", "/portal/webhooks/{endpoint}/test"),
];

#[test]
fn every_route_with_an_id_is_in_the_table() {
    let served = known();
    let with_ids =
        served.iter().filter(|route| route.path.contains('{') && !route.path.contains("/link/"));
    let served: BTreeSet<_> = with_ids.map(|route| (route.path, route.method)).collect();
    let listed: BTreeSet<_> = WITH_IDS.iter().map(|(method, path)| (*path, *method)).collect();
    assert_eq!(served, listed);
}

both! {
    async fn another_merchants_things_are_not_found_and_not_touched(db: TestDb) {
        let app = TestApp::with(&db, passkeys::by_name).await;
        let (victim, thief) = (Shop::open(&app).await, Shop::open(&app).await);
        let mut owner = victim.owner(&app).await;
        let client = app.client_of(victim.merchant, KeyKind::P256, Scopes::all()).await;
        let person = users::by_email(&app.ctx, &victim.email).await.unwrap().unwrap().person;
        let session = sessions::list(&app.ctx, &person).await.unwrap().remove(0).id;
        let mut device = Authenticator::at(&app.url(""), &victim.email);
        let passkey = passkeys::added(&mut owner, &victim, &mut device, "Laptop").await;
        let spare = app.client_of(victim.merchant, KeyKind::P256, Scopes::all()).await;
        let money = payouts::Shop::of(&app, spare, "1000.00").await;
        let payout = money.paid("theirs", "10.00", &json!({ "reference": "sandbox:approval" })).await;
        money.let_go().await;
        let quote = money.payout(&payout).await["quote_id"].as_str().unwrap().to_owned();
        let (endpoint, event) = hooks::victim(&app, &victim).await;
        let mut thief = thief.owner(&app).await;
        for (method, path) in WITH_IDS {
            let path = path
                .replace("{session}", &session.to_string())
                .replace("{passkey}", &passkey)
                .replace("{client}", client.id.as_str())
                .replace("{payout}", &payout)
                .replace("{quote}", &quote)
                .replace("{beneficiary}", &money.payee)
                .replace("{jkt}", client.key.jkt.as_str())
                .replace("{endpoint}", &endpoint.to_string())
                .replace("{event}", &event.to_string())
                .replace("{user}", &person.id.to_string());
            let to = endpoint.to_string();
            let fields = [("role", "viewer"), ("overlap", "0"), ("name", "Mine"), ("reason", "mine"), ("endpoint", &*to)];
            let answer = match *method {
                "GET" => thief.get(&path).await,
                _ => thief.post(&path, &fields).await,
            };
            let text = answer.expect_status(404).text();
            assert!(!text.contains(client.id.as_str()) && !text.contains(&victim.email), "{path}");
            assert!(!text.contains("Lovelace"), "{path}");
        }
        for page in [
            "/portal", "/portal/credentials", "/portal/team", "/portal/trail", "/portal/account",
            "/portal/payouts", "/portal/payouts?status=pending_approval", "/portal/quotes",
            "/portal/beneficiaries", &format!("/portal/payouts?beneficiary={}", money.payee),
            "/portal/webhooks", "/portal/events", "/portal/requests",
        ] {
            let text = thief.get(page).await.expect_status(200).text();
            assert!(!text.contains(&payout) && !text.contains(&quote) && !text.contains("Lovelace"), "{page}");
            assert!(!text.contains(&victim.email) && !text.contains(client.id.as_str()), "{page}");
            assert!(!text.contains("pay_victim") && !text.contains("hooks.example.com"), "{page}");
        }
        assert!(owner.get("/portal/account").await.text().contains("Laptop"));
        let same = endpoints::find(&app.ctx, victim.merchant, endpoint).await.unwrap();
        assert_eq!(same.status, endpoints::Status::Active);
        let now = credentials::load(&app.ctx, &client.id).await.unwrap().unwrap();
        assert_eq!(now.credential.status, CredentialStatus::Active);
        assert!(now.keys.iter().all(|key| key.status == KeyStatus::Active));
        assert_eq!((now.keys.len(), now.secrets.len()), (1, 1));
        let same = users::by_email(&app.ctx, &victim.email).await.unwrap().unwrap().person;
        assert_eq!(same.role, person.role);
        assert_eq!(money.status(&payout).await, "pending_approval");
        app.stop().await;
    }
}
