//! Nonces, where they are switched on.

use std::time::Duration;

use counterfoil::{config::NonceMode, oauth::dpop::nonce::is_nonce_text};
use serde_json::{Value, json};

use super::{ROUTE, denied, protected, refused};
use crate::support::{
    app::TestApp,
    both::TestDb,
    client::{Client, claims},
    http::{Request, Response},
};

const ASKED: &str = "use_dpop_nonce";

async fn asking_for_nonces(db: &TestDb) -> TestApp {
    TestApp::with(db, |config| config.oauth.nonce_mode = NonceMode::Required).await
}

/// A token request whose proof has this nonce, at this distance from the right time.
fn with_nonce(app: &TestApp, client: &Client, nonce: &Value, skew: i64) -> Request {
    let mut claims = claims(app, "POST", "/oauth/token", None);
    claims["nonce"] = nonce.clone();
    claims["iat"] = json!(app.ctx.now().unix_seconds() + skew);
    Request::post("/oauth/token")
        .header("Authorization", client.basic())
        .header("DPoP", client.key.sign(&claims))
        .form(&[("grant_type", "client_credentials")])
}

fn handed_out(answer: &Response) -> String {
    let nonce = answer.header("DPoP-Nonce").expect("one nonce is handed out").to_owned();
    assert!(is_nonce_text(&nonce), "{nonce}");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    nonce
}

/// A token, by the way a client learns the nonce.
async fn mint(app: &TestApp, client: &Client) -> (String, String) {
    let asked = app.send(client.token_request(app)).await;
    let nonce = handed_out(&asked);
    denied(asked, 400, ASKED);
    let answer = app.send(with_nonce(app, client, &json!(nonce), 0)).await.expect_status(200);
    assert_eq!(answer.header("DPoP-Nonce"), None, "the one in hand is still the newest");
    (answer.json()["access_token"].as_str().unwrap().to_owned(), nonce)
}

cases! {
    sqlite ["P75", "P76", "P83"]
    async fn a_nonce_is_asked_for_and_used(db: TestDb) {
        let app = asking_for_nonces(&db).await;
        let client = app.client("payouts:read").await;
        mint(&app, &client).await;
        app.stop().await;
    }

    sqlite ["P77", "P82"]
    async fn a_nonce_ages(db: TestDb) {
        let app = asking_for_nonces(&db).await;
        let client = app.client("payouts:read").await;
        let (_, nonce) = mint(&app, &client).await;
        let nonce = json!(nonce);
        for _ in 0..2 {
            app.hands.advance(Duration::from_mins(1));
            let old = app.send(with_nonce(&app, &client, &nonce, 0)).await.expect_status(200);
            assert_ne!(handed_out(&old), nonce.as_str().unwrap(), "the next one comes with it");
        }
        app.hands.advance(Duration::from_mins(1));
        let beyond = app.send(with_nonce(&app, &client, &nonce, 0)).await;
        let fresh = handed_out(&beyond);
        denied(beyond, 400, ASKED);
        app.send(with_nonce(&app, &client, &json!(fresh), 0)).await.expect_status(200);
        app.stop().await;
    }

    sqlite ["P78", "R44"]
    async fn the_two_sides_have_nonces_of_their_own(db: TestDb) {
        let app = asking_for_nonces(&db).await;
        let client = app.client("payouts:read").await;
        let (token, nonce) = mint(&app, &client).await;
        let with = |nonce: Option<&str>| {
            let mut claims = claims(&app, "GET", ROUTE, Some(&token));
            if let Some(nonce) = nonce {
                claims["nonce"] = json!(nonce);
            }
            protected(&token, &client.key.sign(&claims))
        };
        let asked = app.send(with(None)).await;
        let theirs = handed_out(&asked);
        refused(asked, 401, ASKED);
        refused(app.send(with(Some(&nonce))).await, 401, ASKED);
        app.send(with(Some(&theirs))).await.expect_status(200);
        let elsewhere = TestDb::sqlite().await;
        let other = asking_for_nonces(&elsewhere).await;
        let stranger = other.client("payouts:read").await;
        let foreign = handed_out(&other.send(stranger.token_request(&other)).await);
        for bad in ["garbage", "", "eyJ7S_zG.eyJH0-Z.HX4w-7v", &theirs, &foreign] {
            let answer = app.send(with_nonce(&app, &client, &json!(bad), 0)).await;
            handed_out(&answer);
            denied(answer, 400, ASKED);
        }
        app.send(with_nonce(&app, &client, &json!(nonce), 0)).await.expect_status(200);
        other.stop().await;
        app.stop().await;
    }

    sqlite ["P81"]
    async fn a_nonce_stands_in_for_a_wrong_clock(db: TestDb) {
        drop(db);
        for mode in [NonceMode::Required, NonceMode::OnClockSkew] {
            let db = TestDb::sqlite().await;
            let app = TestApp::with(&db, |config| config.oauth.nonce_mode = mode).await;
            let client = app.client("payouts:read").await;
            for hour in [-3_600, 3_600] {
                let asked = app.send(with_nonce(&app, &client, &json!("x"), hour)).await;
                let nonce = handed_out(&asked);
                denied(asked, 400, ASKED);
                let answer = app.send(with_nonce(&app, &client, &json!(nonce), hour)).await;
                answer.expect_status(200);
            }
            if mode == NonceMode::OnClockSkew {
                // Whoever has the time needs no nonce.
                app.send(client.token_request(&app)).await.expect_status(200);
                // Whoever copied a proof of a caller ahead of time waits until its iat has come. The
                // record has forgotten it by then; the nonce in it has not.
                let asked = app.send(with_nonce(&app, &client, &json!("x"), 3_600)).await;
                let copied = with_nonce(&app, &client, &json!(handed_out(&asked)), 3_600);
                app.send(copied.clone()).await.expect_status(200);
                app.hands.advance(Duration::from_hours(1));
                let again = app.send(copied).await;
                handed_out(&again);
                denied(again, 400, ASKED);
            }
            app.stop().await;
        }
    }
}
