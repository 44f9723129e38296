//! A proof counts once.

use std::{net::TcpListener, time::Duration};

use counterfoil::{
    base::timestamp::Timestamp,
    config::ReplayStore,
    oauth::jose::{KeyKind, base64url},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{ROUTE, denied, protected, refused};
use crate::{
    oauth::catalogue::other_half,
    support::{
        app::TestApp,
        both::TestDb,
        client::{Client, claims},
        http::Request,
        redis::Redis,
    },
};

const DENIED: &str = "invalid_dpop_proof";

/// A token request with this proof.
fn asking(client: &Client, proof: &str) -> Request {
    Request::post("/oauth/token")
        .header("Authorization", client.basic())
        .header("DPoP", proof)
        .form(&[("grant_type", "client_credentials")])
}

/// A proof for the token endpoint that says this too.
fn proof_with(app: &TestApp, client: &Client, name: &str, value: &Value) -> String {
    let mut claims = claims(app, "POST", "/oauth/token", None);
    claims[name] = value.clone();
    client.key.sign(&claims)
}

/// How many of fifty copies of one proof were let in, dealt to these servers in turn.
async fn race(apps: &[&TestApp], request: &Request, refusal: u16) -> usize {
    let copies = (0..50).map(|copy| request.send(apps[copy % apps.len()].address));
    let answers = join_all(copies).await;
    let lost = answers.iter().filter(|answer| answer.status == refusal).count();
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won + lost, 50, "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    won
}

/// Two replicas on one database with one record, whatever its home.
async fn two_replicas_let_one_of_fifty_in(one: &TestApp, two: &TestApp) {
    let client = one.client("payouts:read").await;
    for _ in 0..3 {
        let request = client.token_request(one);
        assert_eq!(race(&[one, two], &request, 400).await, 1);
        denied(two.send(request).await, 400, DENIED);
    }
    let token = client.mint(one).await;
    for _ in 0..3 {
        let proof = client.key.proof(one, "GET", ROUTE, Some(&token));
        assert_eq!(race(&[one, two], &protected(&token, &proof), 401).await, 1);
    }
    client.mint(one).await;
}

cases! {
    sqlite ["P7"]
    async fn unused_bits_must_be_zero(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        // One and two bytes beyond a multiple of three leave four and two unused bits.
        for part in 0..2 {
            for spaces in 0..3 {
                let said = claims(&app, "POST", "/oauth/token", None).to_string();
                let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": client.key.jwk }).to_string();
                let mut parts = [header, said].map(|text| base64url::encode(text + &" ".repeat(spaces)));
                if parts[part].len() % 4 == 0 {
                    continue;
                }
                let good = parts[part].pop().unwrap();
                // The unused bits are the low ones, so the next letter says the same.
                let other = char::from(u8::try_from(good).unwrap() + 1);
                parts[part].push(other);
                let input = parts.join(".");
                let signature = client.key.signing.sign_bytes(input.as_bytes()).unwrap();
                let proof = format!("{input}.{}", base64url::encode(signature));
                denied(app.send(asking(&client, &proof)).await, 400, DENIED);
            }
        }
        let good = client.key.proof(&app, "POST", "/oauth/token", None);
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef0123-_".chars() {
            let bad = format!("{}{letter}", &good[..good.len() - 1]);
            if bad != good {
                denied(app.send(asking(&client, &bad)).await, 400, DENIED);
            }
        }
        app.send(asking(&client, &good)).await.expect_status(200);
        app.stop().await;
    }

    sqlite ["P29"]
    async fn another_signature_is_no_other_proof(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let proof = client.key.proof(&app, "POST", "/oauth/token", None);
        let twin = other_half(&proof);
        assert_ne!(proof, twin);
        app.send(asking(&client, &proof)).await.expect_status(200);
        denied(app.send(asking(&client, &twin)).await, 400, DENIED);
        let proof = client.key.proof(&app, "POST", "/oauth/token", None);
        app.send(asking(&client, &other_half(&proof))).await.expect_status(200);
        denied(app.send(asking(&client, &proof)).await, 400, DENIED);
        app.stop().await;
    }

    sqlite ["P32"]
    async fn addresses_in_a_header_are_not_called(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let bait = TcpListener::bind("127.0.0.1:0").unwrap();
        bait.set_nonblocking(true).unwrap();
        let url = format!("http://{}/keys", bait.local_addr().unwrap());
        let header = json!({
            "typ": "dpop+jwt", "alg": "ES256", "jwk": client.key.jwk,
            "kid": "1", "jku": url, "x5u": url, "x5c": ["AA=="], "x5t": "x",
        });
        let proof = client.key.sign_as(&header, &claims(&app, "POST", "/oauth/token", None));
        app.send(asking(&client, &proof)).await.expect_status(200);
        let called = bait.accept().unwrap_err();
        assert_eq!(called.kind(), std::io::ErrorKind::WouldBlock);
        app.stop().await;
    }

    sqlite ["P51"]
    async fn a_host_cannot_change_where_a_request_goes(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let at = app.base.strip_prefix("http://").unwrap();
        for host in ["x?y=".to_owned(), format!("{at}?x="), format!("{at}#"), format!("u@{at}"), "a b".to_owned()] {
            let said = json!(format!("http://{host}/oauth/token"));
            let forged = proof_with(&app, &client, "htu", &said);
            if !said.as_str().unwrap().contains(at) {
                let answer = app.send(asking(&client, &forged).header("Host", &host)).await;
                answer.expect_status(400);
            }
            let good = client.key.proof(&app, "POST", "/oauth/token", None);
            let answer = app.send(asking(&client, &good).header("Host", &host)).await;
            assert_eq!(answer.status, 400, "{host}: {}", answer.text());
        }
        client.mint(&app).await;
        app.stop().await;
    }

    both ["P60", "P62", "P63", "P64"]
    async fn a_jti_counts_once_per_key_wherever_it_is_used(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let other = app.client_with(KeyKind::Ed25519, "payouts:read".parse().unwrap()).await;
        let token = client.mint(&app).await;
        let same = json!("the-one-jti");
        let proof = proof_with(&app, &client, "jti", &same);
        app.send(asking(&client, &proof)).await.expect_status(200);
        denied(app.send(asking(&client, &proof)).await, 400, DENIED);
        app.hands.advance(Duration::from_secs(1));
        let resigned = proof_with(&app, &client, "jti", &same);
        assert_ne!(resigned, proof);
        denied(app.send(asking(&client, &resigned)).await, 400, DENIED);
        app.send(asking(&other, &proof_with(&app, &other, "jti", &same))).await.expect_status(200);
        let mut elsewhere = claims(&app, "GET", ROUTE, Some(&token));
        elsewhere["jti"] = same.clone();
        refused(app.send(protected(&token, &client.key.sign(&elsewhere))).await, 401, DENIED);
        client.mint(&app).await;
        app.stop().await;
    }

    both ["P61"]
    async fn of_fifty_copies_one_wins(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        for _ in 0..3 {
            assert_eq!(race(&[&app], &client.token_request(&app), 400).await, 1);
            let proof = client.key.proof(&app, "GET", ROUTE, Some(&token));
            assert_eq!(race(&[&app], &protected(&token, &proof), 401).await, 1);
        }
        client.mint(&app).await;
        app.stop().await;
    }

    both ["P65"]
    async fn a_proof_dated_ahead_stays_remembered(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let ahead = app.ctx.now().unix_seconds() + 59;
        let proof = proof_with(&app, &client, "iat", &json!(ahead));
        app.send(asking(&client, &proof)).await.expect_status(200);
        for step in [61, 29, 28] {
            app.hands.advance(Duration::from_secs(step));
            denied(app.send(asking(&client, &proof)).await, 400, DENIED);
        }
        client.mint(&app).await;
        app.stop().await;
    }

    both ["P66"]
    async fn a_restart_reopens_nothing(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let (clock, hands, keys) = (app.ctx.clock.clone(), app.hands.clone(), app.keys_dir.clone());
        let (base, address) = (app.base.clone(), app.address);
        let used = client.token_request(&app);
        let unused = client.token_request(&app);
        app.send(used.clone()).await.expect_status(200);
        app.stop().await;
        hands.advance(Duration::from_secs(10));
        // Known by the same name, or the proof would be refused for that.
        let again = TestApp::at(&db, clock, hands, keys, |config| {
            config.public_url = counterfoil::config::WebOrigin::parse(&base).unwrap();
        })
        .await;
        assert_ne!(again.address, address);
        let answer = again.send(used).await.expect_status(400);
        let text = answer.json()["error_description"].to_string();
        assert!(text.contains("jti was used before"), "{text}");
        again.send(unused).await.expect_status(200);
        again.stop().await;
    }

    postgres ["P67", "R47"]
    async fn two_replicas_share_one_record(db: TestDb) {
        let one = TestApp::start(&db).await;
        let base = one.base.clone();
        let two = one.beside(&db, |config| {
            config.public_url = counterfoil::config::WebOrigin::parse(&base).unwrap();
            config.oauth.issuer = config.public_url.clone();
        });
        let two = two.await;
        two_replicas_let_one_of_fifty_in(&one, &two).await;
        two.stop().await;
        one.stop().await;

        let redis = Redis::start();
        let shared = |config: &mut counterfoil::config::Config| {
            config.redis_url = Some(redis.url().into());
            config.oauth.replay_store = ReplayStore::Redis;
        };
        let test = TestDb::postgres().await;
        let one = TestApp::with(&test, shared).await;
        let base = one.base.clone();
        let two = one.beside(&test, |config| {
            shared(config);
            config.public_url = counterfoil::config::WebOrigin::parse(&base).unwrap();
            config.oauth.issuer = config.public_url.clone();
        });
        let two = two.await;
        two_replicas_let_one_of_fifty_in(&one, &two).await;
        two.stop().await;
        one.stop().await;
    }

    both ["P68"]
    async fn a_refused_request_leaves_its_proof_unused(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let proof = client.key.proof(&app, "POST", "/oauth/token", None);
        let ask = async |authorization: String, form: &[(&str, &str)]| {
            let request = Request::post("/oauth/token").header("Authorization", authorization);
            app.send(request.header("DPoP", &proof).form(form)).await
        };
        let grant = ("grant_type", "client_credentials");
        let wrong = crate::support::client::basic(client.id.as_str(), "wrong");
        denied(ask(wrong, &[grant]).await, 401, "invalid_client");
        denied(ask(client.basic(), &[grant, ("scope", "x")]).await, 400, "invalid_scope");
        denied(ask(client.basic(), &[grant, ("resource", "https://x")]).await, 400, "invalid_target");
        denied(ask(client.basic(), &[("grant_type", "x")]).await, 400, "unsupported_grant_type");
        ask(client.basic(), &[grant]).await.expect_status(200);
        denied(ask(client.basic(), &[grant]).await, 400, DENIED);
        // A lost method or token at the resource is no use of the proof either.
        let proof = client.key.proof(&app, "GET", ROUTE, Some(&token));
        app.send(Request::get(ROUTE).header("DPoP", &proof)).await.expect_status(401);
        app.send(protected(&token, &proof)).await.expect_status(200);
        app.stop().await;
    }

    sqlite ["P70"]
    async fn a_greedy_client_stops_itself_only(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            // A quarter of the record for one key, over the minutes that it is remembered.
            config.oauth.replay_ceiling = 40;
        })
        .await;
        let (greedy, other) = (app.client("payouts:read").await, app.client("payouts:read").await);
        let mut answer = app.send(greedy.token_request(&app)).await;
        let mut minted = 0;
        while answer.status == 200 {
            minted += 1;
            assert!(minted < 40, "nothing stops it");
            answer = app.send(greedy.token_request(&app)).await;
        }
        assert!(answer.header("Retry-After").is_some());
        denied(answer, 429, "temporarily_unavailable");
        other.mint(&app).await;
        app.hands.advance(Duration::from_mins(1));
        greedy.mint(&app).await;
        app.stop().await;
    }

    both ["X6"]
    async fn a_clock_that_steps_lets_no_proof_in_twice(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let used = client.token_request(&app);
        app.send(used.clone()).await.expect_status(200);
        let start = app.ctx.now().unix_seconds();
        for step in [-30, 30, -60, 60, 0, 59, -1] {
            app.hands.set(Timestamp::from_unix_seconds(start + step));
            denied(app.send(used.clone()).await, 400, DENIED);
            client.mint(&app).await;
        }
        app.stop().await;
    }
}
