//! Passkeys with Chromium's own authenticator: what only a browser that knows `WebAuthn` can tell.

use serde_json::json;

use super::{driver::Browser, journeys::sign_in};
use crate::{
    portal::{Shop, passkeys::by_name},
    support::{app::TestApp, both::TestDb},
};

const ASK: &str = "form[data-passkey=get]:not([hidden]) button";

/// Adds a passkey on the account page that is open.
pub(super) async fn add(browser: &Browser, shop: &Shop, name: &str) {
    browser.fill("#passkey-name", name).await;
    browser.fill("#passkey-current", &shop.password).await;
    browser.click("#new-passkey button").await;
    browser.wait_for("form[action$='/remove']").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_is_made_signs_in_and_is_removed() {
    let db = TestDb::sqlite().await;
    let app = TestApp::in_real_time(&db, by_name).await;
    let shop = Shop::open(&app).await;
    let browser = Browser::open().await;
    browser.with_authenticator().await;
    sign_in(&browser, &app, &shop).await;
    browser.go(&app.url("/portal/account")).await;
    browser.fill("#passkey-name", "Laptop").await;
    browser.fill("#passkey-current", "not the password").await;
    browser.click("#new-passkey button").await;
    browser.wait_for("#new-passkey button:not(:disabled)").await;
    assert_eq!(browser.text("#passkey-said").await, "That is not your password.");
    // The console says that a request was refused, which was meant.
    browser.log("browser").await;

    add(&browser, &shop, "Laptop").await;
    assert!(browser.text("#passkeys td.name").await.starts_with("Laptop"));
    browser.fill("#passkey-name", "Laptop again").await;
    browser.fill("#passkey-current", &shop.password).await;
    browser.click("#new-passkey button").await;
    browser.wait_for("#new-passkey button:not(:disabled)").await;
    let said = browser.text("#passkey-said").await;
    assert!(said.contains("has a passkey for you already"), "{said}");

    browser.click("form[action$='/sign-out'] button").await;
    // Two sign-in pages at once would each set a cookie.
    browser.wait_for(ASK).await;
    browser.go(&app.url("/portal/team")).await;
    browser.click(ASK).await;
    browser.wait_for("[aria-current=page][href='/portal/team']").await;
    browser.expect_quiet("a sign-in by passkey").await;

    browser.go(&app.url("/portal/account")).await;
    browser.click("#passkeys form[action$='/remove'] button").await;
    browser.wait_for(".notice.good").await;
    browser.click("form[action$='/sign-out'] button").await;
    browser.click(ASK).await;
    let refused = browser.text(".notice.bad").await;
    assert!(refused.starts_with("This passkey opens nothing here"), "{refused}");
    assert!(browser.run("return location.pathname").await == "/portal/sign-in/passkey");
    browser.close().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_without_passkeys_offers_none_and_says_so() {
    let db = TestDb::sqlite().await;
    let app = TestApp::in_real_time(&db, by_name).await;
    let shop = Shop::open(&app).await;
    let browser = Browser::open().await;
    let without = json!({ "source": "delete globalThis.PublicKeyCredential" });
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &without).await;
    browser.go(&app.url("/portal/sign-in")).await;
    let hidden = "return document.querySelector('form[data-passkey]').offsetParent === null";
    assert_eq!(browser.run(hidden).await, true);
    sign_in(&browser, &app, &shop).await;
    browser.go(&app.url("/portal/account")).await;
    assert_eq!(browser.run(hidden).await, true);
    let said = browser.text("[data-passkey-missing]").await;
    assert!(said.contains("does not know passkeys"), "{said}");
    browser.expect_quiet("a browser without passkeys").await;
    browser.close().await;
    app.stop().await;
}
