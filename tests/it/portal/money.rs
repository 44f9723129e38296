//! Payouts, quotes and beneficiaries are found, and shown as they are.

use std::time::Duration;

use counterfoil::{
    base::pagination::PageQuery,
    client::receipt::{Jwks, Receipt},
    oauth::{jose::KeyKind, scopes::Scopes},
    payouts::{
        beneficiaries,
        payout::{self, Filter},
    },
    portal::users::Role,
    pricing::Method,
};
use serde_json::json;

use super::{Shop, visitor::between};
use crate::{
    payouts::{
        people::privacy::{AUDIT, column},
        shop as api,
    },
    support::{app::TestApp, both::both, http::Request},
};

async fn money<'a>(app: &'a TestApp, shop: &Shop) -> api::Shop<'a> {
    let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
    api::Shop::of(app, client, "10000.00").await
}

both! {
    async fn payouts_are_found_by_what_is_known_of_them(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let money = money(&app, &shop).await;
        let mut viewer = shop.member(&app, Role::Viewer).await;
        let empty = viewer.get("/portal/payouts").await.expect_status(200).text();
        assert!(empty.contains("Nothing was paid out yet"));
        let early = money.paid("one", "10.00", &json!({ "reference": "bill 7" })).await;
        money.let_go().await;
        app.hands.advance(Duration::from_hours(48));
        let token = money.client.mint(&app).await;
        let money = api::Shop { token, ..money };
        let mut viewer = shop.owner(&app).await;
        let late = money.paid("two", "20.00", &json!({ "method": "bank_transfer" })).await;
        let day = async |id: &str| {
            let made = money.payout(id).await["created_at"].as_str().unwrap().to_owned();
            made.split('T').next().unwrap().to_owned()
        };
        let (first, last) = (day(&early).await, day(&late).await);
        let payee = money.payee.clone();
        for (query, has_early, has_late) in [
            (String::new(), true, true),
            ("status=completed".to_owned(), true, false),
            ("status=created".to_owned(), false, true),
            ("method=sepa".to_owned(), true, false),
            ("currency=eur".to_owned(), true, true),
            ("currency=USD".to_owned(), false, false),
            (format!("until={first}"), true, false),
            (format!("from={last}"), false, true),
            (format!("from={first}&until={last}"), true, true),
            ("reference=bill+7".to_owned(), true, false),
            ("reference=bill".to_owned(), false, false),
            (format!("beneficiary=+{payee}+"), true, true),
            ("beneficiary=ben_01HX8Z9K0M2N3P4Q5R6S7T8VAB".to_owned(), false, false),
            (format!("beneficiary={payee}&method=sepa&status=completed&from={first}"), true, false),
        ] {
            let path = format!("/portal/payouts?{query}");
            let page = viewer.get(&path).await.expect_status(200).text();
            assert_eq!(page.contains(&early), has_early, "{query}");
            assert_eq!(page.contains(&late), has_late, "{query}");
            if !has_early && !has_late {
                assert!(page.contains("No payout is like that"), "{query}");
            }
            // Whoever downloads what they see gets what they see.
            let link = between(&page, "href=\"/portal/payouts.csv", "\"").map(|rest| rest.replace("&amp;", "&"));
            assert_eq!(link.is_some(), has_early || has_late, "{query}");
            let file = format!("/portal/payouts.csv{}", link.unwrap_or_else(|| format!("?{query}")));
            let file = viewer.get(&file).await.expect_status(200).text();
            assert_eq!((file.contains(&early), file.contains(&late)), (has_early, has_late), "{query}");
        }
        let wrong = viewer.get("/portal/payouts?from=1.3.2026&status=lost&reference=kept+words").await;
        let wrong = wrong.expect_status(422).text();
        for told in ["From must be a day such as", "Status must be a state", "value=\"kept words\""] {
            assert!(wrong.contains(told), "{told} is not in {wrong}");
        }
        let pasted = viewer.sent_on(&format!("/portal/payouts?reference=+{early}")).await;
        assert_eq!(pasted, Some(format!("/portal/payouts/{early}")));
        app.stop().await;
    }

    async fn pages_go_on_and_stay_narrow(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let money = money(&app, &shop).await;
        for number in 0..23 {
            let method = if number % 11 == 0 { "bank_transfer" } else { "sepa" };
            money.paid(&format!("p{number}"), "1.00", &json!({ "method": method })).await;
        }
        let mut owner = shop.owner(&app).await;
        let page = owner.get("/portal/payouts?method=sepa").await.text();
        assert_eq!(page.matches("/portal/payouts/pay_").count(), 20);
        let next = between(&page, "href=\"/portal/payouts?method=sepa&amp;cursor=", "\"");
        assert!(next.is_none(), "twenty are all: {next:?}");
        let page = owner.get("/portal/payouts?currency=EUR").await.text();
        let next = between(&page, "href=\"/portal/payouts?currency=EUR&amp;cursor=", "\"").unwrap();
        let page = owner.get(&format!("/portal/payouts?currency=EUR&cursor={next}")).await.text();
        assert_eq!(page.matches("/portal/payouts/pay_").count(), 3);

        // A page looks at so many and no more, and its cursor leads on from there.
        let filter = Filter { method: Some(Method::BankTransfer), ..Filter::default() };
        let (mut cursor, mut found, mut pages) = (None, Vec::new(), 0);
        loop {
            let request = PageQuery { limit: Some("2".to_owned()), cursor }.check("pay_").unwrap();
            let page = payout::list_among(&app.ctx, shop.merchant, &filter, &request, 5).await.unwrap();
            found.extend(page.data.iter().map(|payout| payout.id));
            pages += 1;
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((found.len(), pages), (3, 5));
        found.dedup();
        assert_eq!(found.len(), 3);
        app.run_due_jobs().await;
        app.stop().await;
    }

    async fn a_receipt_is_downloaded_and_can_be_verified(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let money = money(&app, &shop).await;
        let id = money.paid("one", "10.00", &json!({})).await;
        money.let_go().await;
        let mut viewer = shop.member(&app, Role::Viewer).await;
        let file = viewer.get(&format!("/portal/payouts/{id}/receipt/file")).await.expect_status(200);
        let name = format!("attachment; filename=\"receipt-{id}.jws\"");
        assert_eq!(file.header("Content-Disposition"), Some(&*name));
        let keys = app.send(crate::support::http::Request::get("/.well-known/jwks.json")).await;
        let keys = Jwks::read(keys.text().as_bytes()).unwrap();
        assert_eq!(Receipt::verify(&file.text(), &keys).unwrap().says["payout_id"], id);
        let page = viewer.get(&format!("/portal/payouts/{id}/receipt")).await.expect_status(200).text();
        let command = format!("counterfoil verify-receipt receipt-{id}.jws");
        assert!(page.contains(&command) && page.contains("&quot;final&quot;: true"), "{page}");
        let jws = between(&page, "id=\"receipt\" tabindex=\"0\">", "<").unwrap();
        Receipt::verify(&jws, &keys).unwrap();
        app.stop().await;
    }

    async fn a_quote_says_why_it_came_to_that(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        assert!(owner.get("/portal/quotes").await.text().contains("No quote was given yet"));
        let money = money(&app, &shop).await;
        let wanted = json!({ "source_currency": "USD", "dest_currency": "EUR", "amount": "1000.00", "dest_country": "DE", "method": "sepa" });
        let quoted = money.client.post(&app, &money.token, "/v1/pricing/quote", &wanted).await;
        let quoted = quoted.expect_status(201).json();
        let id = quoted["quote_id"].as_str().unwrap();
        let explained = money.get(&format!("/v1/pricing/quotes/{id}/explain")).await;
        let list = owner.get("/portal/quotes").await.expect_status(200).text();
        assert!(list.contains(id) && list.contains(">open<"));
        let path = format!("/portal/quotes/{id}");
        let page = owner.get(&path).await.expect_status(200).text();
        for step in explained["steps"].as_array().unwrap() {
            assert!(page.contains(step["result"].as_str().unwrap()), "{step}");
        }
        let considered = explained["considered"].as_array().unwrap();
        assert!(considered.len() > 1);
        for plan in considered {
            assert!(page.contains(plan["key"].as_str().unwrap()), "{plan}");
            assert!(plan["reason"].as_str().is_none_or(|why| page.contains(why)), "{plan}");
        }
        assert!(page.contains(quoted["quote_signature"].as_str().unwrap()));
        assert!(page.contains(explained["rates"][0]["mid_market_rate"].as_str().unwrap()));
        app.hands.advance(Duration::from_hours(1));
        let mut owner = shop.owner(&app).await;
        assert!(owner.get(&path).await.text().contains(">expired<"));
        let token = money.client.mint(&app).await;
        let money = api::Shop { token, ..money };
        let payout = money.paid("one", "10.00", &json!({})).await;
        let used = money.payout(&payout).await["quote_id"].as_str().unwrap().to_owned();
        let page = owner.get(&format!("/portal/quotes/{used}")).await.text();
        assert!(page.contains(">consumed<") && page.contains(&format!("/portal/payouts/{payout}")));
        app.run_due_jobs().await;
        app.stop().await;
    }

    async fn who_a_beneficiary_is_is_shown_on_demand_and_written_down_twice(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        assert!(owner.get("/portal/beneficiaries").await.text().contains("There is nobody to pay yet"));
        let money = money(&app, &shop).await;
        money.paid("one", "10.00", &json!({ "reference": "bill 7" })).await;
        let path = format!("/portal/beneficiaries/{}", money.payee);
        let mut developer = shop.member(&app, Role::Developer).await;
        for visitor in [&mut owner, &mut developer] {
            let list = visitor.get("/portal/beneficiaries").await.expect_status(200).text();
            assert!(list.contains("Ada Lovelace") && list.contains(&path));
            let page = visitor.get(&path).await.expect_status(200).text();
            for shown in ["DE89****3000", "bill 7", "individual"] {
                assert!(page.contains(shown), "{shown}");
            }
            for sealed in ["ada@example.com", "4915123456789", "1985-12-10", "Unter den Linden", api::IBAN] {
                assert!(!page.contains(sealed) && !list.contains(sealed), "{sealed}");
            }
        }
        assert!(owner.get(&path).await.text().contains("/person"));
        assert!(!developer.get(&path).await.text().contains("/person"));
        assert_eq!(column(&db, AUDIT).await, Vec::<String>::new());
        developer.post(&format!("{path}/person"), &[]).await.expect_status(403);
        owner.get(&format!("{path}/person")).await.expect_status(405);
        assert_eq!(column(&db, AUDIT).await, Vec::<String>::new(), "nobody has looked");

        let seen = owner.post(&format!("{path}/person"), &[]).await.expect_status(200);
        assert_eq!(seen.header("Cache-Control"), Some("no-store"));
        for shown in ["ada@example.com", "4915123456789", "1985-12-10", "Unter den Linden 1"] {
            assert!(seen.text().contains(shown), "{shown}");
        }
        assert!(!seen.text().contains(api::IBAN), "accounts stay masked");
        let audit = column(&db, AUDIT).await;
        let person = counterfoil::portal::users::by_email(&app.ctx, &shop.email).await.unwrap().unwrap().person;
        let request = seen.header("X-Request-ID").unwrap();
        let (merchant, payee) = (shop.merchant, &money.payee);
        assert_eq!(audit, [format!("{merchant} {payee} person:{} {request} read", person.id)]);
        let trail = owner.get("/portal/trail").await.text();
        assert!(trail.contains("Saw the personal data of") && trail.contains(payee));
        app.run_due_jobs().await;
        app.stop().await;
    }

    async fn a_search_for_beneficiaries_looks_at_so_many_and_goes_on(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let money = money(&app, &shop).await;
        for number in 0..9 {
            let body = json!({
                "type": "business", "country": if number % 4 == 0 { "FR" } else { "DE" },
                "external_ref": "all alike",
                "business": {
                    "legal_name": format!("Shop {number}"), "registration_number": format!("HRB {number}"),
                    "email": "a@example.com", "phone": "+4915123456789",
                    "address": { "street_line_1": "A 1", "city": "Paris", "postal_code": "75001", "country": "FR" },
                },
            });
            // Ids of one millisecond are in no order.
            app.hands.advance(Duration::from_millis(1));
            money.post("/v1/beneficiaries", &format!("b{number}"), &body).await.expect_status(201);
        }
        let gone = money.get("/v1/beneficiaries?limit=1").await["data"][0]["id"].clone();
        let path = format!("/v1/beneficiaries/{}", gone.as_str().unwrap());
        let request = Request::new("DELETE", &path).header("Idempotency-Key", "gone");
        let deleted = money.client.send(&app, &money.token, "DELETE", &path, request).await;
        assert!((200..300).contains(&deleted.status), "{}", deleted.text());
        for external_ref in [None, Some("all alike".to_owned())] {
            let country = Some("FR".parse().unwrap());
            let filter = beneficiaries::Filter { country, external_ref, ..beneficiaries::Filter::default() };
            let (mut cursor, mut found, mut pages) = (None, Vec::new(), 0);
            loop {
                let request = PageQuery { limit: Some("2".to_owned()), cursor }.check("ben_").unwrap();
                let page = beneficiaries::list_among(&app.ctx, shop.merchant, &filter, &request, 3).await.unwrap();
                found.extend(page.data.iter().map(|found| found.id));
                pages += 1;
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found.len(), 2, "the third is gone");
            assert!(pages >= 4, "{pages} pages: three are looked at for each, the one that is gone with them");
            found.dedup();
            assert_eq!(found.len(), 2);
        }
        app.stop().await;
    }

    async fn beneficiaries_are_found_by_what_is_known_of_them(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let money = money(&app, &shop).await;
        let mut viewer = shop.member(&app, Role::Viewer).await;
        for (query, found) in [
            ("status=active", true), ("status=blocked", false), ("type=individual", true),
            ("type=business", false), ("country=de", true), ("country=FR", false), ("external_ref=x", false),
        ] {
            let page = viewer.get(&format!("/portal/beneficiaries?{query}")).await.expect_status(200).text();
            assert_eq!(page.contains(&money.payee), found, "{query}");
            assert_eq!(page.contains("No beneficiary is like that"), !found, "{query}");
            let file = viewer.get(&format!("/portal/beneficiaries.csv?{query}")).await.expect_status(200);
            assert_eq!(file.text().contains(&money.payee), found, "{query}");
        }
        let wrong = viewer.get("/portal/beneficiaries?country=Germany&external_ref=kept").await;
        let wrong = wrong.expect_status(400).text();
        assert!(wrong.contains("Country must be") && wrong.contains("value=\"kept\""), "{wrong}");
        app.stop().await;
    }
}
