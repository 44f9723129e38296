//! Sign-in codes: set up, asked for, used once, replaced by recovery codes, turned off.

use std::{fmt::Write as _, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::{
    Shop,
    visitor::{Visitor, between},
};
use crate::support::{app::TestApp, both::both};

/// An app on a phone, made from the standard and not from our code.
pub(super) fn code(typed: &str, unix_seconds: i64) -> String {
    let mut bits = String::new();
    for letter in typed.chars().filter(|c| !c.is_whitespace()) {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).unwrap();
        write!(bits, "{value:05b}").unwrap();
    }
    let key: Vec<u8> = (0..bits.len() / 8)
        .map(|byte| u8::from_str_radix(&bits[byte * 8..byte * 8 + 8], 2).unwrap())
        .collect();
    let mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    let digest = mac.chain_update((unix_seconds / 30).to_be_bytes()).finalize().into_bytes();
    let offset = usize::from(digest[19] & 15);
    let word = u32::from_be_bytes(digest[offset..offset + 4].try_into().unwrap());
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

/// Turns codes on for whoever is signed in; gives the secret as it is typed, and the page after it.
pub(super) async fn turn_on(app: &TestApp, visitor: &mut Visitor<'_>) -> (String, String) {
    visitor.post("/portal/account/codes", &[]).await.expect_status(303);
    let page = visitor.get("/portal/account").await.text();
    let typed = between(&page, "<code id=\"secret\">", "</code>").unwrap();
    let first = code(&typed, app.ctx.now().unix_seconds());
    let confirm = "/portal/account/codes/confirm";
    visitor.post(confirm, &[("code", "000000")]).await.expect_status(422);
    let shown = visitor.post(confirm, &[("code", &first)]).await.expect_status(200).text();
    (typed, shown)
}

both! {
    async fn a_code_is_asked_for_and_counts_once(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        let now = || app.ctx.now().unix_seconds();
        let (typed, shown) = turn_on(&app, &mut owner).await;
        let first = code(&typed, now());
        let recovery = between(&shown, "<ul class=\"codes\"><li>", "</li>").unwrap();

        let mut visitor = Visitor::new(&app);
        let asked = visitor.sign_in(&shop.email, &shop.password).await.expect_status(303);
        assert_eq!(asked.header("Location"), Some("/portal/sign-in/code"));
        assert_eq!(visitor.sent_on("/portal").await.unwrap(), "/portal/sign-in/code");
        let half = visitor.cookie.clone();
        visitor.get("/portal/sign-in/code").await.expect_status(200);
        let path = "/portal/sign-in/code";
        visitor.post(path, &[("code", &first)]).await.expect_status(422);
        app.hands.advance(Duration::from_mins(1));
        let second = code(&typed, now());
        visitor.post(path, &[("code", &second)]).await.expect_status(303);
        assert!(visitor.is_in().await);
        assert_ne!(visitor.cookie, half, "the cookie is a new one again");

        let mut thief = Visitor::new(&app);
        thief.cookie = half;
        assert!(!thief.is_in().await);
        thief.sign_in(&shop.email, &shop.password).await.expect_status(303);
        thief.get(path).await.expect_status(200);
        thief.post(path, &[("code", &second)]).await.expect_status(422);
        for _ in 0..4 {
            thief.post(path, &[("code", "123456")]).await;
        }
        let stopped = thief.post(path, &[("code", "123456")]).await;
        assert_eq!(stopped.status, 429, "six digits are not guessed");
        app.hands.advance(Duration::from_mins(3));

        let mut lost = Visitor::new(&app);
        for status in [303, 422] {
            lost.sign_in(&shop.email, &shop.password).await.expect_status(303);
            lost.get(path).await.expect_status(200);
            lost.post(path, &[("code", &recovery.to_lowercase())]).await.expect_status(status);
        }
        owner.post("/portal/account/codes/off", &[("code", &recovery)]).await.expect_status(422);
        let third = code(&typed, now());
        owner.post("/portal/account/codes/off", &[("code", &third)]).await.expect_status(303);
        let open = Visitor::new(&app).sign_in(&shop.email, &shop.password).await;
        assert_eq!(open.header("Location"), Some("/portal"));
        let trail = owner.get("/portal/trail").await.text();
        for line in ["Turned on sign-in codes", "Used a recovery code", "9 left", "Turned off"] {
            assert!(trail.contains(line), "{line}");
        }
        app.stop().await;
    }
}
