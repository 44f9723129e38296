//! A payout above the threshold waits until somebody signs in and lets it go; and who is paid is shown
//! when asked for.

use counterfoil::{
    money::{Amount, Currency},
    oauth::{jose::KeyKind, scopes::Scopes},
    portal::users::Role,
};
use serde_json::json;

use super::{driver::Browser, journeys::sign_in_as};
use crate::{
    payouts::shop as api,
    portal::{PASSWORD, Shop},
    support::{app::TestApp, both::TestDb},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payout_waits_until_an_approver_lets_it_go() {
    let db = TestDb::sqlite().await;
    let from = Amount::parse("500.00", Currency::EUR).unwrap();
    let app = TestApp::with(&db, |config| config.payouts.approval_from = vec![from]).await;
    let shop = Shop::open(&app).await;
    shop.member(&app, Role::Approver).await;
    let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
    let money = api::Shop::of(&app, client, "10000.00").await;
    let small = money.paid("small", "20.00", &json!({})).await;
    let large = money.paid("large", "750.00", &json!({ "reference": "Invoice 7" })).await;
    money.let_go().await;
    assert_eq!(money.status(&small).await, "completed", "below the threshold nobody is asked");
    assert_eq!(money.status(&large).await, "pending_approval");

    let browser = Browser::open().await;
    let email = format!("approver-{}", shop.email);
    sign_in_as(&browser, &app, &email, PASSWORD).await;
    browser.click("a[href$='status=pending_approval']").await;
    browser.click(&format!("a[href='/portal/payouts/{large}']")).await;
    let shown = browser.text("section.callout").await;
    for told in ["750.00", "Ada Lovelace", "DE89****3000", "Invoice 7"] {
        assert!(shown.contains(told), "{told} stands beside the button: {shown}");
    }
    browser.click("#reject").await;
    assert!(browser.text("#reason-fault").await.contains("why it is sent back"));
    browser.fill("#reason", "Compared with the order").await;
    browser.click("#approve").await;
    browser.wait_for(".notice.good").await;
    assert!(browser.text("h1").await.contains("approved"));
    money.let_go().await;
    browser.go(&app.url(&format!("/portal/payouts/{large}"))).await;
    assert!(browser.text("h1").await.contains("completed"));
    let timeline = browser.text(".timeline").await;
    assert!(timeline.contains("Compared with the order") && timeline.contains("by approver"));
    // Chromium tells of the answer to the rejection without a reason, and of nothing else.
    let errors = browser.log("browser").await;
    let severe: Vec<_> = errors.iter().filter(|line| line["level"] == "SEVERE").collect();
    assert!(severe.iter().all(|line| line.to_string().contains("422")), "{severe:#?}");
    browser.close().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn personal_data_is_shown_when_asked_for_and_the_trail_tells_of_it() {
    let db = TestDb::sqlite().await;
    let app = TestApp::start(&db).await;
    let shop = Shop::open(&app).await;
    let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
    let money = api::Shop::of(&app, client, "0.00").await;
    let browser = Browser::open().await;
    sign_in_as(&browser, &app, &shop.email, &shop.password).await;
    browser.go(&app.url("/portal/beneficiaries")).await;
    browser.click(&format!("a[href='/portal/beneficiaries/{}']", money.payee)).await;
    assert!(!browser.text("main").await.contains("ada@example.com"));
    browser.click("#show").await;
    assert!(browser.text("#person").await.contains("ada@example.com"));
    browser.go(&app.url("/portal/trail")).await;
    assert!(browser.text("main").await.contains("Saw the personal data of"));
    browser.expect_quiet("personal data").await;
    browser.close().await;
    app.stop().await;
}
