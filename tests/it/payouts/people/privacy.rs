//! What is personal is shown to those who may see it, who are written down, and is nowhere else.

use counterfoil::{
    db::Engine,
    web::idempotency::{Key, Request},
};
use serde_json::json;
use sqlx::{Connection, Row};

use super::{Desk, business, faults, individual, person, text};
use crate::support::{
    app::TestApp,
    both::{TestDb, both},
};

/// Everything that one column of one table holds, as text.
pub(crate) async fn column(db: &TestDb, sql: &'static str) -> Vec<String> {
    if db.engine == Engine::Sqlite {
        let mut file = sqlx::SqliteConnection::connect(&db.url).await.unwrap();
        let rows = sqlx::query(sql).fetch_all(&mut file).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(0)).collect()
    } else {
        let mut server = sqlx::PgConnection::connect(&db.url).await.unwrap();
        let rows = sqlx::query(sql).fetch_all(&mut server).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(0)).collect()
    }
}

pub(crate) const AUDIT: &str =
    "SELECT merchant_id || ' ' || beneficiary_id || ' ' || client_id || ' '
    || request_id || ' ' || action FROM pii_audit ORDER BY id";

both! {
    async fn each_look_at_personal_data_is_written_down(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let ada = desk.person("Ada").await;
        let path = format!("/v1/beneficiaries/{}/pii", text(&ada["id"]));
        let seen = desk.get(&path).await.expect_status(200);
        assert_eq!(seen.header("Cache-Control"), Some("no-store"));
        assert_eq!(seen.json(), json!({ "type": "individual", "individual": individual("Ada") }));
        let first = seen.header("X-Request-ID").unwrap().to_owned();
        app.hands.advance(std::time::Duration::from_millis(5));
        let body = json!({ "individual": individual("Augusta") });
        let replaced = desk.put(&path, &body).await.expect_status(200);
        assert_eq!(replaced.json()["display_name"], "Augusta Lovelace");
        assert!(!replaced.text().contains("ada@example.com"));
        let second = replaced.header("X-Request-ID").unwrap().to_owned();
        let line = |request: &str, action: &str| {
            let (merchant, client) = (desk.client.merchant, desk.client.id.as_str());
            format!("{merchant} {} {client} {request} {action}", text(&ada["id"]))
        };
        assert_eq!(column(&db, AUDIT).await, [line(&first, "read"), line(&second, "replace")]);
        assert_eq!(desk.get(&path).await.json()["individual"]["first_name"], "Augusta");

        let shop = desk.post("/v1/beneficiaries", "s", &business("Winkel BV")).await.json();
        let path = format!("/v1/beneficiaries/{}/pii", text(&shop["id"]));
        let seen = desk.get(&path).await.expect_status(200).json();
        assert_eq!(seen, json!({ "type": "business", "business": business("Winkel BV")["business"] }));
        app.stop().await;
    }

    async fn the_record_of_looks_can_only_grow(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let ada = desk.person("Ada").await;
        desk.get(&format!("/v1/beneficiaries/{}/pii", text(&ada["id"]))).await.expect_status(200);
        for sql in ["UPDATE pii_audit SET client_id = 'x'", "DELETE FROM pii_audit"] {
            let refused = if db.engine == Engine::Sqlite {
                let mut file = sqlx::SqliteConnection::connect(&db.url).await.unwrap();
                sqlx::query(sql).execute(&mut file).await.unwrap_err().to_string()
            } else {
                let mut server = sqlx::PgConnection::connect(&db.url).await.unwrap();
                sqlx::query(sql).execute(&mut server).await.unwrap_err().to_string()
            };
            assert!(refused.contains("an audit entry never"), "{refused}");
        }
        app.stop().await;
    }

    async fn a_replacement_keeps_the_kind_and_meets_its_twin(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let (ada, bea) = (desk.person("Ada").await, desk.person("Bea").await);
        let path = format!("/v1/beneficiaries/{}/pii", text(&bea["id"]));
        let refused = desk.put(&path, &json!({ "individual": individual("ADA") })).await;
        let error = refused.expect_status(422).json()["error"].clone();
        assert_eq!(text(&error["code"]), "duplicate_beneficiary");
        assert_eq!(error["details"]["beneficiary_id"], ada["id"]);
        // Its own data again are no twin.
        desk.put(&path, &json!({ "individual": individual("Bea") })).await.expect_status(200);
        let body = json!({ "business": business("X")["business"] });
        let refused = desk.put(&path, &body).await.expect_status(422).json();
        assert_eq!(faults(&refused), [
            "individual is required: this beneficiary is of the type individual and stays so",
        ]);
        // What was given up is free, what was taken is not.
        desk.put(&path, &json!({ "individual": individual("Cem") })).await.expect_status(200);
        desk.post("/v1/beneficiaries", "n", &person("Bea")).await.expect_status(201);
        desk.post("/v1/beneficiaries", "m", &person("cem ")).await.expect_status(422);
        app.stop().await;
    }

    async fn equal_is_equal_in_any_spelling(db: TestDb) {
        let app = TestApp::start(&db).await;
        let desk = Desk::open(&app).await;
        let zoe = desk.post("/v1/beneficiaries", "k", &person("Zo\u{eb} Groß")).await;
        let zoe = zoe.expect_status(201).json();
        for same in ["ZO\u{cb} GROSS", " zoe\u{308} groß "] {
            let refused = desk.post("/v1/beneficiaries", "l", &person(same)).await;
            let error = refused.expect_status(422).json()["error"].clone();
            assert_eq!(error["details"]["beneficiary_id"], zoe["id"], "{same}");
        }
        app.stop().await;
    }
}

/// What is planted is found in no table but sealed, and in no log line at any level.
#[tokio::test]
async fn nothing_planted_is_found_in_the_database_or_the_log() {
    let db = TestDb::sqlite().await;
    let app = TestApp::start(&db).await;
    let desk = Desk::open(&app).await;
    let mut body = person("Marker");
    for (name, value) in MARKERS {
        body["individual"][name] = json!(value);
    }
    let made = desk.post("/v1/beneficiaries", "k", &body).await.expect_status(201);
    let id = text(&made.json()["id"]).to_owned();
    let path = format!("/v1/beneficiaries/{id}/instruments");
    let pan = json!({
        "method": "card",
        "credentials": { "pan": "4000056655665556", "expiry_month": 7, "expiry_year": 2031 },
    });
    let card = desk.post(&path, "c", &pan).await.expect_status(201);
    assert!(!card.text().contains("400005"), "{}", card.text());
    let mut wrong = pan.clone();
    wrong["credentials"]["pan"] = json!("4000056655665557");
    wrong["credentials"]["cvv"] = json!("90731");
    let refused = desk.post(&path, "d", &wrong).await.expect_status(422);
    assert!(!refused.text().contains("400005") && !refused.text().contains("90731"));
    desk.get(&format!("/v1/beneficiaries/{id}/pii")).await.expect_status(200);
    let events = format!("{:?}", desk.events().await);
    app.ctx.db.close().await;

    let file = db.url.strip_prefix("sqlite://").unwrap().split('?').next().unwrap();
    let mut stored = Vec::new();
    for part in ["", "-wal"] {
        stored.extend(std::fs::read(format!("{file}{part}")).unwrap_or_default());
    }
    let holds = |needle: &str| stored.windows(needle.len()).any(|part| part == needle.as_bytes());
    assert!(holds("Marker Lovelace"), "the file was read");
    let secrets = MARKERS.iter().map(|(_, value)| *value);
    for secret in secrets.chain(["4000056655665556", "4000056655665557", "90731"]) {
        assert!(!holds(secret) && !events.contains(secret), "{secret}");
    }
    // A hash of what can be guessed would give it away as well.
    let key = Key::parse("c").unwrap();
    let plain = Request::new(desk.client.merchant, "instruments.create", key, &id, &pan);
    let plain = format!("{plain:?}");
    let bytes = plain.split("hash: [").nth(1).unwrap().split(']').next().unwrap();
    let bytes: Vec<u8> = bytes.split(", ").map(|byte| byte.parse().unwrap()).collect();
    assert_eq!(bytes.len(), 32);
    assert!(!stored.windows(32).any(|part| part == bytes), "a plain hash of the card is stored");
}

const MARKERS: &[(&str, &str)] = &[
    ("email", "planted.marker@example.com"),
    ("phone", "+499990001112"),
    ("date_of_birth", "1907-05-09"),
];
