//! From the sign-in to a call that is refused, for both kinds of keys; nothing private leaves the page.

use counterfoil::{
    base::{hex, secret::Secret},
    oauth::{credentials::ClientId, jose::base64url, keys::SigningKey},
};
use serde_json::{Value, json};

use super::driver::Browser;
use crate::{
    portal::Shop,
    support::{
        app::TestApp,
        both::TestDb,
        client::{Client, ProofKey},
    },
};

pub(super) async fn sign_in(browser: &Browser, app: &TestApp, shop: &Shop) {
    sign_in_as(browser, app, &shop.email, &shop.password).await;
}

pub(super) async fn sign_in_as(browser: &Browser, app: &TestApp, email: &str, password: &str) {
    browser.go(&app.url("/portal")).await;
    browser.fill("#email", email).await;
    browser.fill("#password", password).await;
    browser.click("button.primary").await;
    browser.wait_for("#balances").await;
}

/// Makes a key pair on the page that is open; gives it as PEM and as JWK.
async fn make_key(browser: &Browser, alg: &str) -> (String, Value) {
    browser.click(&format!("[name=alg][value={alg}]")).await;
    browser.click("#make").await;
    browser.click("#pem[href^='blob:']").await;
    let pem = browser.downloaded("counterfoil-key.pem").await;
    browser.click("#jwk[href^='blob:']").await;
    let jwk = browser.downloaded("counterfoil-key.jwk").await;
    (pem, serde_json::from_str(&jwk).unwrap())
}

fn proof_key(pem: String) -> ProofKey {
    let pem = Secret::new(pem);
    let signing = SigningKey::from_pem(&pem).expect("the download is PKCS#8 in PEM");
    let (jwk, jkt) = (*signing.public().jwk(), *signing.kid());
    ProofKey { signing, pem, jwk, jkt }
}

/// Every way in which a private key could be spelled.
fn spellings(pem: &str, jwk: &Value) -> Vec<String> {
    let d = jwk["d"].as_str().unwrap().to_owned();
    let bytes = base64url::decode_exact::<32>(&d).unwrap();
    let hex = hex::encode(&bytes);
    let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let body = lines.concat();
    vec![
        d,
        hex,
        lines[0].to_owned(),
        body.replace('+', "%2B").replace('/', "%2F"),
        "PRIVATE KEY".to_owned(),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_made_in_the_browser_works_and_never_leaves_it() {
    let db = TestDb::sqlite().await;
    let app = TestApp::in_real_time(&db, |_| ()).await;
    let shop = Shop::open(&app).await;
    let browser = Browser::open().await;
    sign_in(&browser, &app, &shop).await;
    let mut private = Vec::new();
    for alg in ["ES256", "Ed25519"] {
        browser.go(&app.url("/portal/credentials/new")).await;
        browser.fill("#label", &format!("Shop with {alg}")).await;
        let before = browser.run("return document.getElementById('register').disabled").await;
        assert_eq!(before, true, "not before the key is kept");
        let (pem, jwk) = make_key(&browser, alg).await;
        private.extend(spellings(&pem, &jwk));
        browser.click("#register").await;
        let id = ClientId::presented(&browser.text("#client-id").await).unwrap();
        let secret = Secret::new(browser.text("#client-secret").await);
        let key = proof_key(pem);
        assert_eq!(browser.text("#jkt").await, key.jkt.as_str());
        assert_eq!(serde_json::to_value(key.jwk).unwrap()["x"], jwk["x"], "one key, two files");
        let mut client = Client { merchant: shop.merchant, id, secret, key };

        let token = client.mint(&app).await;
        let quote =
            json!({ "source_currency": "USD", "dest_currency": "EUR", "amount": "1000.00" });
        let quoted = client.post(&app, &token, "/v1/pricing/quote", &quote).await;
        assert_eq!(quoted.status / 100, 2, "{}", quoted.text());

        browser.go(&app.url(&format!("/portal/credentials/{}", client.id))).await;
        browser.run("document.getElementById('overlap').value = '0'").await;
        browser.click("form[action$=rotate] button").await;
        let old = client.token_request(&app);
        client.secret = Secret::new(browser.text("#client-secret").await);
        app.send(old).await.expect_status(401);
        client.mint(&app).await;

        browser.go(&app.url(&format!("/portal/credentials/{}", client.id))).await;
        browser.click("form[action$=revoke] button").await;
        browser.wait_for(".notice.good").await;
        client.get(&app, &token, "/v1/credential").await.expect_status(401);
        browser.expect_quiet(alg).await;
    }
    nothing_private_was_sent(&browser, &private).await;
    browser.close().await;
    app.stop().await;
}

/// The network log: every address, header and body that left the browser.
async fn nothing_private_was_sent(browser: &Browser, private: &[String]) {
    let log = browser.log("performance").await;
    let mut bodies = 0;
    for line in &log {
        let message = line["message"].as_str().unwrap();
        if !message.contains("\"Network.request") && !message.contains("\"Network.webSocket") {
            continue;
        }
        let event: Value = serde_json::from_str(message).unwrap();
        bodies += usize::from(event["message"]["params"]["request"]["postData"].is_string());
        assert!(
            event["message"]["params"]["request"]["hasPostData"] != true
                || event["message"]["params"]["request"]["postData"].is_string(),
            "a body that the log does not hold cannot be judged: {event}"
        );
        for secret in private {
            assert!(!message.contains(secret.as_str()), "a private key was sent: {event}");
        }
    }
    assert!(bodies >= 4, "the log holds the forms: {bodies}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_without_ed25519_falls_back_and_says_so() {
    const WITHOUT: &str = "const make = crypto.subtle.generateKey.bind(crypto.subtle);
        crypto.subtle.generateKey = (alg, ...rest) => alg.name === 'Ed25519'
            ? Promise.reject(new DOMException('no', 'NotSupportedError')) : make(alg, ...rest);";
    let db = TestDb::sqlite().await;
    let app = TestApp::in_real_time(&db, |_| ()).await;
    let shop = Shop::open(&app).await;
    let browser = Browser::open().await;
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": WITHOUT })).await;
    sign_in(&browser, &app, &shop).await;
    browser.go(&app.url("/portal/credentials/new")).await;
    browser.fill("#label", "Old browser").await;
    let (pem, jwk) = make_key(&browser, "Ed25519").await;
    assert_eq!(jwk["crv"], "P-256");
    assert!(browser.text("#made").await.contains("cannot make Ed25519"));
    browser.click("#register").await;
    assert_eq!(browser.text("#jkt").await, proof_key(pem).jkt.as_str());
    browser.close().await;
    app.stop().await;
}
