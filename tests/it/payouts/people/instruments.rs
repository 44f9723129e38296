//! Instruments: made, masked, found, defaulted, switched off, deleted; and used by payouts.

use counterfoil::{
    base::failure::Code,
    db,
    payouts::{InstrumentId, instruments},
};
use serde_json::{Value, json};

use super::{Desk, SCOPES, faults, text};
use crate::support::{app::TestApp, both::both};

fn german() -> Value {
    json!({ "method": "iban", "credentials": { "iban": "DE89370400440532013000" }, "currency": "EUR" })
}

fn british() -> Value {
    json!({
        "method": "uk_bank", "currency": "GBP", "label": "pounds",
        "credentials": { "account_number": "00765432", "sort_code": "123456" },
    })
}

/// The path under which a beneficiary's instruments are.
async fn under(desk: &Desk<'_>, name: &str) -> String {
    format!("/v1/beneficiaries/{}/instruments", text(&desk.person(name).await["id"]))
}

both! {
    async fn an_instrument_is_made_masked_and_its_credentials_never_return(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let path = under(&desk, "Ada").await;
        let made = desk.post(&path, "k", &german()).await.expect_status(201);
        assert!(!made.text().contains("0532013000"));
        let made = made.json();
        let names: Vec<&String> = made.as_object().unwrap().keys().collect();
        assert_eq!(names, [
            "id", "beneficiary_id", "merchant_id", "method", "status", "is_default", "currency",
            "country", "display_last4", "display_bank", "masked_account", "created_at", "updated_at",
        ]);
        assert_eq!(made["masked_account"], "DE89****3000");
        assert_eq!((&made["country"], &made["display_last4"]), (&"DE".into(), &"3000".into()));
        let one = format!("/v1/instruments/{}", text(&made["id"]));
        assert_eq!(desk.get(&one).await.expect_status(200).json(), made);
        assert_eq!(desk.get(&path).await.json(), json!({ "data": [made], "has_more": false }));
        let again = desk.post(&path, "k", &german()).await;
        assert_eq!((again.header("X-Idempotent-Replayed"), again.json()), (Some("true"), made.clone()));
        let events = desk.events().await;
        assert_eq!(events[1], ("instrument.created".to_owned(), made.clone()));

        // Only a rail opens what was sealed.
        let id: InstrumentId = text(&made["id"]).parse().unwrap();
        let found = instruments::get(&app.ctx, desk.client.merchant, id).await.unwrap();
        let clear = instruments::credentials(&app.vault, &found).await.unwrap();
        assert_eq!(&**clear, br#"{"iban":"DE89370400440532013000"}"#);
        assert!(!format!("{found:?}").contains("0532013000"));
        app.stop().await;
    }

    async fn credentials_that_break_a_rule_are_refused_by_name_and_unquoted(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let path = under(&desk, "Ada").await;
        let wrong = json!({ "method": "iban", "credentials": { "iban": "DE89370400440532013001", "pin": "1" } });
        let refused = desk.post(&path, "k", &wrong).await.expect_status(422);
        assert!(!refused.text().contains("0532013001"));
        let error = refused.json()["error"].clone();
        assert_eq!(error["code"], "invalid_credentials");
        let rules: Vec<_> = error["details"].as_array().unwrap().iter()
            .map(|fault| (text(&fault["field"]), text(&fault["rule"])))
            .collect();
        assert_eq!(rules, [("credentials.pin", "unknown_field"), ("credentials.iban", "iban_mod97")]);
        for (body, expected) in [
            (json!({ "method": "gold", "credentials": {} }), "method must be a method that GET /v1/payment-methods lists"),
            (json!({ "method": "iban" }), "credentials is required"),
            (json!({ "method": "iban", "credentials": german()["credentials"], "country": "FR" }),
                "country must be the country of the account; leave it out to take that"),
            (json!({ "method": "uk_bank", "credentials": british()["credentials"], "country": "US" }),
                "country must be a country in which this method exists; see GET /v1/payment-methods"),
            (json!({ "method": "iban", "credentials": german()["credentials"], "is_default": "yes" }),
                "is_default must be true or false"),
        ] {
            let refused = desk.post(&path, "k", &body).await.expect_status(422).json();
            assert_eq!(faults(&refused), [expected], "{body}");
        }
        desk.post(&path, "k", &german()).await.expect_status(201);
        app.stop().await;
    }

    async fn a_repeated_request_is_answered_as_then_though_the_card_has_run_out(db: TestDb) {
        let app = TestApp::start(&db).await;
        let mut desk = Desk::open(&app).await;
        let path = under(&desk, "Ada").await;
        let card = json!({
            "method": "card",
            "credentials": { "pan": "4242424242424242", "expiry_month": 11, "expiry_year": 2026 },
        });
        let made = desk.post(&path, "k", &card).await.expect_status(201).json();
        app.hands.advance(std::time::Duration::from_hours(24 * 20));
        desk.token = desk.client.mint(&app).await;
        let again = desk.post(&path, "k", &card).await.expect_status(201);
        assert_eq!((again.header("X-Idempotent-Replayed"), again.json()), (Some("true"), made));
        let fresh = desk.post(&path, "l", &card).await.expect_status(422).json();
        assert_eq!(fresh["error"]["details"][0]["rule"], "card_expiry");
        app.stop().await;
    }

    async fn one_default_for_each_beneficiary_and_currency(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let path = under(&desk, "Ada").await;
        let with_default = |mut body: Value| {
            body["is_default"] = json!(true);
            body
        };
        let first = desk.post(&path, "1", &with_default(german())).await.expect_status(201).json();
        let pounds = desk.post(&path, "2", &with_default(british())).await.expect_status(201).json();
        let second = desk.post(&path, "3", &with_default(german())).await.expect_status(201).json();
        let is_default = async |one: &Value| {
            let path = format!("/v1/instruments/{}", text(&one["id"]));
            desk.get(&path).await.json()["is_default"].as_bool().unwrap()
        };
        assert!(!is_default(&first).await && is_default(&pounds).await && is_default(&second).await);
        let told: Vec<_> = desk.events().await.into_iter().skip(3).collect();
        assert_eq!((&*told[0].0, &told[0].1["id"]), ("instrument.updated", &first["id"]));
        assert_eq!(&*told[1].0, "instrument.created");

        let one = format!("/v1/instruments/{}", text(&first["id"]));
        desk.put(&one, &json!({ "is_default": true })).await.expect_status(200);
        assert!(is_default(&first).await && !is_default(&second).await);
        // Switched off, it steps back; and may not come forward.
        let off = desk.put(&one, &json!({ "status": "disabled" })).await.expect_status(200).json();
        assert_eq!((&off["status"], &off["is_default"]), (&"disabled".into(), &false.into()));
        let refused = desk.put(&one, &json!({ "is_default": true })).await.expect_status(409).json();
        assert_eq!(refused["error"]["code"], "invalid_state");
        let on = json!({ "status": "active", "is_default": true, "label": "back" });
        assert_eq!(desk.put(&one, &on).await.expect_status(200).json()["label"], "back");
        let cleared = desk.put(&one, &json!({ "label": null })).await.expect_status(200).json();
        assert!(cleared.get("label").is_none() && cleared["is_default"] == true);
        // Two that name no currency share one place.
        let mut open = with_default(german());
        open.as_object_mut().unwrap().remove("currency");
        let (fourth, fifth) = (desk.post(&path, "4", &open).await.json(), desk.post(&path, "5", &open).await.json());
        assert!(!is_default(&fourth).await && is_default(&fifth).await && is_default(&first).await);
        app.stop().await;
    }

    async fn lists_are_narrowed_and_strangers_see_nothing(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let stranger = Desk::with(&app, SCOPES).await;
        let (ada, bea) = (under(&desk, "Ada").await, under(&desk, "Bea").await);
        let first = desk.post(&ada, "1", &german()).await.expect_status(201).json();
        app.hands.advance(std::time::Duration::from_millis(1));
        let second = desk.post(&ada, "2", &british()).await.expect_status(201).json();
        app.hands.advance(std::time::Duration::from_millis(1));
        let third = desk.post(&bea, "3", &german()).await.expect_status(201).json();
        let listed = async |query: &str| -> Vec<Value> {
            let page = desk.get(&format!("/v1/instruments?{query}")).await.expect_status(200).json();
            page["data"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
        };
        let ids = |all: &[&Value]| all.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
        assert_eq!(listed("").await, ids(&[&third, &second, &first]));
        assert_eq!(listed("method=iban").await, ids(&[&third, &first]));
        let of_ada = format!("beneficiary_id={}", text(&first["beneficiary_id"]));
        assert_eq!(listed(&of_ada).await, ids(&[&second, &first]));
        assert_eq!(listed(&format!("{of_ada}&method=uk_bank&status=active")).await, ids(&[&second]));
        assert_eq!(listed("status=disabled").await.len(), 0);
        assert_eq!(listed("limit=1").await, ids(&[&third]));
        for wrong in ["method=gold", "status=gone", "beneficiary_id=x", "currency=EUR"] {
            desk.get(&format!("/v1/instruments?{wrong}")).await.expect_status(400);
        }

        let one = format!("/v1/instruments/{}", text(&first["id"]));
        stranger.get(&one).await.expect_status(404);
        stranger.put(&one, &json!({ "label": "mine" })).await.expect_status(404);
        stranger.delete(&one).await.expect_status(404);
        stranger.get(&ada).await.expect_status(404);
        stranger.post(&ada, "x", &german()).await.expect_status(404);
        assert_eq!(stranger.get("/v1/instruments").await.json()["data"], json!([]));

        desk.delete(&one).await.expect_status(204);
        assert_eq!(desk.events().await.pop().unwrap().0, "instrument.deleted");
        desk.get(&one).await.expect_status(404);
        desk.delete(&one).await.expect_status(404);
        // With a beneficiary go its instruments.
        let other = format!("/v1/instruments/{}", text(&third["id"]));
        desk.delete(bea.strip_suffix("/instruments").unwrap()).await.expect_status(204);
        desk.get(&other).await.expect_status(404);
        assert_eq!(listed("").await, ids(&[&second]));
        app.stop().await;
    }

    async fn a_payout_uses_what_is_active_and_belongs_together(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let (ada, bea) = (under(&desk, "Ada").await, under(&desk, "Bea").await);
        let hers = desk.post(&ada, "1", &german()).await.expect_status(201).json();
        let other = desk.post(&bea, "2", &german()).await.expect_status(201).json();
        let merchant = desk.client.merchant;
        let usable = async |instrument: &Value, beneficiary: &Value| {
            let (instrument, beneficiary) =
                (text(&instrument["id"]).parse().unwrap(), text(&beneficiary["beneficiary_id"]).parse().unwrap());
            db::read!(app.ctx.db, |tx| instruments::usable(tx, merchant, instrument, beneficiary).await)
        };
        let told = |failure: counterfoil::base::failure::Failure| {
            assert_eq!(failure.code(), Code::ValidationError);
            failure.fields().iter().map(|f| format!("{} {}", f.field, f.message)).collect::<Vec<_>>()
        };
        assert_eq!(usable(&hers, &hers).await.unwrap().id.to_string(), text(&hers["id"]));
        assert_eq!(told(usable(&other, &hers).await.unwrap_err()), [
            "instrument_id belongs to another beneficiary; name an instrument of this one",
        ]);
        let one = format!("/v1/instruments/{}", text(&hers["id"]));
        desk.put(&one, &json!({ "status": "disabled" })).await.expect_status(200);
        desk.step(&ada.replace("/instruments", "/archive"), "a").await.expect_status(200);
        assert_eq!(told(usable(&hers, &hers).await.unwrap_err()), [
            "beneficiary_id is archived; restore it, or name another beneficiary",
            "instrument_id is disabled; make it active, or name another one",
        ]);
        let refused = desk.post(&ada, "3", &german()).await.expect_status(409).json();
        assert_eq!(refused["error"]["message"], "the beneficiary is archived; restore it, or name another beneficiary");
        desk.delete(ada.strip_suffix("/instruments").unwrap()).await.expect_status(204);
        assert_eq!(usable(&hers, &hers).await.unwrap_err().code(), Code::NotFound);
        app.stop().await;
    }

    async fn every_method_can_be_used_and_shows_no_credential(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let path = under(&desk, "Ada").await;
        for (number, (method, credentials)) in super::published::samples().into_iter().enumerate() {
            let body = json!({ "method": method, "credentials": credentials });
            let made = desk.post(&path, &format!("k{number}"), &body).await.expect_status(201).text();
            for (name, value) in credentials.as_object().unwrap() {
                let public = ["network", "account_type", "key_type", "proxy_type"].contains(&&**name);
                let value = value.as_str().unwrap_or_default();
                assert!(public || value.len() < 5 || !made.contains(value), "{method}.{name}: {made}");
            }
        }
        app.stop().await;
    }
}
