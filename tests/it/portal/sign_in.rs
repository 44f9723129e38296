//! The door: passwords, cookies, throttling, forms of other sites, links.

use std::time::Duration;

use counterfoil::{
    config::{Config, WebOrigin},
    portal::{links, users},
};

use super::{Shop, visitor::Visitor};
use crate::support::{app::TestApp, both::both, http::Request};

const MINUTE: Duration = Duration::from_mins(1);

const STRANGERS: [&str; 12] = [
    "198.51.100.1",
    "198.51.100.2",
    "198.51.100.3",
    "198.51.100.4",
    "198.51.100.5",
    "198.51.100.6",
    "198.51.100.7",
    "198.51.100.8",
    "198.51.100.9",
    "198.51.100.10",
    "198.51.100.11",
    "198.51.100.12",
];

both! {
    async fn the_right_password_opens_and_nobody_learns_which_half_is_wrong(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut visitor = Visitor::new(&app);
        assert_eq!(visitor.sent_on("/portal").await.unwrap(), "/portal/sign-in");
        let wrong = visitor.sign_in(&shop.email, "not the password").await.expect_status(401);
        let unknown = visitor.sign_in("nobody@portal.example", "not the password").await;
        assert_eq!(unknown.status, 401);
        let told = "address or password is wrong";
        assert!(wrong.text().contains(told) && unknown.text().contains(told));
        assert!(wrong.text().contains(&shop.email), "what was typed is kept");
        let opened = visitor.sign_in(&shop.email.to_uppercase(), &shop.password).await;
        assert_eq!(opened.expect_status(303).header("Location"), Some("/portal"));
        assert!(visitor.get("/portal").await.expect_status(200).text().contains("Corner Shop"));
        visitor.post("/portal/sign-out", &[]).await.expect_status(303);
        assert!(!visitor.is_in().await);
        app.stop().await;
    }

    async fn a_cookie_from_before_the_sign_in_opens_nothing_after_it(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut visitor = Visitor::new(&app);
        visitor.get("/portal/sign-in").await.expect_status(200);
        let planted = visitor.cookie.clone();
        visitor.sign_in(&shop.email, &shop.password).await.expect_status(303);
        assert_ne!(visitor.cookie, planted);
        assert!(visitor.is_in().await);
        let mut attacker = Visitor::new(&app);
        attacker.cookie = planted;
        assert!(!attacker.is_in().await);
        let ended = visitor.cookie.clone();
        visitor.post("/portal/sign-out", &[]).await.expect_status(303);
        attacker.cookie = ended;
        assert!(!attacker.is_in().await, "a cookie that was copied ends with its session");
        app.stop().await;
    }

    async fn a_planted_cookie_never_becomes_a_session(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut attacker = Visitor::new(&app);
        attacker.get("/portal/sign-in").await.expect_status(200);
        let planted = attacker.cookie.clone();
        // The victim signs in with a cookie that the attacker knows: it is worth nothing afterwards,
        // nor is one beside it of the same name.
        let mut victim = Visitor::new(&app);
        victim.cookie.clone_from(&planted);
        victim.sign_in(&shop.email, &shop.password).await.expect_status(303);
        assert_ne!(victim.cookie, planted);
        attacker.cookie.clone_from(&planted);
        assert!(!attacker.is_in().await, "the session has a cookie that nobody knew before");
        let own = victim.cookie.clone().unwrap();
        for both in [
            format!("{own}; {}", planted.clone().unwrap()),
            format!("{}; {own}", planted.clone().unwrap()),
        ] {
            let request = Request::get("/portal/account").header("Cookie", both);
            app.send(request).await.expect_status(303);
        }
        for strange in ["counterfoil=", "counterfoil=x", "counterfoil=%00", "COUNTERFOIL=x"] {
            let request = Request::get("/portal/account").header("Cookie", strange);
            app.send(request).await.expect_status(303);
        }
        assert!(victim.is_in().await);
        app.stop().await;
    }

    async fn a_session_ends_when_it_is_idle_and_in_any_case_after_half_a_day(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut idle = shop.owner(&app).await;
        app.hands.advance(29 * MINUTE);
        assert!(idle.is_in().await);
        app.hands.advance(29 * MINUTE);
        assert!(idle.is_in().await, "each use begins the half hour anew");
        app.hands.advance(30 * MINUTE);
        assert!(!idle.is_in().await);
        let mut busy = shop.owner(&app).await;
        for _ in 0..35 {
            app.hands.advance(20 * MINUTE);
            assert!(busy.is_in().await);
        }
        app.hands.advance(20 * MINUTE);
        assert!(!busy.is_in().await, "twelve hours are over");
        app.stop().await;
    }

    async fn strangers_lock_out_themselves_and_not_the_owner(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            config.limits.failures_per_minute = 3;
            config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
        let shop = Shop::open(&app).await;
        let mut owner = Visitor::new(&app);
        owner.address = Some("192.0.2.1");
        owner.sign_in(&shop.email, &shop.password).await.expect_status(303);
        let mut last = 0;
        for address in STRANGERS {
            let mut stranger = Visitor::new(&app);
            stranger.address = Some(address);
            for _ in 0..3 {
                last = stranger.sign_in(&shop.email, "a guess at it").await.status;
            }
            let refused = stranger.sign_in(&shop.email, &shop.password).await.expect_status(429);
            assert!(refused.text().contains("try again in"), "even the right one waits");
        }
        assert_eq!(last, 429, "many addresses together are stopped too");
        let mut elsewhere = Visitor::new(&app);
        elsewhere.address = Some("203.0.113.5");
        elsewhere.sign_in(&shop.email, &shop.password).await.expect_status(429);
        let mut again = Visitor::new(&app);
        again.address = Some("192.0.2.1");
        again.sign_in(&shop.email, &shop.password).await.expect_status(303);
        let other = [("current", &*shop.password), ("password", "quite another long sentence")];
        again.post("/portal/account/password", &other).await.expect_status(303);
        app.stop().await;
    }

    async fn a_form_of_another_site_or_another_browser_is_refused(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let (mut owner, mut other) = (shop.owner(&app).await, shop.owner(&app).await);
        assert!(owner.is_in().await && other.is_in().await);
        let path = "/portal/account/sessions/others/end";
        let good = owner.form_token.clone();
        for token in ["", "x", &other.form_token.clone()] {
            owner.send(Request::post(path).form(&[("csrf", token)])).await.expect_status(403);
        }
        for (name, value) in [
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ] {
            let request = Request::post(path).form(&[("csrf", &good)]).header(name, value);
            owner.send(request).await.expect_status(403);
        }
        assert!(other.is_in().await, "nothing was done");
        let own = app.base.clone();
        let request = Request::post(path).form(&[("csrf", &good)]).header("Origin", own);
        owner.send(request.header("Sec-Fetch-Site", "same-origin")).await.expect_status(303);
        assert!(!other.is_in().await);
        app.stop().await;
    }

    async fn a_sign_in_ends_on_our_own_pages_only(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut visitor = Visitor::new(&app);
        let asked = visitor.sent_on("/portal/team?done=role").await.unwrap();
        assert_eq!(asked, "/portal/sign-in?next=%2Fportal%2Fteam%3Fdone%3Drole");
        let page = visitor.get(&asked).await.expect_status(200);
        assert!(page.text().contains("name=\"next\" value=\"/portal/team?done=role\""));
        for (next, goal) in [
            ("/portal/team", "/portal/team"),
            ("https://evil.example", "/portal"),
            ("//evil.example", "/portal"),
            ("/portal/../../evil", "/portal"),
            ("/\\evil.example", "/portal"),
        ] {
            visitor.cookie = None;
            visitor.get("/portal/sign-in").await;
            let fields = [("email", &*shop.email), ("password", &shop.password), ("next", next)];
            let done = visitor.post("/portal/sign-in", &fields).await.expect_status(303);
            assert_eq!(done.header("Location"), Some(goal), "{next}");
        }
        app.stop().await;
    }

    async fn a_link_signs_in_once_and_not_for_long(db: TestDb) {
        let app = TestApp::start(&db).await;
        let owner = users::of_sandbox(&app.ctx).await.unwrap().expect("there was nobody yet");
        let link = async || links::sign_in_link(&app.ctx, &owner, "").await.unwrap();
        let older = link().await;
        let path = link().await;
        let mut visitor = Visitor::new(&app);
        visitor.get(&older).await.expect_status(404);
        visitor.get(&path).await.expect_status(200);
        visitor.get(&path).await.expect_status(200);
        visitor.post(&path, &[]).await.expect_status(303);
        assert!(visitor.get("/portal/account").await.text().contains("no password yet"));
        visitor.get(&path).await.expect_status(404);
        visitor.get("/portal/link/AAAA").await.expect_status(404);
        let late = link().await;
        app.hands.advance(15 * MINUTE);
        visitor.get(&late).await.expect_status(404);
        assert!(users::of_sandbox(&app.ctx).await.unwrap().is_none(), "they have signed in");
        app.stop().await;
    }

    async fn pages_carry_their_headers_and_cookies_their_marks(db: TestDb) {
        let app = TestApp::start(&db).await;
        let page = app.send(Request::get("/portal/sign-in")).await.expect_status(200);
        let csp = page.header("Content-Security-Policy").unwrap();
        for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'",
            "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"] {
            assert!(csp.contains(part), "{csp}");
        }
        assert!(!csp.contains("unsafe"), "{csp}");
        for (name, value) in [
            ("Cache-Control", "no-store"),
            ("X-Frame-Options", "DENY"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), Some(value), "{name}");
        }
        let cookie = page.header("Set-Cookie").unwrap();
        assert!(cookie.starts_with("counterfoil="), "{cookie}");
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
        let style = super::visitor::between(&page.text(), "stylesheet\" href=\"", "\"").unwrap();
        let asset = app.send(Request::get(&style)).await.expect_status(200);
        assert_eq!(asset.header("Cache-Control"), Some("public, max-age=31536000, immutable"));
        assert!(asset.header("Set-Cookie").is_none());
        let lost = app.send(Request::get("/portal/nothing")).await.expect_status(404);
        assert!(lost.text().contains("There is nothing here"));
        assert_eq!(lost.header("X-Frame-Options"), Some("DENY"));
        let (clock, hands, keys) = (app.ctx.clock.clone(), app.hands.clone(), app.keys_dir.clone());
        app.stop().await;

        let by_tls = |config: &mut Config| {
            config.public_url = WebOrigin::parse("https://pay.example").unwrap();
        };
        let app = TestApp::at(&db, clock, hands, keys, by_tls).await;
        let page = app.send(Request::get("/portal/sign-in")).await.expect_status(200);
        let cookie = page.header("Set-Cookie").unwrap();
        assert!(cookie.starts_with("__Host-counterfoil=") && cookie.ends_with("; Secure"));
        assert!(page.header("Strict-Transport-Security").is_some());
        app.stop().await;
    }
}
