//! The published keys and the two metadata documents.

use counterfoil::oauth::{
    jose::PublicJwk,
    keys::{JWKS_LIFE, LEAD},
    scopes::Scope,
};
use serde_json::{Value, json};

use super::{ROUTE, present, protected};
use crate::support::{app::TestApp, http::Request};

const JWKS: &str = "/.well-known/jwks.json";
const SERVER: &str = "/.well-known/oauth-authorization-server";
const RESOURCE: &str = "/.well-known/oauth-protected-resource";

cases! {
    sqlite ["J1", "J5"]
    async fn the_keys_are_public_and_named_by_their_thumbprint(db: TestDb) {
        let app = TestApp::start(&db).await;
        app.authority.ring().rotate(false).unwrap();
        let answer = app.send(Request::get(JWKS)).await.expect_status(200);
        assert_eq!(answer.header("Content-Type"), Some("application/jwk-set+json"));
        let keys = answer.json()["keys"].as_array().unwrap().clone();
        assert_eq!(keys.len(), 2);
        for key in keys {
            let mut names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
            assert_eq!((&key["use"], &key["alg"]), (&json!("sig"), &json!("ES256")));
            let public = PublicJwk::parse(key.to_string().as_bytes()).unwrap();
            assert_eq!(key["kid"], public.thumbprint().as_str());
        }
        app.stop().await;
    }

    sqlite ["J2"]
    async fn copies_of_the_keys_are_good_for_a_while(db: TestDb) {
        let app = TestApp::start(&db).await;
        let answer = app.send(Request::get(JWKS)).await.expect_status(200);
        let control = format!("public, max-age={}", JWKS_LIFE.as_secs());
        assert_eq!(answer.header("Cache-Control"), Some(control.as_str()));
        let etag = answer.header("ETag").unwrap().to_owned();
        let ask = async |tag: &str| app.send(Request::get(JWKS).header("If-None-Match", tag)).await;
        for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let answer = ask(&known).await.expect_status(304);
            assert_eq!(answer.header("ETag"), Some(etag.as_str()));
        }
        ask("\"x\"").await.expect_status(200);
        app.authority.ring().rotate(false).unwrap();
        assert_ne!(ask(&etag).await.expect_status(200).header("ETag"), Some(etag.as_str()));
        app.stop().await;
    }

    both ["J6"]
    async fn nobody_notices_a_rotation(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("payouts:read").await;
        let mut tokens = vec![client.mint(&app).await];
        for round in 0..30 {
            if round == 10 {
                app.authority.ring().rotate(false).unwrap();
            }
            // So that the new key takes over in the middle.
            app.hands.advance(LEAD / 10);
            tokens.push(client.mint(&app).await);
            let answers = tokens.iter().map(|token| present(&app, &client, token));
            for answer in futures_util::future::join_all(answers).await {
                answer.expect_status(200);
            }
        }
        let kids: std::collections::HashSet<_> =
            tokens.iter().map(|token| token.split('.').next().unwrap()).collect();
        assert_eq!(kids.len(), 2, "both keys signed");
        app.stop().await;
    }

    sqlite ["M1", "M4"]
    async fn the_server_describes_itself(db: TestDb) {
        let app = TestApp::start(&db).await;
        let told = app.send(Request::get(SERVER)).await.expect_status(200).json();
        let client = app.client("payouts:read").await;
        let token = client.mint(&app).await;
        assert_eq!(told["issuer"], super::tokens::claims_of(&token)["iss"]);
        for (name, path) in [
            ("token_endpoint", "/oauth/token"),
            ("jwks_uri", JWKS),
            ("revocation_endpoint", "/oauth/revoke"),
            ("introspection_endpoint", "/oauth/introspect"),
        ] {
            assert_eq!(told[name], app.url(path), "{name}");
        }
        assert_eq!(told["response_types_supported"], json!([]));
        assert_eq!(told["grant_types_supported"], json!(["client_credentials"]));
        let methods = json!(["client_secret_basic", "private_key_jwt"]);
        assert_eq!(told["token_endpoint_auth_methods_supported"], methods);
        let algs = json!(["ES256", "EdDSA", "Ed25519"]);
        assert_eq!(told["dpop_signing_alg_values_supported"], algs);
        assert_eq!(told["token_endpoint_auth_signing_alg_values_supported"], algs);
        assert_eq!(told["dpop_bound_access_tokens_required"], true);
        let scopes: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        assert_eq!(told["scopes_supported"], json!(scopes));
        app.stop().await;
    }

    sqlite ["M2"]
    async fn an_issuer_is_an_origin(db: TestDb) {
        drop(db);
        for issuer in ["https://as.example/tenant", "https://as.example?x", "https://u@as.example"] {
            assert_eq!(counterfoil::config::WebOrigin::parse(issuer), None, "{issuer}");
        }
    }

    sqlite ["M5", "M6"]
    async fn a_challenge_leads_to_the_resource_and_to_its_server(db: TestDb) {
        let app = TestApp::start(&db).await;
        for request in [Request::get(ROUTE), protected("x", "x")] {
            let answer = app.send(request).await.expect_status(401);
            let challenge = answer.header("WWW-Authenticate").unwrap();
            let (_, rest) = challenge.split_once("resource_metadata=\"").unwrap();
            let url = rest.split('"').next().unwrap();
            assert_eq!(url, app.url(RESOURCE));
        }
        let told = app.send(Request::get(RESOURCE)).await.expect_status(200).json();
        assert_eq!(told["resource"], app.base.as_str());
        assert_eq!(told["authorization_servers"], json!([app.base]));
        assert_eq!(told["bearer_methods_supported"], json!(["header"]));
        assert_eq!(told["dpop_signing_alg_values_supported"], json!(["ES256", "EdDSA", "Ed25519"]));
        assert_eq!(told["dpop_bound_access_tokens_required"], true);
        assert!(told["scopes_supported"].as_array().is_some_and(|scopes| !scopes.is_empty()));
        assert_eq!(told["jwks_uri"], Value::from(app.url(JWKS)));
        app.stop().await;
    }
}
