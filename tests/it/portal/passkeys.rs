//! Passkeys: added by who knows the password, in place of password and code, and by nobody else's answer.

use std::time::Duration;

use counterfoil::{
    config::{Config, Sources, WebOrigin},
    db::{self, Owner},
    portal::{
        passkeys::Party,
        users::{self, Role},
    },
};
use futures_util::future::join_all;
use serde_json::Value;

use super::{Shop, authenticator::Authenticator, codes, visitor::Visitor};
use crate::support::{
    app::TestApp,
    both::both,
    http::{Request, Response},
};

const MAKE: &str = "/portal/account/passkeys/challenge";
const ADD: &str = "/portal/account/passkeys";
const ASK: &str = "/portal/sign-in/passkey/challenge";
const ENTER: &str = "/portal/sign-in/passkey";
const REFUSED: &str = "This passkey opens nothing here";

/// Passkeys are bound to a name, and the other tests' server has a number only.
pub(crate) fn by_name(config: &mut Config) {
    let origin = format!("http://localhost:{}", config.listen.port());
    config.public_url = WebOrigin::parse(&origin).unwrap();
}

/// As the script asks: the token in a header, the answer in JSON.
async fn script(visitor: &mut Visitor<'_>, path: &str, fields: &[(&str, &str)]) -> Response {
    if visitor.form_token.is_empty() {
        visitor.get("/portal/account").await;
    }
    let token = visitor.form_token.clone();
    visitor.send(Request::post(path).header("X-CSRF-Token", &token).form(fields)).await
}

async fn to_make(visitor: &mut Visitor<'_>, shop: &Shop) -> Value {
    let fields = [("passkey-name", "Laptop"), ("current", shop.password.as_str())];
    script(visitor, MAKE, &fields).await.expect_status(200).json()
}

async fn to_sign(visitor: &mut Visitor<'_>) -> Value {
    visitor.get("/portal/sign-in").await.expect_status(200);
    script(visitor, ASK, &[]).await.expect_status(200).json()
}

/// Adds a passkey of this name to whoever is signed in; gives its id.
pub(super) async fn added(
    owner: &mut Visitor<'_>,
    shop: &Shop,
    device: &mut Authenticator,
    name: &str,
) -> String {
    let made = device.make(&to_make(owner, shop).await);
    owner.post(ADD, &[("passkey-name", name), ("credential", &made)]).await.expect_status(303);
    let page = owner.get("/portal/account").await.text();
    let last = page.rsplit("/portal/account/passkeys/pky_").next().unwrap();
    format!("pky_{}", last.split('/').next().unwrap())
}

/// A shop whose owner has a passkey.
async fn with_passkey(app: &TestApp) -> (Shop, Visitor<'_>, Authenticator, String) {
    let shop = Shop::open(app).await;
    let mut owner = shop.owner(app).await;
    let mut device = Authenticator::at(&app.url(""), &shop.email);
    let id = added(&mut owner, &shop, &mut device, "Laptop").await;
    (shop, owner, device, id)
}

async fn sign_in<'a>(app: &'a TestApp, device: &mut Authenticator) -> (Visitor<'a>, Response) {
    let mut visitor = Visitor::new(app);
    let answer = device.sign(&to_sign(&mut visitor).await);
    let entered = visitor.post(ENTER, &[("credential", &answer)]).await;
    (visitor, entered)
}

async fn expect_refused(app: &TestApp, device: &mut Authenticator) {
    let (mut visitor, refused) = sign_in(app, device).await;
    assert!(refused.expect_status(401).text().contains(REFUSED));
    assert!(!visitor.is_in().await);
}

both! {
    async fn a_passkey_stands_for_password_and_code(db: TestDb) {
        let app = TestApp::with(&db, by_name).await;
        let (shop, mut owner, mut device, _) = with_passkey(&app).await;
        let (typed, _) = codes::turn_on(&app, &mut owner).await;
        app.hands.advance(Duration::from_mins(1));
        let fields = [("passkey-name", "Thief"), ("current", &*shop.password)];
        script(&mut owner, MAKE, &fields).await.expect_status(422);
        let shown = codes::code(&typed, app.ctx.now().unix_seconds());
        let fields = [fields[0], fields[1], ("code", &shown)];
        script(&mut owner, MAKE, &fields).await.expect_status(200);
        script(&mut owner, MAKE, &fields).await.expect_status(422);
        let half = Visitor::new(&app).sign_in(&shop.email, &shop.password).await;
        assert_eq!(half.header("Location"), Some("/portal/sign-in/code"));

        let mut visitor = Visitor::new(&app);
        let options = to_sign(&mut visitor).await;
        let before = visitor.cookie.clone();
        let fields = [("credential", &*device.sign(&options)), ("next", "/portal/team")];
        let entered = visitor.post(ENTER, &fields).await.expect_status(303);
        assert_eq!(entered.header("Location"), Some("/portal/team"));
        assert!(visitor.is_in().await);
        assert_ne!(visitor.cookie, before, "the cookie is a new one");
        let mut planted = Visitor::new(&app);
        planted.cookie = before;
        assert!(!planted.is_in().await);

        let page = owner.get("/portal/account").await.text();
        assert!(page.contains("Laptop") && !page.contains("never"), "{page}");
        let trail = owner.get("/portal/trail").await.text();
        assert!(trail.contains("Added a passkey") && trail.contains("Used a passkey"));
        app.stop().await;
    }

    async fn adding_one_needs_the_password_a_name_and_an_answer_made_for_this_page(db: TestDb) {
        let app = TestApp::with(&db, by_name).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        let mut device = Authenticator::at(&app.url(""), &shop.email);
        for (name, password) in [("Laptop", "not it"), ("", &shop.password), ("a\nb", &shop.password)] {
            let fields = [("passkey-name", name), ("current", password)];
            script(&mut owner, MAKE, &fields).await.expect_status(422);
        }
        let bad = [
            Authenticator { origin: "https://evil.example".to_owned(), ..device.clone() },
            Authenticator { party: "evil.example".to_owned(), ..device.clone() },
            Authenticator { verifies: false, ..device.clone() },
        ];
        for mut bad in bad {
            let made = bad.make(&to_make(&mut owner, &shop).await);
            let fields = [("passkey-name", "Laptop"), ("credential", &*made)];
            let told = owner.post(ADD, &fields).await.expect_status(422).text();
            assert!(told.contains("value=\"Laptop\""), "what was typed is kept");
        }
        let options = to_make(&mut owner, &shop).await;
        let made = device.make(&options);
        let fields = [("passkey-name", "Laptop"), ("credential", &*made)];
        let mut other = shop.owner(&app).await;
        other.post(ADD, &fields).await.expect_status(422);
        owner.post(ADD, &[("passkey-name", "Laptop"), ("credential", "{}")]).await.expect_status(422);
        owner.post(ADD, &fields).await.expect_status(422).text();
        let late = device.make(&to_make(&mut owner, &shop).await);
        app.hands.advance(Duration::from_mins(5));
        owner.post(ADD, &[("passkey-name", "Late"), ("credential", &late)]).await.expect_status(422);
        assert!(!owner.get("/portal/account").await.text().contains("passkeys/pky_"));

        added(&mut owner, &shop, &mut device, "Laptop").await;
        let again = device.make(&to_make(&mut owner, &shop).await);
        let fields = [("passkey-name", "Twice"), ("credential", &*again)];
        owner.post(ADD, &fields).await.expect_status(422);
        app.stop().await;
    }

    async fn an_answer_counts_once_in_time_and_where_it_was_asked_for(db: TestDb) {
        let app = TestApp::with(&db, by_name).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        // Its counter stands still, so that only the challenge is in the way of a second use.
        let mut device = Authenticator::at(&app.url(""), &shop.email);
        device.counter = 0;
        added(&mut owner, &shop, &mut device, "Laptop").await;
        let mut visitor = Visitor::new(&app);
        let answer = device.sign(&to_sign(&mut visitor).await);
        let (cookie, token) = (visitor.cookie.clone(), visitor.form_token.clone());
        visitor.post(ENTER, &[("credential", &answer)]).await.expect_status(303);
        let mut thief = Visitor::new(&app);
        (thief.cookie, thief.form_token) = (cookie, token);
        thief.post(ENTER, &[("credential", &answer)]).await.expect_status(401);
        let mut elsewhere = Visitor::new(&app);
        to_sign(&mut elsewhere).await;
        let answer = device.sign(&to_sign(&mut visitor).await);
        elsewhere.post(ENTER, &[("credential", &answer)]).await.expect_status(401);
        let mut late = Visitor::new(&app);
        let answer = device.sign(&to_sign(&mut late).await);
        app.hands.advance(Duration::from_mins(5));
        late.post(ENTER, &[("credential", &answer)]).await.expect_status(401);
        let mut older = Visitor::new(&app);
        let answer = device.sign(&to_sign(&mut older).await);
        to_sign(&mut older).await;
        older.post(ENTER, &[("credential", &answer)]).await.expect_status(401);

        let good = device.clone();
        for mut bad in [
            Authenticator { origin: "https://evil.example".to_owned(), ..good.clone() },
            Authenticator { origin: app.url("").replace("localhost", "127.0.0.1"), ..good.clone() },
            Authenticator { party: "evil.example".to_owned(), ..good.clone() },
            Authenticator { verifies: false, ..good.clone() },
            Authenticator { user: vec![7; 16], ..good.clone() },
            Authenticator { user: Vec::new(), ..good.clone() },
            Authenticator { id: vec![7; 32], ..good.clone() },
            Authenticator { id: good.id.clone(), user: good.user.clone(), ..Authenticator::at(&app.url(""), "thief") },
        ] {
            expect_refused(&app, &mut bad).await;
        }
        for garbage in ["", "{}", "[]", "x", "{\"id\":\"\"}"] {
            to_sign(&mut elsewhere).await;
            let refused = elsewhere.post(ENTER, &[("credential", garbage)]).await.expect_status(401);
            assert!(refused.text().contains(REFUSED), "{garbage}");
        }
        assert!(owner.get("/portal/trail").await.text().contains("passkey Laptop: its answer was wrong"));
        assert!(sign_in(&app, &mut device).await.0.is_in().await);
        app.stop().await;
    }

    async fn a_counter_that_goes_back_is_refused_and_written_down(db: TestDb) {
        let app = TestApp::with(&db, by_name).await;
        let (_, mut owner, mut device, _) = with_passkey(&app).await;
        sign_in(&app, &mut device).await.1.expect_status(303);
        let mut copy = Authenticator { counter: device.counter - 1, ..device.clone() };
        expect_refused(&app, &mut copy).await;
        let mut reset = Authenticator { counter: 0, ..device.clone() };
        expect_refused(&app, &mut reset).await;
        let told = "passkey Laptop: its counter went back, so there may be a copy of it";
        assert_eq!(owner.get("/portal/trail").await.text().matches(told).count(), 2);

        let mut answers = Vec::new();
        for _ in 0..6 {
            let mut visitor = Visitor::new(&app);
            let answer = device.clone().sign(&to_sign(&mut visitor).await);
            answers.push((visitor, answer));
        }
        let sent = answers.iter_mut().map(|(visitor, answer)| async move {
            visitor.post(ENTER, &[("credential", answer)]).await.status
        });
        let statuses = join_all(sent).await;
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [303, 401].contains(status)), "{statuses:?}");
        app.stop().await;
    }

    async fn a_passkey_that_is_synchronised_never_counts(db: TestDb) {
        let app = TestApp::with(&db, by_name).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        let origin = app.url("");
        let mut device = Authenticator { counter: 0, ..Authenticator::at(&origin, &shop.email) };
        added(&mut owner, &shop, &mut device, "Everywhere").await;
        for _ in 0..2 {
            assert!(sign_in(&app, &mut device).await.0.is_in().await);
        }
        app.stop().await;
    }

    async fn a_passkey_is_its_owners_alone_and_goes_with_them(db: TestDb) {
        let app = TestApp::with(&db, by_name).await;
        let (shop, mut owner, mut device, id) = with_passkey(&app).await;
        let mut member = shop.member(&app, Role::Admin).await;
        let path = |what: &str| format!("/portal/account/passkeys/{id}/{what}");
        for (what, fields) in [("name", &[("name", "Mine")][..]), ("remove", &[])] {
            member.post(&path(what), fields).await.expect_status(404);
        }
        // The same credential under another account: whoever is found by it would be two people.
        let mine = Shop { password: super::PASSWORD.to_owned(), ..Shop::open(&app).await };
        let twin = device.clone().make(&to_make(&mut member, &mine).await);
        let fields = [("passkey-name", "Mine"), ("credential", &*twin)];
        member.post(ADD, &fields).await.expect_status(409);
        assert!(!member.get("/portal/account").await.text().contains("Laptop"));

        owner.post(&path("name"), &[("name", " ")]).await.expect_status(422);
        owner.post(&path("name"), &[("name", "Old laptop")]).await.expect_status(303);
        assert!(owner.get("/portal/account").await.text().contains("Old laptop"));
        sign_in(&app, &mut device).await.1.expect_status(303);
        owner.post(&path("remove"), &[]).await.expect_status(303);
        owner.post(&path("remove"), &[]).await.expect_status(404);
        expect_refused(&app, &mut device).await;
        added(&mut owner, &shop, &mut device, "The same again").await;
        sign_in(&app, &mut device).await.1.expect_status(303);
        let trail = owner.get("/portal/trail").await.text();
        assert!(trail.contains("Renamed a passkey") && trail.contains("Removed a passkey"));

        let mut members = Authenticator::at(&app.url(""), "member");
        added(&mut member, &mine, &mut members, "Theirs").await;
        sign_in(&app, &mut members).await.1.expect_status(303);
        let email = format!("admin-{}", shop.email);
        let person = users::by_email(&app.ctx, &email).await.unwrap().unwrap().person;
        owner.post(&format!("/portal/team/{}/remove", person.id), &[]).await.expect_status(303);
        expect_refused(&app, &mut members).await;
        assert_eq!(count(&app, "portal_passkeys").await, 1, "theirs are gone, the owner's is not");
        app.stop().await;
    }

    /// Another version of this program, or of the crate beneath, may have written it.
    async fn one_that_cannot_be_read_shuts_nobody_out(db: TestDb) {
        const SPOIL: &str = "UPDATE portal_passkeys SET passkey = '{\"of\":\"later\"}'";
        let app = TestApp::with(&db, by_name).await;
        let (shop, mut owner, mut device, id) = with_passkey(&app).await;
        let mut member = shop.member(&app, Role::Admin).await;
        let mine = Shop { password: super::PASSWORD.to_owned(), ..Shop::open(&app).await };
        let mut members = Authenticator::at(&app.url(""), "member");
        added(&mut member, &mine, &mut members, "Theirs").await;
        let spoilt = db::write!(app.ctx.db, Owner::House, |tx| Ok(db::exec!(tx, SPOIL)?));
        assert_eq!(spoilt.unwrap(), 2);

        let page = owner.get("/portal/account").await.expect_status(200).text();
        assert!(page.contains("cannot read it"));
        expect_refused(&app, &mut device).await;
        let options = to_make(&mut owner, &shop).await;
        assert_eq!(options["publicKey"]["excludeCredentials"].as_array().unwrap().len(), 1);
        let path = |what: &str| format!("/portal/account/passkeys/{id}/{what}");
        owner.post(&path("name"), &[("name", "Old")]).await.expect_status(303);
        owner.post(&path("remove"), &[]).await.expect_status(303);
        added(&mut owner, &shop, &mut device, "The same again").await;
        sign_in(&app, &mut device).await.1.expect_status(303);
        assert!(!owner.get("/portal/account").await.text().contains("cannot read it"));

        let email = format!("admin-{}", shop.email);
        let person = users::by_email(&app.ctx, &email).await.unwrap().unwrap().person;
        owner.post(&format!("/portal/team/{}/remove", person.id), &[]).await.expect_status(303);
        added(&mut owner, &shop, &mut members, "Theirs before").await;
        assert_eq!(count(&app, "portal_passkeys").await, 2);
        app.stop().await;
    }

    async fn ten_are_as_many_as_one_person_has(db: TestDb) {
        let app = TestApp::with(&db, by_name).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        let mut early = shop.owner(&app).await;
        let origin = app.url("");
        let asked = to_make(&mut early, &shop).await;
        for number in 0..10 {
            let mut device = Authenticator::at(&origin, &format!("{} {number}", shop.email));
            added(&mut owner, &shop, &mut device, "One of ten").await;
        }
        let fields = [("passkey-name", "More"), ("current", &*shop.password)];
        script(&mut owner, MAKE, &fields).await.expect_status(409);
        let more = Authenticator::at(&origin, "more").make(&asked);
        let fields = [("passkey-name", "More"), ("credential", &*more)];
        early.post(ADD, &fields).await.expect_status(409);
        assert!(owner.get("/portal/account").await.text().contains("Ten are as many"));
        app.stop().await;
    }

    async fn strangers_are_counted_and_their_challenges_forgotten(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            by_name(config);
            config.limits.failures_per_minute = 2;
        })
        .await;
        let (_, _, mut device, _) = with_passkey(&app).await;
        app.hands.advance(Duration::from_mins(2));
        let mut thief = Authenticator { verifies: false, ..device.clone() };
        for _ in 0..2 {
            expect_refused(&app, &mut thief).await;
        }
        sign_in(&app, &mut thief).await.1.expect_status(429);
        app.hands.advance(Duration::from_mins(2));
        device.counter += 5;
        sign_in(&app, &mut device).await.1.expect_status(303);
        app.hands.advance(Duration::from_mins(2));
        let mut stranger = Visitor::new(&app);
        for _ in 0..20 {
            to_sign(&mut stranger).await;
        }
        script(&mut stranger, ASK, &[]).await.expect_status(429);
        // Neither is there for whoever does not show that the page was ours.
        for path in [ASK, ENTER] {
            app.send(Request::post(path)).await.expect_status(403);
        }
        assert_eq!(count(&app, "portal_ceremonies").await, 1, "one browser waits for one answer");
        app.hands.advance(Duration::from_mins(2));
        to_sign(&mut Visitor::new(&app)).await;
        assert_eq!(count(&app, "portal_ceremonies").await, 2);
        app.hands.advance(Duration::from_mins(6));
        to_sign(&mut Visitor::new(&app)).await;
        assert_eq!(count(&app, "portal_ceremonies").await, 1, "who comes sweeps up");
        app.hands.advance(Duration::from_hours(2));
        app.run_due_jobs().await;
        assert_eq!(count(&app, "portal_ceremonies").await, 0);
        app.stop().await;
    }

    async fn without_a_name_there_are_none(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        let page = owner.get("/portal/account").await.text();
        assert!(page.contains("Browsers keep passkeys for a name") && !page.contains("new-passkey"));
        let mut visitor = Visitor::new(&app);
        let page = visitor.get("/portal/sign-in").await.expect_status(200).text();
        assert!(!page.contains("passkey"));
        script(&mut visitor, ASK, &[]).await.expect_status(501);
        app.stop().await;
    }
}

#[test]
fn passkeys_want_a_name_and_https_unless_it_is_this_machine() {
    for (origin, offered) in [
        ("https://pay.example", true),
        ("https://pay.example:8443", true),
        ("http://localhost:8080", true),
        ("http://pay.example", false),
        ("https://192.0.2.1", false),
        ("http://127.0.0.1:8080", false),
        ("https://[2001:db8::1]", false),
    ] {
        let sources = Sources::none().flag("public_url", Some(origin.to_owned()));
        let config = Config::load(&sources).unwrap();
        assert_eq!(Party::of(&config).is_some(), offered, "{origin}");
    }
}

async fn count(app: &TestApp, table: &str) -> i64 {
    const PASSKEYS: &str = "SELECT COUNT(*) FROM portal_passkeys";
    const CEREMONIES: &str = "SELECT COUNT(*) FROM portal_ceremonies";
    let passkeys = table == "portal_passkeys";
    db::read!(app.ctx.db, |tx| {
        let counted = if passkeys {
            db::one!(tx, (i64,), PASSKEYS)
        } else {
            db::one!(tx, (i64,), CEREMONIES)
        };
        Ok(counted?.0)
    })
    .unwrap()
}
