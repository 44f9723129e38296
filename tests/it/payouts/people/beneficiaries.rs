//! Beneficiaries: made, found, changed, put away, deleted.

use counterfoil::payouts::beneficiaries::{self, Step};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Desk, business, faults, individual, person, text};
use crate::support::{app::TestApp, both::both, http::Request};

both! {
    async fn a_beneficiary_is_made_and_shown_without_what_is_personal(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let made = desk.post("/v1/beneficiaries", "k", &person("Ada")).await.expect_status(201);
        let ada = made.json();
        let names: Vec<&String> = ada.as_object().unwrap().keys().collect();
        assert_eq!(names, [
            "id", "merchant_id", "type", "status", "display_name", "country", "external_ref",
            "metadata", "created_at", "updated_at",
        ]);
        assert_eq!(ada["display_name"], "Ada Lovelace");
        assert_eq!((&ada["status"], &ada["country"]), (&"active".into(), &"DE".into()));
        assert_eq!(ada["metadata"].to_string(), r#"{"z":"last","a":"first"}"#);
        let path = format!("/v1/beneficiaries/{}", text(&ada["id"]));
        assert_eq!(desk.get(&path).await.expect_status(200).json(), ada);

        let again = desk.post("/v1/beneficiaries", "k", &person("Ada")).await.expect_status(201);
        assert_eq!(again.header("X-Idempotent-Replayed"), Some("true"));
        assert_eq!(again.json(), ada);
        let other = desk.post("/v1/beneficiaries", "k", &person("Bob")).await.expect_status(409);
        assert_eq!(other.json()["error"]["code"], "idempotency_conflict");

        let shop = desk.post("/v1/beneficiaries", "s", &business("Winkel BV")).await;
        assert_eq!(shop.expect_status(201).json()["display_name"], "Winkel BV");
        let events = desk.events().await;
        assert_eq!(events[0], ("beneficiary.created".to_owned(), ada));
        assert_eq!(events.len(), 2);
        app.stop().await;
    }

    async fn lists_are_paged_and_narrowed(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        for name in ["Ada", "Bea", "Cem"] {
            app.hands.advance(std::time::Duration::from_millis(1));
            desk.person(name).await;
        }
        app.hands.advance(std::time::Duration::from_millis(1));
        desk.post("/v1/beneficiaries", "s", &business("Winkel BV")).await.expect_status(201);
        let listed = async |query: &str| -> (Vec<String>, Value) {
            let path = format!("/v1/beneficiaries?{query}");
            let page = desk.get(&path).await.expect_status(200).json();
            let names = page["data"].as_array().unwrap().iter();
            (names.map(|one| text(&one["display_name"]).to_owned()).collect(), page)
        };
        let (first, page) = listed("limit=3").await;
        assert_eq!(first, ["Winkel BV", "Cem Lovelace", "Bea Lovelace"]);
        let cursor = text(&page["next_cursor"]);
        let (rest, page) = listed(&format!("limit=3&cursor={cursor}")).await;
        assert_eq!((rest, &page["has_more"]), (vec!["Ada Lovelace".to_owned()], &false.into()));
        assert_eq!(listed("type=business").await.0, ["Winkel BV"]);
        assert_eq!(listed("country=DE&type=individual&status=active").await.0.len(), 3);
        assert_eq!(listed("status=archived").await.0.len(), 0);
        assert_eq!(listed("external_ref=Bea").await.0, ["Bea Lovelace"]);
        assert_eq!(listed("external_ref=Bea&type=business").await.0.len(), 0);
        for wrong in ["status=gone", "type=cat", "country=de", "limit=0", "name=Ada"] {
            let refused = desk.get(&format!("/v1/beneficiaries?{wrong}")).await.expect_status(400);
            assert_eq!(refused.json()["error"]["code"], "invalid_parameter", "{wrong}");
        }
        app.stop().await;
    }

    async fn a_change_touches_only_what_it_names(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let ada = desk.person("Ada").await;
        let path = format!("/v1/beneficiaries/{}", text(&ada["id"]));
        app.hands.advance(std::time::Duration::from_secs(1));
        let changed = desk.put(&path, &json!({ "display_name": "Countess" })).await;
        let changed = changed.expect_status(200).json();
        let mut expected = ada.clone();
        expected["display_name"] = json!("Countess");
        expected["updated_at"] = changed["updated_at"].clone();
        assert_eq!(changed, expected);
        assert_ne!(changed["updated_at"], ada["updated_at"]);

        let body = json!({ "external_ref": null, "metadata": {}, "country": "FR", "end_user_ip": "::1" });
        let changed = desk.put(&path, &body).await.expect_status(200).json();
        assert!(changed.get("external_ref").is_none() && changed.get("metadata").is_none());
        assert_eq!((&changed["country"], &changed["display_name"]), (&"FR".into(), &"Countess".into()));
        assert_eq!(desk.get(&path).await.json(), changed);
        let (kind, data) = desk.events().await.pop().unwrap();
        assert_eq!((&*kind, data), ("beneficiary.updated", changed));

        let wrong = json!({ "individual": individual("Eve"), "end_user_ip": "home", "display_name": "" });
        let refused = desk.put(&path, &wrong).await.expect_status(422).json();
        assert_eq!(faults(&refused), [
            "display_name must not be empty",
            "end_user_ip must be an IPv4 or IPv6 address",
            "individual is not a known field",
        ]);
        // A key is honoured where it is not required.
        let request = || Request::new("PUT", &path).header("Idempotency-Key", "p").json(&json!({ "country": "IT" }));
        desk.send("PUT", &path, request()).await.expect_status(200);
        let again = desk.send("PUT", &path, request()).await.expect_status(200);
        assert_eq!(again.header("X-Idempotent-Replayed"), Some("true"));
        app.stop().await;
    }

    async fn archived_ones_come_back_and_blocked_ones_do_not(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let ada = desk.person("Ada").await;
        let id = text(&ada["id"]);
        let (archive, restore) =
            (format!("/v1/beneficiaries/{id}/archive"), format!("/v1/beneficiaries/{id}/restore"));
        let refused = desk.send("POST", &archive, Request::post(&archive)).await.expect_status(400);
        assert_eq!(refused.json()["error"]["code"], "missing_idempotency_key");
        assert_eq!(desk.step(&archive, "1").await.expect_status(200).json()["status"], "archived");
        assert_eq!(desk.step(&archive, "1").await.header("X-Idempotent-Replayed"), Some("true"));
        let twice = desk.step(&archive, "2").await.expect_status(409).json();
        assert_eq!(twice["error"]["code"], "invalid_state");
        let body = json!({ "end_user_ip": "192.0.2.1" });
        assert_eq!(desk.post(&restore, "3", &body).await.expect_status(200).json()["status"], "active");
        desk.step(&restore, "4").await.expect_status(409);

        let block = Step::Block { reason: "on the list".to_owned() };
        let blocked = beneficiaries::operate(&app.ctx, id.parse().unwrap(), &block).await.unwrap();
        assert_eq!(blocked.status.as_str(), "blocked");
        let (kind, data) = desk.events().await.pop().unwrap();
        assert_eq!((&*kind, &data["status"]), ("beneficiary.blocked", &"blocked".into()));
        assert!(!data.to_string().contains("on the list"), "who is suspected is not told");
        for (path, key) in [(&restore, "5"), (&archive, "6")] {
            let refused = desk.step(path, key).await.expect_status(409).json();
            assert!(text(&refused["error"]["message"]).contains("only the operator"));
        }
        beneficiaries::operate(&app.ctx, id.parse().unwrap(), &Step::Unblock).await.unwrap();
        assert_eq!(desk.get(&format!("/v1/beneficiaries/{id}")).await.json()["status"], "active");
        app.stop().await;
    }

    async fn what_is_deleted_is_gone_for_everybody(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let ada = desk.person("Ada").await;
        let path = format!("/v1/beneficiaries/{}", text(&ada["id"]));
        desk.delete(&path).await.expect_status(204);
        assert_eq!(desk.events().await.pop().unwrap().0, "beneficiary.deleted");
        desk.get(&path).await.expect_status(404);
        desk.delete(&path).await.expect_status(404);
        desk.put(&path, &json!({ "country": "FR" })).await.expect_status(404);
        desk.step(&format!("{path}/archive"), "x").await.expect_status(404);
        desk.get(&format!("{path}/pii")).await.expect_status(404);
        desk.get(&format!("{path}/instruments")).await.expect_status(404);
        assert_eq!(desk.get("/v1/beneficiaries").await.json()["data"], json!([]));
        // The same person may come back.
        let back = desk.post("/v1/beneficiaries", "again", &person("Ada")).await;
        assert_ne!(back.expect_status(201).json()["id"], ada["id"]);
        app.stop().await;
    }

    async fn another_merchant_sees_nothing_and_a_right_is_needed(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let stranger = Desk::open(&app).await;
        let reader = Desk::with(&app, "beneficiaries:read").await;
        let ada = desk.person("Ada").await;
        let path = format!("/v1/beneficiaries/{}", text(&ada["id"]));
        stranger.get(&path).await.expect_status(404);
        stranger.get(&format!("{path}/pii")).await.expect_status(404);
        stranger.put(&path, &json!({ "country": "FR" })).await.expect_status(404);
        stranger.put(&format!("{path}/pii"), &json!({ "individual": individual("Eve") })).await.expect_status(404);
        stranger.delete(&path).await.expect_status(404);
        stranger.step(&format!("{path}/archive"), "x").await.expect_status(404);
        assert_eq!(stranger.get("/v1/beneficiaries").await.json()["data"], json!([]));
        assert_eq!(desk.get(&path).await.expect_status(200).json(), ada);
        // Another merchant may know the same person.
        stranger.person("Ada").await;

        reader.get(&path).await.expect_status(404);
        reader.get(&format!("{path}/pii")).await.expect_status(403);
        reader.post("/v1/beneficiaries", "k", &person("Bob")).await.expect_status(403);
        reader.delete(&path).await.expect_status(403);
        app.stop().await;
    }

    async fn every_fault_is_told_with_its_path(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let mut wrong = person("Ada");
        wrong["individual"]["address"]["country"] = json!("Germany");
        wrong["individual"]["address"]["zip"] = json!("89073");
        wrong["individual"]["date_of_birth"] = json!("1990-1-31");
        wrong["individual"]["email"] = json!("ada");
        wrong["individual"]["phone"] = json!("0151 1234");
        wrong["individual"].as_object_mut().unwrap().remove("last_name");
        wrong["metadata"] = json!({ "a": 1 });
        wrong["colour"] = json!("red");
        let refused = desk.post("/v1/beneficiaries", "k", &wrong).await.expect_status(422).json();
        assert_eq!(refused["error"]["code"], "validation_error");
        let told = faults(&refused);
        for expected in [
            "metadata must hold strings of at most 512 characters",
            "individual.last_name is required",
            "individual.email must be an e-mail address such as name@example.com",
            "individual.phone must be an international phone number such as +4915112345678",
            "individual.date_of_birth must be exactly 10 characters",
            "individual.address.zip is not a known field",
            "colour is not a known field",
        ] {
            assert!(told.iter().any(|fault| fault == expected), "{expected}: {told:?}");
        }
        assert!(told.iter().any(|fault| fault.starts_with("individual.address.country ")));
        // The key is free again.
        desk.post("/v1/beneficiaries", "k", &person("Ada")).await.expect_status(201);

        for (change, expected) in [
            (json!({ "individual": null }), "individual is required when type is individual"),
            (json!({ "type": "business" }), "individual must be left out when type is business"),
            (json!({ "business": business("X")["business"] }), "business must be left out when type is individual"),
            (json!({ "type": "cat" }), "type must be individual or business"),
        ] {
            let mut wrong = person("Bea");
            wrong.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let refused = desk.post("/v1/beneficiaries", "x", &wrong).await.expect_status(422).json();
            assert!(faults(&refused).iter().any(|fault| fault == expected), "{expected}: {refused}");
        }
        app.stop().await;
    }

    async fn of_fifty_callers_with_one_person_one_makes_it(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let body = person("Ada");
        let tries = (0..50).map(|number| {
            let (desk, body) = (&desk, &body);
            async move { desk.post("/v1/beneficiaries", &format!("k{number}"), body).await }
        });
        let answers = join_all(tries).await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(made.len(), 1);
        let id = &made[0].json()["id"];
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            let error = refused.json()["error"].clone();
            assert_eq!((refused.status, text(&error["code"])), (422, "duplicate_beneficiary"));
            assert_eq!(&error["details"]["beneficiary_id"], id);
        }
        app.stop().await;
    }
}
