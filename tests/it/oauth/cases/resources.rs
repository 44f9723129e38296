//! Protected resources: what needs other routes than the probe of the catalogue, or changes.

use std::time::Duration;

use counterfoil::{
    config::WebOrigin,
    oauth::{credentials, jose::TokenHash, keys::Stage},
};
use serde_json::{Value, json};

use super::{ROUTE, denied, present, probe::Probe, protected, refused};
use crate::support::{
    app::TestApp,
    client::{Client, claims},
    http::{Connection, Request, Response},
};

/// A request to the probe, with a proof for this `htu` path and method.
fn signed(app: &TestApp, client: &Client, token: &str, goal: (&str, &str), path: &str) -> Request {
    let proof = client.key.proof(app, goal.0, path, Some(token));
    Request::new(goal.0, goal.1)
        .header("Authorization", format!("DPoP {token}"))
        .header("DPoP", proof)
}

async fn ask(
    app: &TestApp,
    probe: &Probe,
    client: &Client,
    token: &str,
    goal: (&str, &str),
    path: &str,
) -> Response {
    signed(app, client, token, goal, path).send(probe.address).await
}

cases! {
    sqlite ["R29"]
    async fn proof_cases_run_here_too(db: TestDb) {
        // The runner of the catalogue sends every try of a proof to both; what needs code is here.
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let proof = client.key.proof(&app, "GET", ROUTE, Some(&token));
        app.send(protected(&token, &proof)).await.expect_status(200);
        refused(app.send(protected(&token, &proof)).await, 401, "invalid_dpop_proof");
        present(&app, &client, &token).await.expect_status(200);
        app.stop().await;
    }

    sqlite ["R30"]
    async fn every_method_is_its_own(db: TestDb) {
        let app = TestApp::start(&db).await;
        let probe = Probe::beside(&app).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let ask = async |method: &str, htm: &str| {
            let mut said = claims(&app, method, "/any/x", Some(&token));
            said["htm"] = json!(htm);
            let request = Request::new(method, "/any/x")
                .header("Authorization", format!("DPoP {token}"))
                .header("DPoP", client.key.sign(&said));
            request.send(probe.address).await
        };
        for method in ["PATCH", "OPTIONS", "DELETE", "PURGE", "purge"] {
            refused(ask(method, "GET").await, 401, "invalid_dpop_proof");
            ask(method, method).await.expect_status(200);
        }
        refused(ask("purge", "PURGE").await, 401, "invalid_dpop_proof");
        probe.stop();
        app.stop().await;
    }

    sqlite ["R32", "P43"]
    async fn encoded_segments_are_compared_as_rfc_3986_says(db: TestDb) {
        let app = TestApp::start(&db).await;
        let probe = Probe::beside(&app).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        for (sent, said) in [
            ("/any/a%2Fb", "/any/a%2Fb"),
            ("/any/a%2fb", "/any/a%2Fb"),
            ("/any/a%2Fb", "/any/a%2fb"),
            ("/any/%C3%A4", "/any/%c3%a4"),
            ("/any/~a", "/any/%7Ea"),
            ("/any/%7ea", "/any/~a"),
            ("/any/a%20b", "/any/a%20b"),
        ] {
            ask(&app, &probe, &client, &token, ("GET", sent), said).await.expect_status(200);
        }
        for (sent, said) in [("/any/a%2Fb", "/any/a/b"), ("/any/a/b", "/any/a%2Fb"), ("/any/a%20b", "/any/a+b")] {
            let answer = ask(&app, &probe, &client, &token, ("GET", sent), said).await;
            refused(answer, 401, "invalid_dpop_proof");
        }
        probe.stop();
        app.stop().await;
    }

    sqlite ["R33", "P47"]
    async fn the_whole_path_counts_wherever_its_route_is(db: TestDb) {
        let app = TestApp::start(&db).await;
        let probe = Probe::beside(&app).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let nested = "/outer/nest/deep/x";
        ask(&app, &probe, &client, &token, ("GET", nested), nested).await.expect_status(200);
        let cut = ask(&app, &probe, &client, &token, ("GET", nested), "/deep/x").await;
        refused(cut, 401, "invalid_dpop_proof");
        for root in ["", "/", "/?a=b"] {
            ask(&app, &probe, &client, &token, ("GET", "/"), root).await.expect_status(200);
        }
        probe.stop();
        app.stop().await;
    }

    sqlite ["R34"]
    async fn other_forms_of_the_target(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let proof = || client.key.proof(&app, "GET", ROUTE, Some(&token));
        let absolute = Request::get(&app.url(ROUTE))
            .header("Authorization", format!("DPoP {token}"))
            .header("DPoP", proof());
        app.send(absolute).await.expect_status(200);
        let two = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        let ask = async |proof: String| {
            let request = two.get(format!("http://{}{ROUTE}", app.address));
            let request = request.header("Authorization", format!("DPoP {token}"));
            request.header("DPoP", proof).send().await.unwrap()
        };
        let used = proof();
        assert_eq!(ask(used.clone()).await.status(), 200);
        assert_eq!(ask(used).await.status(), 401);
        assert_eq!(ask(proof()).await.status(), 200);
        app.stop().await;
    }

    sqlite ["R35"]
    async fn a_proof_is_for_one_place(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let mut for_tokens = claims(&app, "POST", "/oauth/token", None);
        for_tokens["ath"] = json!(TokenHash::of(&token).as_str());
        let carried = protected(&token, &client.key.sign(&for_tokens));
        refused(app.send(carried).await, 401, "invalid_dpop_proof");
        let carried = Request::post("/oauth/token")
            .header("Authorization", client.basic())
            .header("DPoP", client.key.proof(&app, "GET", ROUTE, Some(&token)))
            .form(&[("grant_type", "client_credentials")]);
        denied(app.send(carried).await, 400, "invalid_dpop_proof");
        client.mint(&app).await;
        app.stop().await;
    }

    sqlite ["R36"]
    async fn a_missing_right_is_named(db: TestDb) {
        let app = TestApp::start(&db).await;
        let probe = Probe::beside(&app).await;
        let (poor, rich) = (app.client("pricing:read").await, app.client("payouts:read").await);
        let token = poor.mint(&app).await;
        let answer = ask(&app, &probe, &poor, &token, ("GET", "/read"), "/read").await;
        let challenge = answer.header("WWW-Authenticate").unwrap().to_owned();
        assert!(challenge.contains("scope=\"payouts:read\""), "{challenge}");
        refused(answer, 403, "insufficient_scope");
        let token = rich.mint(&app).await;
        ask(&app, &probe, &rich, &token, ("GET", "/read"), "/read").await.expect_status(200);
        probe.stop();
        app.stop().await;
    }

    both ["R37"]
    async fn a_revoked_token_is_refused_here_at_once_and_within_a_second_elsewhere(db: TestDb) {
        let app = TestApp::start(&db).await;
        // The seen-token cache of the probe stands for another place that knows the token.
        let probe = Probe::beside(&app).await;
        let client = app.client("payouts:read").await;
        let (token, other) = (client.mint(&app).await, client.mint(&app).await);
        present(&app, &client, &token).await.expect_status(200);
        ask(&app, &probe, &client, &token, ("GET", "/read"), "/read").await.expect_status(200);
        let revoke = Request::post("/oauth/revoke").header("Authorization", client.basic());
        app.send(revoke.form(&[("token", &token)])).await.expect_status(200);
        refused(present(&app, &client, &token).await, 401, "invalid_token");
        let elsewhere = ask(&app, &probe, &client, &token, ("GET", "/read"), "/read").await;
        refused(elsewhere, 401, "invalid_token");
        present(&app, &client, &other).await.expect_status(200);
        probe.stop();
        app.stop().await;
    }

    both ["R38"]
    async fn a_revoked_key_or_client_ends_live_tokens(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (one, two) = (app.client("payouts:read").await, app.client("payouts:read").await);
        let (token, others) = (one.mint(&app).await, two.mint(&app).await);
        present(&app, &one, &token).await.expect_status(200);
        present(&app, &two, &others).await.expect_status(200);
        credentials::revoke_key(&app.ctx, &one.id, &one.key.jkt).await.unwrap();
        app.hands.advance(Duration::from_secs(1));
        refused(present(&app, &one, &token).await, 401, "invalid_token");
        present(&app, &two, &others).await.expect_status(200);
        credentials::revoke(&app.ctx, &two.id).await.unwrap();
        app.hands.advance(Duration::from_secs(1));
        refused(present(&app, &two, &others).await, 401, "invalid_token");
        app.stop().await;
    }

    both ["R39", "J9"]
    async fn a_removed_signing_key_ends_its_tokens_within_a_second(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        present(&app, &client, &token).await.expect_status(200);
        let ring = app.authority.ring();
        let stolen = ring.current().signer().kid().to_string();
        ring.remove(&stolen).unwrap();
        app.hands.advance(Duration::from_secs(1));
        refused(present(&app, &client, &token).await, 401, "invalid_token");
        let fresh = client.mint(&app).await;
        present(&app, &client, &fresh).await.expect_status(200);
        let jwks = app.send(Request::get("/.well-known/jwks.json")).await.text();
        assert!(!jwks.contains(&stolen));
        app.stop().await;
    }

    both ["R40", "J3"]
    async fn a_rotation_refuses_no_token(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let old = client.mint(&app).await;
        let kid = |token: &str| {
            let text = counterfoil::oauth::jose::base64url::decode(token.split('.').next().unwrap());
            serde_json::from_slice::<Value>(&text.unwrap()).unwrap()["kid"].clone()
        };
        let next = app.authority.ring().rotate(false).unwrap();
        assert_eq!(next.stage, Stage::Next);
        let published = async || app.send(Request::get("/.well-known/jwks.json")).await;
        let answer = published().await;
        assert!(answer.text().contains(&next.kid), "it can be fetched before it is used");
        let life: u64 = answer
            .header("Cache-Control")
            .and_then(|control| control.rsplit_once("max-age="))
            .unwrap()
            .1
            .parse()
            .unwrap();
        assert!(counterfoil::oauth::keys::LEAD.as_secs() >= life, "no copy is older at its first use");
        assert_eq!(kid(&client.mint(&app).await), kid(&old));
        app.hands.advance(counterfoil::oauth::keys::LEAD);
        let new = client.mint(&app).await;
        assert_eq!(kid(&new), next.kid.as_str());
        for token in [&old, &new] {
            present(&app, &client, token).await.expect_status(200);
        }
        app.stop().await;
    }

    sqlite ["R43"]
    async fn listed_pages_may_read_what_a_client_needs(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            config.http.cors_origins = vec![WebOrigin::parse("https://shop.example").unwrap()];
        })
        .await;
        let ask = async |origin: &str| app.send(Request::get(ROUTE).header("Origin", origin)).await;
        let answer = ask("https://shop.example").await.expect_status(401);
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("https://shop.example"));
        let exposed = answer.header("Access-Control-Expose-Headers").unwrap().to_lowercase();
        assert!(exposed.contains("www-authenticate") && exposed.contains("dpop-nonce"), "{exposed}");
        let answer = ask("https://evil.example").await.expect_status(401);
        assert_eq!(answer.header("Access-Control-Allow-Origin"), None);
        app.stop().await;
    }

    sqlite ["R46"]
    async fn a_panic_leaves_the_proof_used(db: TestDb) {
        let app = TestApp::start(&db).await;
        let probe = Probe::beside(&app).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let request = signed(&app, &client, &token, ("GET", "/panic"), "/panic");
        let answer = request.send(probe.address).await.expect_status(500);
        assert!(!answer.text().contains("on purpose"));
        refused(request.send(probe.address).await, 401, "invalid_dpop_proof");
        ask(&app, &probe, &client, &token, ("GET", "/read"), "/read").await.expect_status(200);
        probe.stop();
        app.stop().await;
    }

    sqlite ["R48"]
    async fn a_caller_that_leaves_has_used_its_proof(db: TestDb) {
        let app = TestApp::start(&db).await;
        let probe = Probe::beside(&app).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let request = signed(&app, &client, &token, ("GET", "/slow"), "/slow");
        let mut connection = Connection::open(probe.address).await;
        connection.write(&request.bytes("x")).await;
        probe.begun.notified().await;
        drop(connection);
        refused(request.send(probe.address).await, 401, "invalid_dpop_proof");
        probe.go_on.notify_one();
        ask(&app, &probe, &client, &token, ("GET", "/read"), "/read").await.expect_status(200);
        probe.stop();
        app.stop().await;
    }

    sqlite ["R49"]
    async fn a_long_answer_needs_one_proof(db: TestDb) {
        let app = TestApp::start(&db).await;
        let probe = Probe::beside(&app).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        let request = signed(&app, &client, &token, ("GET", "/stream"), "/stream");
        let mut connection = Connection::open(probe.address).await;
        connection.write(&request.bytes("x")).await;
        let mut until = async |text: &str| {
            while !connection.read_more().await.contains(text) {}
        };
        until("part 0").await;
        // Token and proof are over, the answer is not.
        app.hands.advance(Duration::from_hours(9));
        probe.go_on.notify_one();
        until("part 1").await;
        probe.go_on.notify_one();
        until("part 2").await;
        refused(request.send(probe.address).await, 401, "invalid_dpop_proof");
        probe.go_on.notify_one();
        probe.stop();
        app.stop().await;
    }
}
