//! Credentials from their registration to their end, and what each change means for callers.

use std::time::Duration;

use counterfoil::{
    base::{
        environment::Environment,
        failure::{Code, Failure},
    },
    oauth::{
        credentials::{self, NewCredential, Possession},
        jose::KeyKind,
        scopes::Scopes,
    },
};
use serde_json::json;

use crate::support::{
    app::TestApp,
    both::both,
    client::{Client, ProofKey, basic},
    http::Request,
};

const SANDBOX: Environment = Environment::Sandbox;
const DAY: Duration = Duration::from_hours(24);

/// What the registration signs.
fn possession(key: &ProofKey, challenge: &str) -> String {
    let header = json!({ "typ": "key-possession+jwt", "alg": key.signing.alg().name() });
    key.sign_as(&header, &json!({ "challenge": challenge }))
}

fn wish(client: &Client, key: &ProofKey) -> NewCredential {
    NewCredential {
        merchant_id: client.merchant,
        label: "another".to_owned(),
        scopes: Scopes::all(),
        addresses: Vec::new(),
        key: key.jwk,
    }
}

async fn register(
    app: &TestApp,
    wish: &NewCredential,
    possession: Possession<'_>,
) -> Result<credentials::Registered, Failure> {
    credentials::register(&app.ctx, app.authority.hasher(), SANDBOX, wish, possession).await
}

/// A token request with a secret and a key that need not belong to the client.
fn token_request(app: &TestApp, client: &Client, secret: &str, key: &ProofKey) -> Request {
    Request::post("/oauth/token")
        .header("Authorization", basic(client.id.as_str(), secret))
        .header("DPoP", key.proof(app, "POST", "/oauth/token", None))
        .form(&[("grant_type", "client_credentials")])
}

/// Half a second on: every cache has asked again whether anything has changed.
fn pass_the_pulse(app: &TestApp) {
    app.hands.advance(Duration::from_millis(500));
}

both! {
    async fn ids_and_secrets_have_the_published_form(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client_with(KeyKind::P256, Scopes::all()).await;
        let body = |text: &str, prefix: &str, length: usize| {
            let body = text.strip_prefix(prefix).unwrap();
            let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            assert!(body.len() == length && body.bytes().all(hex), "{prefix}");
        };
        body(client.id.as_str(), "ant_oc_sandbox_", 32);
        body(client.secret.expose(), "ant_ocs_sandbox_", 48);
        app.stop().await;
    }

    async fn a_new_key_must_sign_an_open_challenge_of_its_merchant(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, stranger) =
            (app.client("payouts:read").await, app.client("payouts:read").await);
        let key = ProofKey::make(&app.ctx.random, KeyKind::Ed25519);
        let other = ProofKey::make(&app.ctx.random, KeyKind::Ed25519);
        let refused = async |jws: &str| {
            let refused = register(&app, &wish(&client, &key), Possession::Signed(jws)).await;
            assert_eq!(refused.unwrap_err().code(), Code::InvalidParameter, "{jws}");
        };
        let ask = async |merchant| credentials::challenge(&app.ctx, merchant).await.unwrap();

        let challenge = ask(client.merchant).await;
        refused(&possession(&other, &challenge)).await;
        refused(&possession(&key, "invented")).await;
        refused(&possession(&key, &ask(stranger.merchant).await)).await;
        let as_proof = json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": key.jwk });
        refused(&key.sign_as(&as_proof, &json!({ "challenge": challenge }))).await;
        let old = ask(client.merchant).await;
        app.hands.advance(Duration::from_mins(10));
        refused(&possession(&key, &old)).await;

        let signed = possession(&key, &ask(client.merchant).await);
        let made = register(&app, &wish(&client, &key), Possession::Signed(&signed)).await.unwrap();
        assert_eq!(made.jkt, key.jkt);
        let third = ProofKey::make(&app.ctx.random, KeyKind::P256);
        let again = register(&app, &wish(&client, &third), Possession::Signed(&signed)).await;
        assert_eq!(again.unwrap_err().code(), Code::InvalidParameter, "a challenge counts once");
        app.stop().await;
    }

    async fn one_key_belongs_to_one_credential_for_ever(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, stranger) =
            (app.client("payouts:read").await, app.client("payouts:read").await);
        for owner in [&client, &stranger] {
            let taken = register(&app, &wish(owner, &client.key), Possession::Vouched).await;
            assert_eq!(taken.unwrap_err().code(), Code::AlreadyExists);
        }
        credentials::revoke(&app.ctx, &client.id).await.unwrap();
        let taken = register(&app, &wish(&stranger, &client.key), Possession::Vouched).await;
        assert_eq!(taken.unwrap_err().code(), Code::AlreadyExists);
        app.stop().await;
    }

    async fn a_revoked_credential_and_its_tokens_are_refused_and_others_are_not(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (client, other) =
            (app.client("payouts:read").await, app.client("payouts:read").await);
        let (token, others) = (client.mint(&app).await, other.mint(&app).await);
        client.get(&app, &token, "/v1/credential").await.expect_status(200);
        credentials::revoke(&app.ctx, &client.id).await.unwrap();
        // At once where it was done in this process.
        app.authority.access_changed().await.unwrap();
        client.get(&app, &token, "/v1/credential").await.expect_status(401);
        let refused = app.send(client.token_request(&app)).await.expect_status(401);
        assert_eq!(refused.json()["error"], "invalid_client");
        other.get(&app, &others, "/v1/credential").await.expect_status(200);
        let again = credentials::rotate_secret(
            &app.ctx, app.authority.hasher(), SANDBOX, &client.id, DAY,
        );
        assert_eq!(again.await.unwrap_err().code(), Code::InvalidState);
        app.stop().await;
    }

    /// The way of the command line and of other replicas: nobody tells this server.
    async fn a_revocation_elsewhere_counts_within_a_second(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        client.get(&app, &token, "/v1/credential").await.expect_status(200);
        credentials::revoke(&app.ctx, &client.id).await.unwrap();
        pass_the_pulse(&app);
        client.get(&app, &token, "/v1/credential").await.expect_status(401);
        app.stop().await;
    }

    async fn two_secrets_are_valid_until_the_overlap_ends(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let hasher = app.authority.hasher();
        let old = client.secret.expose().clone();
        client.mint(&app).await;
        let new = credentials::rotate_secret(&app.ctx, hasher, SANDBOX, &client.id, DAY).await;
        let new = new.unwrap();
        pass_the_pulse(&app);
        let mint = async |secret: &str| {
            app.send(token_request(&app, &client, secret, &client.key)).await.status
        };
        assert_eq!((mint(&old).await, mint(new.expose()).await), (200, 200));
        app.hands.advance(DAY);
        assert_eq!((mint(&old).await, mint(new.expose()).await), (401, 200));
        // For the day a secret is stolen: no overlap at all.
        let newest =
            credentials::rotate_secret(&app.ctx, hasher, SANDBOX, &client.id, Duration::ZERO).await;
        pass_the_pulse(&app);
        let newest = newest.unwrap();
        assert_eq!((mint(new.expose()).await, mint(newest.expose()).await), (401, 200));
        app.stop().await;
    }

    async fn keys_are_added_and_retired_one_by_one(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let secret = client.secret.expose().clone();
        let second = ProofKey::make(&app.ctx.random, KeyKind::Ed25519);
        let mint = async |key: &ProofKey| {
            let answer = app.send(token_request(&app, &client, &secret, key)).await;
            answer.json()["access_token"].as_str().map(str::to_owned)
        };
        assert_eq!(mint(&second).await, None, "a secret without a registered key mints nothing");
        credentials::add_key(&app.ctx, &client.id, &second.jwk, Possession::Vouched).await.unwrap();
        pass_the_pulse(&app);
        let token = mint(&second).await.unwrap();
        let call = async |key: &ProofKey, token: &str| {
            let request = Request::get("/v1/credential")
                .header("Authorization", format!("DPoP {token}"))
                .header("DPoP", key.proof(&app, "GET", "/v1/credential", Some(token)));
            app.send(request).await.status
        };
        assert_eq!(call(&second, &token).await, 200);
        assert_eq!(call(&client.key, &token).await, 401, "a token is bound to its own key");
        credentials::revoke_key(&app.ctx, &client.id, &second.jkt).await.unwrap();
        pass_the_pulse(&app);
        assert_eq!(call(&second, &token).await, 401);
        assert_eq!(mint(&second).await, None);
        assert!(mint(&client.key).await.is_some());
        let gone = credentials::revoke_key(&app.ctx, &client.id, &second.jkt).await.unwrap_err();
        assert_eq!(gone.code(), Code::NotFound);
        app.stop().await;
    }

    async fn a_credential_has_at_most_twenty_active_keys(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let add = async || {
            let key = ProofKey::make(&app.ctx.random, KeyKind::Ed25519);
            credentials::add_key(&app.ctx, &client.id, &key.jwk, Possession::Vouched).await
        };
        for _ in 1..20 {
            add().await.unwrap();
        }
        assert_eq!(add().await.unwrap_err().code(), Code::InvalidState);
        credentials::revoke_key(&app.ctx, &client.id, &client.key.jkt).await.unwrap();
        add().await.unwrap();
        app.stop().await;
    }

    async fn a_credential_works_only_from_its_addresses(db: TestDb) {
        let app = TestApp::with(&db, |config| {
            config.http.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await;
        let client = app.client("payouts:read").await;
        let key = ProofKey::make(&app.ctx.random, KeyKind::P256);
        let mut wish = wish(&client, &key);
        wish.addresses = vec!["203.0.113.0/24".parse().unwrap()];
        let made = register(&app, &wish, Possession::Vouched).await.unwrap();
        let listed = Client { id: made.credential.client_id, secret: made.secret, key, ..client };
        let from = |request: Request, address: &str| request.header("X-Forwarded-For", address);
        let inside = from(listed.token_request(&app), "203.0.113.9");
        let outside = from(listed.token_request(&app), "198.51.100.9");
        let refused = app.send(outside).await.expect_status(401);
        assert_eq!(refused.json()["error"], "invalid_client");
        let token = app.send(inside).await.expect_status(200).json()["access_token"].clone();
        let token = token.as_str().unwrap();
        for (address, status) in [("203.0.113.77", 200), ("198.51.100.9", 403)] {
            let request = from(Request::get("/v1/credential"), address);
            let answer = listed.send(&app, token, "GET", "/v1/credential", request).await;
            answer.expect_status(status);
        }
        app.stop().await;
    }

    async fn secrets_rest_as_argon2id_only(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let stored = credentials::load(&app.ctx, &client.id).await.unwrap().unwrap().secrets;
        assert!(stored[0].hash.starts_with("$argon2id$"), "{}", stored[0].hash);
        assert!(!stored[0].hash.contains(client.secret.expose().as_str()));
        app.stop().await;
    }

    async fn auditors_find_a_key_that_was_changed_behind_our_back(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let other = app.client("payouts:read").await;
        let (looked_at, faults) = credentials::verify(&app.ctx).await.unwrap();
        assert_eq!((looked_at, faults), (2, Vec::new()));
        let jwk = serde_json::to_string(&other.key.jwk).unwrap();
        let update = "UPDATE credential_keys SET jwk = $1 WHERE jkt = $2";
        let merchant = client.merchant;
        counterfoil::db::write!(app.ctx.db, merchant, |tx| {
            Ok(counterfoil::db::exec!(tx, update, &jwk, client.key.jkt.as_str())?)
        })
        .unwrap();
        let (_, faults) = credentials::verify(&app.ctx).await.unwrap();
        assert!(faults.len() == 1 && faults[0].contains("another key"), "{faults:?}");
        app.stop().await;
    }
}
