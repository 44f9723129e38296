//! The proof explainer: it says what the guard says, and changes nothing.

use std::time::Duration;

use counterfoil::oauth::{
    jose::{KeyKind, TokenHash},
    scopes::Scopes,
};
use serde_json::json;

use super::{
    Shop,
    visitor::{Visitor, between},
};
use crate::support::{
    app::TestApp,
    both::both,
    client::{Client, ProofKey, claims},
    http::Request,
};

const PAGE: &str = "/portal/proofs";

async fn explained(visitor: &mut Visitor<'_>, fields: &[(&str, &str)]) -> String {
    visitor.post(PAGE, fields).await.expect_status(200).text()
}

/// The badge of one check.
fn badge(page: &str, check: &str) -> String {
    let line = between(page, &format!("<li><code>{check}</code>"), "</li>");
    let line = line.unwrap_or_else(|| panic!("{check} is not on {page}"));
    between(&line, "\">", "</span>").unwrap()
}

/// What a request with this proof is told by the guard.
async fn refusal(app: &TestApp, proof: &str, token: &str) -> String {
    let request = Request::get("/v1/credential").header("Authorization", format!("DPoP {token}"));
    let answer = app.send(request.header("DPoP", proof)).await.expect_status(401);
    answer.header("WWW-Authenticate").unwrap().to_owned()
}

async fn shop_with_client(app: &TestApp) -> (Shop, Client) {
    let shop = Shop::open(app).await;
    let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
    (shop, client)
}

both! {
    async fn the_explainer_names_what_the_refusal_names(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (shop, client) = shop_with_client(&app).await;
        let mut visitor = shop.owner(&app).await;
        let token = client.mint(&app).await;
        let good = claims(&app, "GET", "/v1/credential", Some(&token));
        let url = format!("{}/v1/credential", app.base);
        for (member, value) in [
            ("htm", json!("POST")),
            ("htu", json!(format!("{}/v1/balances", app.base))),
            ("htu", json!("credential")),
            ("iat", json!("now")),
            ("iat", json!(1)),
            ("exp", json!(1)),
            ("nbf", json!(99_999_999_999_i64)),
            ("jti", json!("")),
            ("ath", json!("x")),
            ("nonce", json!(7)),
        ] {
            let mut bad = good.clone();
            bad[member] = value;
            let proof = client.key.sign(&bad);
            let told = refusal(&app, &proof, &token).await;
            let description = between(&told, "error_description=\"", "\"").unwrap();
            let sent_at = app.ctx.now().to_string();
            let fields = [("proof", &*proof), ("method", "GET"), ("url", &url), ("token", &token), ("sent_at", &sent_at)];
            let page = explained(&mut visitor, &fields).await;
            assert!(page.contains(&description), "{member}: {description}: {page}");
            assert_eq!(badge(&page, member), "wrong");
            assert!(page.contains("One thing is wrong"), "{member}: {page}");
            assert_eq!(badge(&page, "signature"), "right", "{member}");
            for secret in [&token, &proof] {
                assert!(!page.contains(secret.as_str()), "{member}: it is not shown again");
            }
        }
        app.stop().await;
    }

    async fn nothing_is_used_up_and_a_use_is_told_to_its_owner_alone(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (shop, client) = shop_with_client(&app).await;
        let (mut owner, mut stranger) =
            (shop.owner(&app).await, Shop::named(&app, "Other").await.owner(&app).await);
        let token = client.mint(&app).await;
        let proof = client.key.proof(&app, "GET", "/v1/credential", Some(&token));
        let hash = TokenHash::of(&token);
        let url = format!("{}/v1/credential", app.base);
        let line = format!("DPoP: {proof}");
        let fields =
            [("proof", &*line), ("method", "GET"), ("url", &url), ("token", hash.as_str())];
        for _ in 0..2 {
            let page = explained(&mut owner, &fields).await;
            assert!(page.contains("Nothing is wrong with this proof"), "{page}");
            assert_eq!(badge(&page, "key"), "right");
            assert!(page.contains(client.id.as_str()));
        }
        let request = Request::get("/v1/credential").header("Authorization", format!("DPoP {token}"));
        app.send(request.header("DPoP", &proof)).await.expect_status(200);
        let page = explained(&mut owner, &fields).await;
        assert_eq!(badge(&page, "jti"), "wrong");
        assert!(page.contains("this jti was used before"), "{page}");
        let page = explained(&mut stranger, &fields).await;
        assert_eq!((badge(&page, "jti"), badge(&page, "key")), ("right".to_owned(), "wrong".to_owned()));
        assert!(page.contains("not registered with you"), "{page}");
        assert!(!page.contains(client.id.as_str()) && !page.contains("was used before"), "{page}");
        let strange = ProofKey::make(&app.ctx.random, KeyKind::Ed25519);
        let unknown = strange.proof(&app, "GET", "/v1/credential", Some(&token));
        let nobodys = explained(&mut stranger, &[("proof", &unknown)]).await;
        let without_jkt = |page: &str, jkt: &str| between(page, "<li><code>key", "</li>").unwrap().replace(jkt, "");
        let theirs = explained(&mut stranger, &[("proof", &proof)]).await;
        let (a, b) = (without_jkt(&nobodys, strange.jkt.as_str()), without_jkt(&theirs, client.key.jkt.as_str()));
        assert_eq!(a, b, "a key of another merchant looks like nobody's");
        app.stop().await;
    }

    async fn what_was_not_told_is_left_open(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (shop, client) = shop_with_client(&app).await;
        let mut visitor = shop.owner(&app).await;
        let proof = client.key.proof(&app, "GET", "/v1/credential", Some("a token"));
        app.hands.advance(Duration::from_mins(10));
        let page = explained(&mut visitor, &[("proof", &proof)]).await;
        for check in ["htm", "htu", "iat", "ath"] {
            assert_eq!(badge(&page, check), "not told", "{check}");
        }
        assert!(page.contains("600 s earlier") && !page.contains("The refusal says"), "{page}");
        let sent_at = app.ctx.now().unix_seconds().to_string();
        let late = explained(&mut visitor, &[("proof", &proof), ("sent_at", &sent_at)]).await;
        assert_eq!(badge(&late, "iat"), "wrong");
        let elsewhere = [("proof", &*proof), ("url", "https://proxy.internal/v1/credential")];
        let page = explained(&mut visitor, &elsewhere).await;
        assert_eq!(badge(&page, "htu"), "right", "as the guard: its own address and this path");
        assert!(page.contains("not one of this server"), "{page}");
        let at_token = client.key.proof(&app, "POST", "/oauth/token", None);
        let page = explained(&mut visitor, &[("proof", &at_token)]).await;
        assert_eq!(badge(&page, "ath"), "right", "no token there yet");
        app.stop().await;
    }

    async fn a_retired_key_and_a_private_one_are_told_apart(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (shop, client) = shop_with_client(&app).await;
        let mut visitor = shop.owner(&app).await;
        let path = format!("/portal/credentials/{}/revoke", client.id);
        let proof = client.key.proof(&app, "POST", "/oauth/token", None);
        visitor.post(&path, &[]).await.expect_status(303);
        let page = explained(&mut visitor, &[("proof", &proof)]).await;
        assert_eq!(badge(&page, "key"), "wrong");
        assert!(page.contains("which was revoked at"), "{page}");
        let mut jwk = serde_json::to_value(client.key.jwk).unwrap();
        jwk["d"] = json!("c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYzE");
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk });
        let leaked = client.key.sign_as(&header, &claims(&app, "GET", "/v1/x", None));
        let page = explained(&mut visitor, &[("proof", &leaked)]).await;
        assert!(page.contains("not secret any more") && !page.contains("c2VjcmV0"), "{page}");
        app.stop().await;
    }

    async fn garbage_is_explained_and_what_was_typed_is_kept(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut visitor = shop.owner(&app).await;
        let long = "a".repeat(5000);
        for (proof, told) in [
            ("x", "three parts"),
            ("a.b.c.d", "three parts"),
            ("e30=.e30.AA", "canonical base64url"),
            ("e30.W10.AA", "is not a JSON object"),
            (&*long, "longer than 4096 bytes"),
        ] {
            let page = explained(&mut visitor, &[("proof", proof)]).await;
            assert!(page.contains(told), "{proof}: {page}");
            assert!(page.contains("The refusal says"), "{proof}");
        }
        let fields = [("proof", " "), ("method", "po st"), ("url", "pay.example"), ("sent_at", "noon")];
        let page = visitor.post(PAGE, &fields).await.expect_status(422).text();
        for kept in ["value=\"po st\"", "value=\"pay.example\"", "value=\"noon\"", "proof-fault\">"] {
            assert!(page.contains(kept), "{kept}: {page}");
        }
        let token = visitor.form_token.clone();
        let fields = [("csrf", &*token), ("proof", "x")];
        for _ in 0..60 {
            visitor.send(Request::post(PAGE).form(&fields)).await;
        }
        visitor.post(PAGE, &[("proof", "x")]).await.expect_status(429);
        app.stop().await;
    }
}
