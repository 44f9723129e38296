//! What strangers cost, and what they cannot buy: argon2, signatures, the database, other callers' limits.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use counterfoil::{
    base::environment::Environment,
    config::{Config, WebOrigin},
    oauth::{
        credentials::{self, NewCredential, Possession},
        jose::{KeyKind, base64url},
    },
};
use serde_json::{Value, json};

use crate::support::{
    app::TestApp,
    both::{SHORT_PATIENCE, TestDb, both},
    client::{Client, ProofKey, basic},
    http::{Request, Response},
};

const URN: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Callers say where they come from, as if through a proxy.
fn behind_a_proxy(config: &mut Config) {
    config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
}

/// A token request with this id and secret, and a good proof.
fn guess(app: &TestApp, client: &Client, id: &str, secret: &str) -> Request {
    Request::post("/oauth/token")
        .header("Authorization", basic(id, secret))
        .header("DPoP", client.key.proof(app, "POST", "/oauth/token", None))
        .form(&[("grant_type", "client_credentials")])
}

fn nobody(number: usize) -> String {
    format!("ant_oc_sandbox_{number:032x}")
}

/// What an assertion says, signed by this key under this header.
fn assertion(app: &TestApp, client: &Client, key: &ProofKey, header: &Value) -> String {
    let jti = base64url::encode(app.ctx.random.bytes::<16>());
    let (id, now) = (client.id.as_str(), app.ctx.now().unix_seconds());
    let claims =
        json!({ "iss": id, "sub": id, "aud": app.base, "iat": now, "exp": now + 300, "jti": jti });
    key.sign_as(header, &claims)
}

/// Asks about a token that does not exist: it needs authentication and no proof.
fn introspection(assertion: &str) -> Request {
    Request::post("/oauth/introspect").form(&[
        ("token", "x"),
        ("client_assertion_type", URN),
        ("client_assertion", assertion),
    ])
}

#[track_caller]
fn denied(answer: Response, status: u16, error: &str) -> Response {
    let answer = answer.expect_status(status);
    assert_eq!(answer.json()["error"], error, "{}", answer.text());
    answer
}

/// Ids of another shape than ours.
fn misshapen(id: &str) -> Vec<String> {
    let body = id.rsplit_once('_').unwrap().1;
    vec![
        "somebody".to_owned(),
        id.to_uppercase(),
        format!("{id}0"),
        id[..id.len() - 1].to_owned(),
        format!(" {id}"),
        format!("ant_oc_moon_{body}"),
        format!("ant_ocs_sandbox_{body}"),
        format!("ant_oc_sandbox_{}", "g".repeat(32)),
        "x".repeat(4_000),
    ]
}

both! {
    /// Random ids from many addresses: all of them together may cost as much as one guesser.
    async fn ids_that_nobody_has_share_one_small_allowance(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            behind_a_proxy(config);
            config.limits.failures_per_minute = 5;
        })
        .await;
        let client = app.client("payouts:read").await;
        let (from, before) = (AtomicUsize::new(1), app.authority.hasher().runs());
        let elsewhere = || format!("192.0.2.{}", from.fetch_add(1, Ordering::Relaxed));
        let paid = || app.authority.hasher().runs() - before;
        let mut bodies = Vec::new();
        for number in 0..20 {
            let guess = guess(&app, &client, &nobody(number), "x");
            let answer = app.send(guess.header("X-Forwarded-For", elsewhere())).await;
            bodies.push(denied(answer, 401, "invalid_client").body);
        }
        assert_eq!(paid(), 5);
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "whether it was paid for is not told");
        // Whoever exists has an allowance of its own, before it has ever been met too.
        let wrong = guess(&app, &client, client.id.as_str(), "x");
        let answer = app.send(wrong.header("X-Forwarded-For", elsewhere())).await;
        denied(answer, 401, "invalid_client");
        let right = client.token_request(&app).header("X-Forwarded-For", elsewhere());
        app.send(right).await.expect_status(200);
        assert_eq!(paid(), 7);
        app.hands.advance(Duration::from_mins(2));
        let later = guess(&app, &client, &nobody(99), "x");
        denied(app.send(later).await, 401, "invalid_client");
        assert_eq!(paid(), 8);
        app.stop().await;
    }

    /// Whoever has one address of IPv6 has 2^64 of them.
    async fn a_network_of_ipv6_is_one_guesser(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            behind_a_proxy(config);
            config.limits.failures_per_minute = 1;
        })
        .await;
        let client = app.client("payouts:read").await;
        for (address, status) in
            [("2001:db8:1:2::1", 401), ("2001:db8:1:2::2", 429), ("2001:db8:1:3::1", 401)]
        {
            let wrong = guess(&app, &client, client.id.as_str(), "x");
            app.send(wrong.header("X-Forwarded-For", address)).await.expect_status(status);
        }
        app.stop().await;
    }

    /// Many addresses that guess at one client use up what strangers may try, and no more.
    async fn strangers_do_not_keep_a_client_from_its_next_token(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            behind_a_proxy(config);
            config.limits.failures_per_minute = 1;
        })
        .await;
        let client = app.client("payouts:read").await;
        let from = |request: Request, address: &str| request.header("X-Forwarded-For", address);
        app.send(from(client.token_request(&app), "192.0.2.1")).await.expect_status(200);
        // A new secret is not remembered, so it is checked and counted like a guess.
        let (hasher, day) = (app.authority.hasher(), Duration::from_hours(24));
        let sandbox = Environment::Sandbox;
        let new = credentials::rotate_secret(&app.ctx, hasher, sandbox, &client.id, day).await;
        let new = new.unwrap();
        app.authority.access_changed().await.unwrap();
        app.hands.advance(Duration::from_mins(2));
        let mut throttled = 0;
        for number in 0..20 {
            let wrong = guess(&app, &client, client.id.as_str(), "x");
            let answer = app.send(from(wrong, &format!("198.51.100.{number}"))).await;
            throttled += usize::from(answer.status == 429);
        }
        assert_eq!(throttled, 10, "a client has ten times the allowance of one address");
        let right = || guess(&app, &client, client.id.as_str(), new.expose());
        app.send(from(right(), "203.0.113.1")).await.expect_status(429);
        app.send(from(right(), "192.0.2.1")).await.expect_status(200);
        app.stop().await;
    }

    async fn who_is_not_on_the_list_uses_up_nothing_of_the_client(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            behind_a_proxy(config);
            config.limits.failures_per_minute = 1;
        })
        .await;
        let client = app.client("payouts:read").await;
        let key = ProofKey::make(&app.ctx.random, KeyKind::P256);
        let wish = NewCredential {
            merchant_id: client.merchant,
            label: "listed".to_owned(),
            scopes: "payouts:read".parse().unwrap(),
            addresses: vec!["192.0.2.0/24".parse().unwrap()],
            key: key.jwk,
        };
        let (hasher, sandbox) = (app.authority.hasher(), Environment::Sandbox);
        let vouched = Possession::Vouched;
        let made = credentials::register(&app.ctx, hasher, sandbox, &wish, vouched).await.unwrap();
        let listed = Client { id: made.credential.client_id, secret: made.secret, key, ..client };
        let from = |request: Request, address: &str| request.header("X-Forwarded-For", address);
        for number in 0..20 {
            let wrong = guess(&app, &listed, listed.id.as_str(), "x");
            let answer = app.send(from(wrong, &format!("198.51.100.{number}"))).await;
            denied(answer, 401, "invalid_client");
        }
        app.send(from(listed.token_request(&app), "192.0.2.1")).await.expect_status(200);
        app.stop().await;
    }

    async fn an_address_has_so_many_tries_whatever_it_tries(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            behind_a_proxy(config);
            config.limits.failures_per_minute = 2;
        })
        .await;
        let client = app.client("payouts:read").await;
        let from = |request: Request, address: &str| request.header("X-Forwarded-For", address);
        let (here, there) = ("192.0.2.1", "192.0.2.2");
        // Remembered, so that nothing of this is counted.
        app.send(from(client.token_request(&app), here)).await.expect_status(200);
        let before = app.authority.hasher().runs();
        // The mint above was one of twenty.
        let misshapen = misshapen(client.id.as_str());
        let ids = (0..19).map(|number| match misshapen.get(number) {
            Some(id) => id.clone(),
            None => nobody(number),
        });
        for id in ids {
            let answer = app.send(from(guess(&app, &client, &id, "x"), here)).await;
            denied(answer, 401, "invalid_client");
        }
        assert_eq!(app.authority.hasher().runs() - before, 2, "the rest has no shape, or no allowance");
        for id in [&misshapen[0], &nobody(99), &client.id.to_string()] {
            let answer = app.send(from(guess(&app, &client, id, "x"), here)).await;
            assert!(answer.header("Retry-After").is_some());
            denied(answer, 429, "temporarily_unavailable");
        }
        let forged = assertion(&app, &client, &client.key, &json!({ "alg": "none" }));
        app.send(from(introspection(&forged), here)).await.expect_status(429);
        app.send(from(client.token_request(&app), here)).await.expect_status(200);
        let answer = app.send(from(guess(&app, &client, client.id.as_str(), "x"), there)).await;
        denied(answer, 401, "invalid_client");
        app.stop().await;
    }

    async fn a_signature_is_counted_before_it_is_checked(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            behind_a_proxy(config);
            config.limits.token_per_minute = 3;
            config.limits.failures_per_minute = 3;
        })
        .await;
        let client = app.client("payouts:read").await;
        let stranger = ProofKey::make(&app.ctx.random, KeyKind::P256);
        let ask = async |key: &ProofKey, address: &str| {
            let signed = assertion(&app, &client, key, &json!({ "alg": "ES256" }));
            app.send(introspection(&signed).header("X-Forwarded-For", address)).await
        };
        for _ in 0..3 {
            denied(ask(&stranger, "192.0.2.1").await, 401, "invalid_client");
        }
        denied(ask(&stranger, "192.0.2.1").await, 429, "temporarily_unavailable");
        ask(&client.key, "192.0.2.2").await.expect_status(200);
        app.stop().await;
    }

    async fn one_address_asks_for_tokens_only_so_often(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            behind_a_proxy(config);
            config.limits.oauth_address_per_minute = 3;
        })
        .await;
        let client = app.client("payouts:read").await;
        let from = |request: Request, address: &str| request.header("X-Forwarded-For", address);
        let revocation = || {
            let form = [("token", "x")];
            Request::post("/oauth/revoke").header("Authorization", client.basic()).form(&form)
        };
        app.send(from(client.token_request(&app), "192.0.2.1")).await.expect_status(200);
        app.send(from(revocation(), "192.0.2.1")).await.expect_status(200);
        app.send(from(Request::post("/oauth/introspect"), "192.0.2.1")).await.expect_status(400);
        for request in [client.token_request(&app), revocation(), Request::get("/oauth/token")] {
            let answer = app.send(from(request, "192.0.2.1")).await;
            assert!(answer.header("Retry-After").is_some());
            denied(answer, 429, "temporarily_unavailable");
        }
        app.send(from(client.token_request(&app), "192.0.2.2")).await.expect_status(200);
        app.stop().await;
    }

    async fn a_client_with_several_keys_names_the_one_that_signed(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let second = ProofKey::make(&app.ctx.random, KeyKind::P256);
        let ask = async |key: &ProofKey, header: Value| {
            app.send(introspection(&assertion(&app, &client, key, &header))).await
        };
        let alone = json!({ "alg": "ES256" });
        ask(&client.key, alone.clone()).await.expect_status(200);
        let vouched = Possession::Vouched;
        credentials::add_key(&app.ctx, &client.id, &second.jwk, vouched).await.unwrap();
        app.authority.access_changed().await.unwrap();
        for key in [&client.key, &second] {
            denied(ask(key, alone.clone()).await, 401, "invalid_client");
            ask(key, json!({ "alg": "ES256", "kid": key.jkt })).await.expect_status(200);
        }
        let other = json!({ "alg": "ES256", "kid": client.key.jkt });
        denied(ask(&second, other).await, 401, "invalid_client");
        app.stop().await;
    }
}

/// What was used before the record was lost could be used again.
#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_from_before_a_loss_is_refused() {
    let db = TestDb::sqlite().await;
    let app = TestApp::start(&db).await;
    let client = app.client("payouts:read").await;
    let header = json!({ "alg": "ES256" });
    let used = assertion(&app, &client, &client.key, &header);
    app.send(introspection(&used)).await.expect_status(200);
    let (clock, hands, keys) = (app.ctx.clock.clone(), app.hands.clone(), app.keys_dir.clone());
    let (base, file) = (app.base.clone(), app.ctx.db.file().unwrap());
    app.stop().await;
    std::fs::remove_dir_all(file.parent().unwrap().join("replay")).unwrap();
    hands.advance(Duration::from_secs(10));
    let again = TestApp::at(&db, clock, hands, keys, |config| {
        config.public_url = WebOrigin::parse(&base).unwrap();
        config.oauth.issuer = config.public_url.clone();
    })
    .await;
    let new = || assertion(&again, &client, &client.key, &header);
    for pausing in [&used, &new()] {
        let answer =
            denied(again.send(introspection(pausing)).await, 503, "temporarily_unavailable");
        let wait: u64 = answer.header("Retry-After").unwrap().parse().unwrap();
        assert!((1..=70).contains(&wait), "{wait}");
    }
    again.hands.advance(Duration::from_secs(70));
    denied(again.send(introspection(&used)).await, 401, "invalid_client");
    again.send(introspection(&new())).await.expect_status(200);
    again.stop().await;
}

/// The shape of an id is public, so nothing is asked of anybody to refuse another one.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_without_the_shape_asks_nobody() {
    let (db, line) = TestDb::postgres_on_a_line().await;
    let app = TestApp::with(&db, |config| {
        config.database.patience = SHORT_PATIENCE;
    })
    .await;
    let client = app.client("payouts:read").await;
    line.cut();
    app.hands.advance(Duration::from_secs(2));
    for id in misshapen(client.id.as_str()) {
        denied(app.send(guess(&app, &client, &id, "x")).await, 401, "invalid_client");
    }
    denied(app.send(guess(&app, &client, &nobody(1), "x")).await, 503, "temporarily_unavailable");
    line.mend();
    app.stop().await;
}

/// If each waited for the database in its turn, a short outage would hold every request for long.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_for_the_pulse_share_its_failure() {
    const PATIENCE: Duration = Duration::from_millis(500);
    let (db, line) = TestDb::postgres_on_a_line().await;
    let app = TestApp::with(&db, |config| config.database.patience = PATIENCE).await;
    let client = app.client("payouts:read").await;
    let token = client.mint(&app).await;
    line.cut();
    app.hands.advance(Duration::from_secs(2));
    let begun = Instant::now();
    let calls = (0..40).map(|_| client.get(&app, &token, "/v1/credential"));
    for answer in futures_util::future::join_all(calls).await {
        assert!(answer.expect_status(503).header("Retry-After").is_some());
    }
    assert!(begun.elapsed() < 20 * PATIENCE, "{:?}", begun.elapsed());
    line.mend();
    app.stop().await;
}
