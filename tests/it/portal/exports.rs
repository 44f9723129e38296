//! Lists as files.

use counterfoil::{
    events::log::EventType,
    oauth::{jose::KeyKind, scopes::Scopes},
    portal::users::Role,
};
use serde_json::json;

use super::{
    Shop,
    hooks::{endpoint, happen},
    visitor::Visitor,
};
use crate::support::{
    app::TestApp,
    both::both,
    http::{Request, Response},
};

/// Every file, and the head of its first column.
const FILES: &[(&str, &str)] = &[
    ("/portal/payouts.csv", "id,status,"),
    ("/portal/quotes.csv", "id,source_amount,"),
    ("/portal/beneficiaries.csv", "id,type,"),
    ("/portal/credentials.csv", "client_id,label,"),
    ("/portal/webhooks.csv", "id,url,"),
    ("/portal/events.csv", "id,sequence,"),
    ("/portal/requests.csv", "at,method,"),
    ("/portal/team.csv", "id,email,"),
    ("/portal/trail.csv", "id,at,who,"),
];

async fn post(
    app: &TestApp,
    client: &crate::support::client::Client,
    path: &str,
    key: &str,
    body: serde_json::Value,
) -> Response {
    let token = client.mint(app).await;
    let request = Request::post(path).header("Idempotency-Key", key).json(&body);
    client.send(app, &token, "POST", path, request).await
}

/// A beneficiary whose texts a spreadsheet would run.
async fn attack(app: &TestApp, shop: &Shop) {
    let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
    for (number, name) in
        ["=HYPERLINK(\"https://evil.example\")", "+1", "-1", "@SUM(A1)", "\"x\",\"=1\""]
            .iter()
            .enumerate()
    {
        let body = json!({
            "type": "business", "country": "DE", "external_ref": format!("={number}+1"),
            "business": {
                "legal_name": name, "registration_number": "HRB 1", "email": "a@example.com",
                "phone": "+4915123456789",
                "address": { "street_line_1": "A 1", "city": "Berlin", "postal_code": "10117", "country": "DE" },
            },
        });
        post(app, &client, "/v1/beneficiaries", &format!("k{number}"), body)
            .await
            .expect_status(201);
    }
}

async fn file(visitor: &mut Visitor<'_>, path: &str) -> String {
    let answer = visitor.get(path).await.expect_status(200);
    assert_eq!(answer.header("Content-Type"), Some("text/csv; charset=utf-8; header=present"));
    assert!(answer.header("Content-Disposition").unwrap().starts_with("attachment; filename=\""));
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
    answer.text()
}

/// Cells by RFC 4180, read by hand.
fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    rows
}

both! {
    async fn every_list_is_a_file_of_its_merchant_alone(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (shop, other) = (Shop::open(&app).await, Shop::open(&app).await);
        attack(&app, &other).await;
        let theirs = endpoint(&app, other.merchant, "https://hooks.example.com/theirs").await;
        happen(&app, other.merchant, EventType::PayoutSent, "pay_theirs").await;
        app.requests.flush(&app.ctx).await.unwrap();
        let (mut own, mut stranger) = (shop.owner(&app).await, other.owner(&app).await);
        for (path, head) in FILES {
            let mine = file(&mut own, path).await;
            assert!(mine.starts_with(head), "{path}: {mine}");
            for secret in ["HYPERLINK", "pay_theirs", "hooks.example.com", &other.email, "/v1/beneficiaries"] {
                assert!(!mine.contains(secret), "{path} holds {secret}");
            }
            if !["/portal/payouts.csv", "/portal/quotes.csv"].contains(path) {
                assert!(cells(&file(&mut stranger, path).await).len() > 1, "{path} is empty");
            }
        }
        own.get(&format!("/portal/webhooks/{theirs}/deliveries.csv")).await.expect_status(404);
        let rows = file(&mut stranger, &format!("/portal/webhooks/{theirs}/deliveries.csv")).await;
        assert!(rows.starts_with("id,event_id,"));
        own.get("/portal/payouts.csv?status=nonsense").await.expect_status(422);
        own.get("/portal/payouts.csv?unknown=1").await.expect_status(400);
        app.stop().await;
    }

    async fn no_cell_is_a_formula(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        attack(&app, &shop).await;
        let mut viewer = shop.member(&app, Role::Viewer).await;
        let text = file(&mut viewer, "/portal/beneficiaries.csv").await;
        let rows = cells(&text);
        assert_eq!(rows.len(), 6, "a row each: {text}");
        for cell in rows.iter().flatten() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        }
        let names: Vec<&str> = rows[1..].iter().map(|row| row[3].as_str()).collect();
        assert!(names.contains(&"'=HYPERLINK(\"https://evil.example\")"), "{names:?}");
        assert!(names.contains(&"\"x\",\"=1\""), "it stays in its cell: {names:?}");
        assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        app.stop().await;
    }

    async fn a_long_list_is_whole_and_in_order(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        for number in 0..1_203 {
            happen(&app, shop.merchant, EventType::PayoutSent, &format!("pay_{number}")).await;
        }
        let mut owner = shop.owner(&app).await;
        let rows = cells(&file(&mut owner, "/portal/events.csv").await);
        let numbers: Vec<i64> = rows[1..].iter().map(|row| row[1].parse().unwrap()).collect();
        assert_eq!(numbers, (1..=1_203).rev().collect::<Vec<_>>());
        let narrowed = cells(&file(&mut owner, "/portal/events.csv?about=pay_7").await);
        assert_eq!((narrowed.len(), &*narrowed[1][3]), (2, "pay_7"), "filters are kept");
        let page = owner.get("/portal/events?about=pay_7").await.text();
        assert!(page.contains("href=\"/portal/events.csv?about=pay_7\""));
        app.stop().await;
    }
}
