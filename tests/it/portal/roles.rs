//! Who may use which route: a table of all of them, compared with the routes that are served.

use std::collections::BTreeSet;

use counterfoil::portal::{http::known, users::Role};

use super::{Shop, visitor::Visitor};
use crate::support::{app::TestApp, both::both, http::Request};

/// Method, path, and the letters of those who may: owner, admin, developer, viewer, approver; `*` is
/// anybody, `c` somebody whose code is still to come.
const MATRIX: &[(&str, &str, &str)] = &[
    ("GET", "/portal", "oadvp"),
    ("GET", "/portal/account", "oadvp"),
    ("POST", "/portal/account/codes", "oadvp"),
    ("POST", "/portal/account/codes/confirm", "oadvp"),
    ("POST", "/portal/account/codes/off", "oadvp"),
    ("POST", "/portal/account/passkeys", "oadvp"),
    ("POST", "/portal/account/passkeys/challenge", "oadvp"),
    ("POST", "/portal/account/passkeys/{passkey}/name", "oadvp"),
    ("POST", "/portal/account/passkeys/{passkey}/remove", "oadvp"),
    ("POST", "/portal/account/password", "oadvp"),
    ("POST", "/portal/account/sessions/others/end", "oadvp"),
    ("POST", "/portal/account/sessions/{session}/end", "oadvp"),
    ("GET", "/portal/beneficiaries", "oadvp"),
    ("GET", "/portal/beneficiaries/{beneficiary}", "oadvp"),
    ("POST", "/portal/beneficiaries/{beneficiary}/person", "oa"),
    ("GET", "/portal/beneficiaries.csv", "oadvp"),
    ("GET", "/portal/credentials", "oadv"),
    ("GET", "/portal/credentials.csv", "oadv"),
    ("POST", "/portal/credentials", "oad"),
    ("POST", "/portal/credentials/challenge", "oad"),
    ("GET", "/portal/credentials/new", "oad"),
    ("GET", "/portal/credentials/{client}", "oadv"),
    ("POST", "/portal/credentials/{client}/keys", "oad"),
    ("GET", "/portal/credentials/{client}/keys/new", "oad"),
    ("POST", "/portal/credentials/{client}/keys/{jkt}/retire", "oad"),
    ("POST", "/portal/credentials/{client}/revoke", "oad"),
    ("POST", "/portal/credentials/{client}/rotate", "oad"),
    ("GET", "/portal/events", "oadv"),
    ("GET", "/portal/events.csv", "oadv"),
    ("GET", "/portal/events/{event}", "oadv"),
    ("POST", "/portal/events/{event}/deliver", "oad"),
    ("GET", "/portal/link/{link}", "*"),
    ("POST", "/portal/link/{link}", "*"),
    ("GET", "/portal/payouts", "oadvp"),
    ("GET", "/portal/payouts/{payout}", "oadvp"),
    ("POST", "/portal/payouts/{payout}/approve", "op"),
    ("POST", "/portal/payouts/{payout}/cancel", "oad"),
    ("GET", "/portal/payouts/{payout}/receipt", "oadvp"),
    ("GET", "/portal/payouts/{payout}/receipt/file", "oadvp"),
    ("POST", "/portal/payouts/{payout}/reject", "op"),
    ("GET", "/portal/quotes", "oadvp"),
    ("GET", "/portal/quotes/{quote}", "oadvp"),
    ("GET", "/portal/payouts.csv", "oadvp"),
    ("GET", "/portal/quotes.csv", "oadvp"),
    ("GET", "/portal/requests", "oadv"),
    ("GET", "/portal/requests.csv", "oadv"),
    ("GET", "/portal/prices", "oadvp"),
    ("GET", "/portal/proofs", "oadv"),
    ("POST", "/portal/proofs", "oadv"),
    ("GET", "/portal/sign-in", "*"),
    ("POST", "/portal/sign-in", "*"),
    ("GET", "/portal/sign-in/code", "c"),
    ("POST", "/portal/sign-in/code", "c"),
    ("POST", "/portal/sign-in/passkey", "*"),
    ("POST", "/portal/sign-in/passkey/challenge", "*"),
    ("POST", "/portal/sign-out", "*"),
    ("GET", "/portal/team", "oa"),
    ("GET", "/portal/team.csv", "oa"),
    ("POST", "/portal/team/invite", "oa"),
    ("POST", "/portal/team/{user}/remove", "oa"),
    ("POST", "/portal/team/{user}/role", "oa"),
    ("GET", "/portal/trail", "oa"),
    ("GET", "/portal/trail.csv", "oa"),
    ("GET", "/portal/webhooks", "oadv"),
    ("GET", "/portal/webhooks.csv", "oadv"),
    ("POST", "/portal/webhooks", "oad"),
    ("GET", "/portal/webhooks/new", "oad"),
    ("GET", "/portal/webhooks/{endpoint}", "oadv"),
    ("POST", "/portal/webhooks/{endpoint}/again", "oad"),
    ("POST", "/portal/webhooks/{endpoint}/delete", "oad"),
    ("GET", "/portal/webhooks/{endpoint}/deliveries.csv", "oadv"),
    ("GET", "/portal/webhooks/{endpoint}/edit", "oad"),
    ("POST", "/portal/webhooks/{endpoint}/edit", "oad"),
    ("POST", "/portal/webhooks/{endpoint}/off", "oad"),
    ("POST", "/portal/webhooks/{endpoint}/on", "oad"),
    ("POST", "/portal/webhooks/{endpoint}/rotate", "oad"),
    ("POST", "/portal/webhooks/{endpoint}/test", "oad"),
];

const LETTERS: [(Role, char); 5] = [
    (Role::Owner, 'o'),
    (Role::Admin, 'a'),
    (Role::Developer, 'd'),
    (Role::Viewer, 'v'),
    (Role::Approver, 'p'),
];

#[test]
fn every_route_is_in_the_table() {
    let served: BTreeSet<_> = known().iter().map(|route| (route.path, route.method)).collect();
    let listed: BTreeSet<_> = MATRIX.iter().map(|(method, path, _)| (*path, *method)).collect();
    assert_eq!(served, listed);
}

/// The path with ids that nobody has, so that what is allowed is not found.
fn with_ids(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "x" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

async fn status(visitor: &mut Visitor<'_>, method: &str, path: &str) -> u16 {
    let path = with_ids(path);
    match method {
        "GET" => visitor.get(&path).await.status,
        _ => visitor.post(&path, &[]).await.status,
    }
}

both! {
    async fn each_role_gets_in_where_the_table_says_and_nowhere_else(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        for (role, letter) in LETTERS {
            let mut visitor = shop.member(&app, role).await;
            assert!(visitor.is_in().await);
            for (method, path, who) in MATRIX.iter().filter(|(.., who)| *who != "*") {
                let status = status(&mut visitor, method, path).await;
                let told = format!("{} {method} {path}: {status}", role.as_str());
                match *who {
                    "c" => assert!([303, 401].contains(&status), "{told}"),
                    who if who.contains(letter) => {
                        assert!([200, 303, 404, 409, 422, 429].contains(&status), "{told}");
                    }
                    _ => assert_eq!(status, 403, "{told}"),
                }
            }
            assert!(visitor.is_in().await);
        }
        app.stop().await;
    }

    async fn every_page_forbids_frames_scripts_and_copies(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        let mut paths: Vec<String> = MATRIX
            .iter()
            .filter(|(method, ..)| *method == "GET")
            .map(|(_, path, _)| with_ids(path))
            .collect();
        paths.extend(["/portal/nothing".to_owned(), "/portal/proofs?x=y".to_owned()]);
        for path in paths {
            let page = owner.get(&path).await;
            let csp = page.header("Content-Security-Policy").unwrap_or_default();
            for part in ["frame-ancestors 'none'", "default-src 'none'", "base-uri 'none'", "form-action 'self'"] {
                assert!(csp.contains(part), "{path}: {csp}");
            }
            assert!(!csp.contains("unsafe"), "{path}: {csp}");
            assert_eq!(page.header("X-Frame-Options"), Some("DENY"), "{path}");
            assert_eq!(page.header("X-Content-Type-Options"), Some("nosniff"), "{path}");
            assert_eq!(page.header("Cache-Control"), Some("no-store"), "{path}");
            let text = page.text();
            assert!(!text.contains(" style=\"") && !text.contains(" onclick="), "{path}");
        }
        app.stop().await;
    }

    async fn strangers_are_sent_to_the_sign_in(db: TestDb) {
        let app = TestApp::start(&db).await;
        for (method, path, _) in MATRIX.iter().filter(|(.., who)| *who != "*") {
            let mut stranger = Visitor::new(&app);
            stranger.get("/portal/sign-in").await.expect_status(200);
            let status = status(&mut stranger, method, path).await;
            assert_eq!(status, if *method == "GET" { 303 } else { 401 }, "{method} {path}");
            // Without any cookie there is no form that could be ours.
            if *method == "POST" {
                app.send(Request::post(&with_ids(path))).await.expect_status(403);
            }
        }
        app.stop().await;
    }
}
