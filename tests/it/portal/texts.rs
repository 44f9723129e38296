//! Texts that others have chosen are shown as texts.

use counterfoil::{
    events::log::EventType,
    oauth::{jose::KeyKind, scopes::Scopes},
    portal::users::Role,
};

use serde_json::json;

use super::{Shop, authenticator::Authenticator, hooks, passkeys, visitor::Visitor};
use crate::{
    events::receiver::{Answer, Receiver},
    payouts::shop as payouts,
    support::{app::TestApp, both::both, client::Client},
};

const MARKER: &str = "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>";

both! {
    async fn a_text_never_becomes_markup(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            config.webhooks.allow_loopback = true;
            passkeys::by_name(config);
        })
        .await;
        let shop = Shop::named(&app, &format!("Shop {MARKER}")).await;
        let path = shop.invitation(&app, "marked@portal.example", Role::Admin).await;
        let mut member = Visitor::new(&app);
        member.agent = MARKER.to_owned();
        member.get(&path).await.expect_status(200);
        let refused = member.post(&path, &[("name", MARKER), ("password", "short")]).await;
        clean(&refused.expect_status(422).text(), "the invitation that is refused");
        let fields = [("name", MARKER), ("password", super::PASSWORD)];
        member.post(&path, &fields).await.expect_status(303);
        let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
        let money = marked_money(&app, client_of_own(&app, &shop).await).await;
        let refused = member
            .post("/portal/credentials", &[("label", MARKER), ("jwk", MARKER), ("proof", MARKER)])
            .await;
        clean(&refused.expect_status(422).text(), "the credential that is refused");
        marked_proofs(&mut member, &client).await;
        let invite = [("email", MARKER), ("role", MARKER)];
        clean(&member.post("/portal/team/invite", &invite).await.text(), "an invitation");
        let wrong = [("url", MARKER), ("dialect", MARKER), ("event.<script>", "on")];
        clean(&member.post("/portal/webhooks", &wrong).await.text(), "an endpoint that is refused");
        let bytes = format!("HTTP/1.1 500 No\r\nContent-Length: {}\r\n\r\n{MARKER}", MARKER.len());
        let receiver = Receiver::doing(move |_| Answer::Bytes(bytes.clone())).await;
        // What an address may hold of it.
        let url = format!("{}?q=<script>'\"", receiver.url());
        let endpoint = hooks::endpoint(&app, shop.merchant, &url).await;
        let event = hooks::happen(&app, shop.merchant, EventType::PayoutSent, MARKER).await;
        app.run_due_jobs().await;
        let token = client.mint(&app).await;
        client.get(&app, &token, "/v1/payouts?<script>").await;
        client.get(&app, &token, "/v1/payouts/'><img").await;
        app.requests.flush(&app.ctx).await.unwrap();
        let mut owner = shop.owner(&app).await;
        marked_passkey(&app, &shop, &mut owner).await;
        for visitor in [&mut member, &mut owner] {
            for page in [
                "/portal",
                "/portal/credentials",
                &format!("/portal/credentials/{}", client.id),
                &format!("/portal/credentials/{}?done=%3Cscript%3Ealert(1)%3C/script%3E", client.id),
                "/portal/team",
                "/portal/team?done=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
                "/portal/webhooks",
                &format!("/portal/webhooks/{endpoint}"),
                &format!("/portal/webhooks/{endpoint}/edit"),
                &format!("/portal/webhooks/{endpoint}?done=again&planned=%3Cscript%3E&from=%22%3E"),
                "/portal/events",
                &format!("/portal/events/{event}"),
                "/portal/events?about=%22%27%3E%3Cscript%3Ealert(1)%3C/script%3E",
                "/portal/requests",
                "/portal/requests?request_id=%22%27%3E%3Cscript%3Ealert(1)%3C/script%3E",
                "/portal/prices",
                "/portal/proofs",
                "/portal/trail",
                "/portal/account",
                "/portal/payouts",
                "/portal/payouts?reference=%22%3E%3Cscript%3E&beneficiary=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
                &money.payout,
                &format!("{}?done=%3Cscript%3E", money.payout),
                &format!("{}/receipt", money.payout),
                &money.quote,
                "/portal/beneficiaries",
                "/portal/beneficiaries?external_ref=%22%3E%3Cscript%3E&country=%3Cscript%3E",
                &money.payee,
            ] {
                let answer = visitor.get(page).await;
                assert!([200, 400, 422].contains(&answer.status), "{page}: {}", answer.status);
                clean(&answer.text(), page);
            }
            let person = format!("{}/person", money.payee);
            clean(&visitor.post(&person, &[]).await.expect_status(200).text(), &person);
            let reject = format!("{}/reject", money.payout);
            let refused = visitor.post(&reject, &[("reason", MARKER), ("digest", MARKER)]).await;
            clean(&refused.text(), &reject);
        }
        let answered = owner.get(&format!("/portal/events/{event}")).await.text();
        assert!(answered.contains("onerror=alert(1)&gt;"), "a receiver's answer is shown as it is");
        for query in [
            "amount=%3Cscript%3Ealert(1)%3C/script%3E&source_currency=%22%27%3E&method=%3Cimg+src%3Dx%3E",
            "dest_country=%22%27%3E%3Cscript%3E&dest_currency=%3Cscript%3E&amount=1",
            "base=%22%27%3E%3Cscript%3Ealert(1)",
            "%3Cscript%3Ealert(1)=%3Cimg+src%3Dx%3E",
        ] {
            clean(&owner.get(&format!("/portal/prices?{query}")).await.text(), query);
            clean(&owner.get(&format!("/portal?currency=%22%27%3E%3Cscript%3E&{query}")).await.text(), query);
        }
        let team = owner.get("/portal/team").await.text();
        assert!(team.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "it is shown as it is");
        let wrong = Visitor::new(&app).sign_in(MARKER, MARKER).await;
        clean(&wrong.text(), "a sign-in that is refused");
        let lost = Visitor::new(&app).get("/portal/sign-in?next=%22%3E%3Cscript%3E").await;
        clean(&lost.text(), "a goal");
        app.stop().await;
    }
}

/// Proofs to be explained, with the marker in each of their parts and in all that is asked with them.
async fn marked_proofs(member: &mut Visitor<'_>, client: &Client) {
    let said = json!({ "htm": MARKER, "htu": MARKER, "jti": MARKER, "nonce": MARKER });
    let header = json!({ "typ": MARKER, "alg": MARKER, "jwk": { "kty": MARKER } });
    for proof in [client.key.sign(&said), client.key.sign_as(&header, &said), MARKER.to_owned()] {
        for fields in [
            vec![("proof", &*proof)],
            vec![("proof", &*proof), ("url", "/x"), ("sent_at", MARKER), ("method", MARKER)],
            vec![("proof", &*proof), ("url", MARKER), ("token", MARKER)],
        ] {
            clean(&member.post("/portal/proofs", &fields).await.text(), "a proof");
        }
    }
}

struct Money {
    payout: String,
    quote: String,
    payee: String,
}

async fn client_of_own(app: &TestApp, shop: &Shop) -> Client {
    app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await
}

/// A payout that waits, with the marker wherever a caller of the API can put it.
async fn marked_money(app: &TestApp, client: Client) -> Money {
    let mut shop = payouts::Shop::of(app, client, "1000.00").await;
    let payee = json!({
        "type": "business", "country": "DE", "external_ref": MARKER, "metadata": { "note": MARKER },
        "business": {
            "legal_name": MARKER, "trading_name": MARKER, "registration_number": MARKER,
            "tax_id": MARKER, "entity_type": MARKER, "email": "marked@example.com",
            "phone": "+4915123456789", "website": "https://a.example/\"><script>",
            "address": {
                "street_line_1": MARKER, "street_line_2": MARKER, "city": MARKER, "state": MARKER,
                "postal_code": MARKER, "country": "DE",
            },
        },
    });
    let payee = shop.post("/v1/beneficiaries", "marked", &payee).await.expect_status(201).json();
    shop.payee = payee["id"].as_str().unwrap().to_owned();
    let iban = json!({ "iban": payouts::IBAN });
    let account =
        json!({ "method": "iban", "currency": "EUR", "label": MARKER, "credentials": iban });
    shop.account = shop.instrument(&account).await;
    let more = json!({
        "reference": "sandbox:approval", "purpose": MARKER, "metadata": { "order": MARKER },
    });
    let payout = shop.paid("marked", "10.00", &more).await;
    shop.let_go().await;
    let called = shop.paid("called off", "10.00", &json!({ "reference": MARKER })).await;
    let cancel = format!("/v1/payouts/{called}/cancel");
    shop.post(&cancel, "off", &json!({ "reason": MARKER })).await.expect_status(200);
    let quote = shop.payout(&payout).await["quote_id"].as_str().unwrap().to_owned();
    Money {
        payout: format!("/portal/payouts/{payout}"),
        quote: format!("/portal/quotes/{quote}"),
        payee: format!("/portal/beneficiaries/{}", shop.payee),
    }
}

fn clean(page: &str, which: &str) {
    for bad in ["<script>", "<img", "\"'>", "onerror=alert(1)>"] {
        assert!(!page.contains(bad), "{which} holds {bad}: {page}");
    }
}

async fn marked_passkey(app: &TestApp, shop: &Shop, owner: &mut Visitor<'_>) {
    let mut device = Authenticator::at(&app.url(""), MARKER);
    let passkey = passkeys::added(owner, shop, &mut device, MARKER).await;
    let path = format!("/portal/account/passkeys/{passkey}/name");
    let refused = owner.post(&path, &[("name", &MARKER.repeat(2))]).await.expect_status(422);
    clean(&refused.text(), "the name of a passkey that is refused");
    let fields = [("passkey-name", MARKER), ("credential", MARKER)];
    let refused = owner.post("/portal/account/passkeys", &fields).await.expect_status(422);
    clean(&refused.text(), "a passkey that is refused");
}
