//! The token endpoint: what needs more than one request, or settings of its own.

use std::time::Duration;

use counterfoil::{
    base::environment::Environment,
    config::WebOrigin,
    db::{self, Db},
    oauth::{credentials, jose::KeyKind, scopes::Scopes},
};
use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{asking, denied};
use crate::support::{
    app::TestApp,
    client::{Client, basic},
    http::{Request, Response},
};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// Everything that could tell one refusal from another.
fn visible(answer: &Response) -> (u16, Vec<(String, String)>, Vec<u8>) {
    // What the address has left says how often it asked, not about whom.
    let changing = ["x-request-id", "date", "x-ratelimit-remaining", "x-ratelimit-reset"];
    let own = |name: &str| changing.iter().any(|own| name.eq_ignore_ascii_case(own));
    let headers = answer.headers().iter().filter(|(name, _)| !own(name)).cloned().collect();
    (answer.status, headers, answer.body.clone())
}

async fn with_secret(app: &TestApp, client: &Client, id: &str, secret: &str) -> Response {
    app.send(
        Request::post("/oauth/token")
            .header("Authorization", basic(id, secret))
            .header("DPoP", client.key.proof(app, "POST", "/oauth/token", None))
            .form(&[GRANT]),
    )
    .await
}

async fn suspend(db: &Db, client: &Client) {
    let merchant = client.merchant;
    let change = "UPDATE merchants SET status = 'suspended' WHERE id = $1";
    db::write!(db, merchant, |tx| {
        db::exec!(tx, change, merchant)?;
        credentials::access_changed(tx).await
    })
    .unwrap();
}

cases! {
    both ["A1", "A5", "A6"]
    async fn the_answer_says_what_was_granted(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("pricing:read payouts:read").await;
        let answer = app.send(asking(&app, &client, &[GRANT])).await.expect_status(200);
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert_eq!(answer.header("Pragma"), Some("no-cache"));
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        let told = answer.json();
        assert_eq!((&told["token_type"], &told["expires_in"]), (&"DPoP".into(), &28_800.into()));
        assert_eq!(told["scope"], "pricing:read payouts:read", "the default is told");
        let mut names: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["access_token", "expires_in", "scope", "token_type"]);
        let subset = asking(&app, &client, &[GRANT, ("scope", "payouts:read")]);
        let told = app.send(subset).await.expect_status(200).json();
        assert_eq!(told["scope"], "payouts:read");
        let seen = super::present(&app, &client, told["access_token"].as_str().unwrap()).await;
        assert_eq!(seen.expect_status(200).json()["scopes"], serde_json::json!(["payouts:read"]));
        app.stop().await;
    }

    both ["A16"]
    async fn a_suspended_merchant_mints_nothing(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, other) = (app.client("payouts:read").await, app.client("payouts:read").await);
        client.mint(&app).await;
        suspend(&app.ctx.db, &client).await;
        app.authority.access_changed().await.unwrap();
        denied(app.send(client.token_request(&app)).await, 400, "unauthorized_client");
        other.mint(&app).await;
        app.stop().await;
    }

    sqlite ["A24"]
    async fn head_is_refused_without_a_body(db: TestDb) {
        let app = TestApp::start(&db).await;
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let request = "HEAD /oauth/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        app.stop().await;
    }

    both ["A29", "A30"]
    async fn nobody_learns_why_a_client_is_refused(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, gone) = (app.client("payouts:read").await, app.client("payouts:read").await);
        credentials::revoke(&app.ctx, &gone.id).await.unwrap();
        app.authority.access_changed().await.unwrap();
        let secret = client.secret.expose();
        let wrong = with_secret(&app, &client, client.id.as_str(), "wrong").await;
        let unknown =
            with_secret(&app, &client, &format!("ant_oc_sandbox_{:032x}", 7), secret).await;
        let strange = with_secret(&app, &client, "somebody", "x").await;
        let revoked = with_secret(&app, &gone, gone.id.as_str(), gone.secret.expose()).await;
        for answer in [&unknown, &strange, &revoked] {
            assert_eq!(visible(answer), visible(&wrong));
        }
        denied(wrong, 401, "invalid_client");
        client.mint(&app).await;
        app.stop().await;
    }

    both ["A40"]
    async fn an_old_secret_works_until_its_overlap_ends(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        // Remembered, so that forgetting is what is tested.
        client.mint(&app).await;
        let overlap = Duration::from_mins(30);
        let hasher = app.authority.hasher();
        let rotated = credentials::rotate_secret(
            &app.ctx, hasher, Environment::Sandbox, &client.id, overlap,
        );
        let new = rotated.await.unwrap();
        app.authority.access_changed().await.unwrap();
        let (id, old) = (client.id.as_str(), client.secret.expose());
        with_secret(&app, &client, id, old).await.expect_status(200);
        with_secret(&app, &client, id, new.expose()).await.expect_status(200);
        app.hands.advance(overlap);
        denied(with_secret(&app, &client, id, old).await, 401, "invalid_client");
        with_secret(&app, &client, id, new.expose()).await.expect_status(200);
        app.stop().await;
    }

    sqlite ["A41"]
    async fn guessing_locks_out_the_guesser_only(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            config.limits.failures_per_minute = 20;
            config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
        let client = app.client("payouts:read").await;
        let from = |address: &str, secret: &str| {
            Request::post("/oauth/token")
                .header("X-Forwarded-For", address)
                .header("Authorization", basic(client.id.as_str(), secret))
                .header("DPoP", client.key.proof(&app, "POST", "/oauth/token", None))
                .form(&[GRANT])
        };
        for guess in 0..20 {
            denied(app.send(from("192.0.2.1", &format!("guess {guess}"))).await, 401, "invalid_client");
        }
        let throttled = app.send(from("192.0.2.1", "one more")).await;
        let wait: u64 = throttled.header("Retry-After").unwrap().parse().unwrap();
        assert!((1..=120).contains(&wait), "{wait}");
        denied(throttled, 429, "temporarily_unavailable");
        // The right secret from there cannot be told from a guess; from elsewhere it is nobody's victim.
        app.send(from("192.0.2.1", client.secret.expose())).await.expect_status(429);
        app.send(from("198.51.100.1", client.secret.expose())).await.expect_status(200);
        app.hands.advance(Duration::from_mins(2));
        app.send(from("192.0.2.1", client.secret.expose())).await.expect_status(200);
        app.stop().await;
    }

    sqlite ["A42"]
    async fn a_full_queue_says_come_back(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            config.oauth.argon2_memory_kib = 32 << 10;
            config.oauth.argon2_iterations = 8;
            config.oauth.argon2_concurrency = 1;
            config.oauth.argon2_queue = 1;
        })
        .await;
        let client = app.client("payouts:read").await;
        let guesses = (0..12).map(|guess| {
            let secret = format!("guess {guess}");
            let (app, client) = (&app, &client);
            async move { with_secret(app, client, client.id.as_str(), &secret).await }
        });
        let answers = join_all(guesses).await;
        let (full, wrong): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 503);
        assert!(full.len() >= 8 && !wrong.is_empty(), "{} and {}", full.len(), wrong.len());
        for answer in full {
            assert_eq!(answer.header("Retry-After"), Some("1"));
            denied(answer, 503, "temporarily_unavailable");
        }
        client.mint(&app).await;
        app.stop().await;
    }

    sqlite ["A43"]
    async fn only_listed_pages_may_ask_browsers(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            config.http.cors_origins = vec![WebOrigin::parse("https://shop.example").unwrap()];
        })
        .await;
        for (origin, allowed) in [("https://shop.example", true), ("https://evil.example", false)] {
            let preflight = Request::new("OPTIONS", "/oauth/token")
                .header("Origin", origin)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "authorization,dpop");
            let answer = app.send(preflight).await;
            assert!([200, 204, 403].contains(&answer.status), "{}", answer.status);
            let told = answer.header("Access-Control-Allow-Origin");
            assert_eq!(told, allowed.then_some(origin));
            assert_eq!(answer.header("Access-Control-Allow-Credentials"), None);
        }
        app.stop().await;
    }

    sqlite ["A44"]
    async fn descriptions_stay_inside_their_quotes(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let nasty = "\"\\\r\nSet-Cookie: x=1\u{e4}\u{7f}\u{0}";
        for form in [
            vec![("grant_type", nasty)],
            vec![GRANT, ("scope", nasty)],
            vec![GRANT, ("resource", nasty)],
            vec![GRANT, ("client_id", nasty)],
            vec![(nasty, nasty)],
        ] {
            let answer = app.send(asking(&app, &client, &form)).await;
            assert!((400..500).contains(&answer.status), "{}", answer.text());
            assert_eq!(answer.header("Set-Cookie"), None);
            let told = answer.json();
            let text = told["error_description"].as_str().unwrap();
            let allowed = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(text.bytes().all(allowed), "{text}");
        }
        app.stop().await;
    }

    sqlite ["A10"]
    async fn resource_picks_the_audience(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            config.extra_public_urls = vec![WebOrigin::parse("https://pay.example").unwrap()];
        })
        .await;
        let client = app.client_with(KeyKind::P256, Scopes::all()).await;
        for (resource, audience) in
            [(Some("https://pay.example"), "https://pay.example"), (Some(&*app.base), &app.base), (None, &app.base)]
        {
            let mut form = vec![GRANT];
            form.extend(resource.map(|resource| ("resource", resource)));
            let told = app.send(asking(&app, &client, &form)).await.expect_status(200).json();
            let token = told["access_token"].as_str().unwrap();
            assert_eq!(super::tokens::claims_of(token)["aud"], audience);
            super::present(&app, &client, token).await.expect_status(200);
        }
        app.stop().await;
    }
}
