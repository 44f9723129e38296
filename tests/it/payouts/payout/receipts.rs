//! What a receipt says, who can check it, and what is not believed.

use std::{collections::BTreeMap, time::Duration};

use counterfoil::{
    client::receipt::{Jwks, Receipt},
    oauth::{
        jose::{KeyKind, base64url},
        scopes::Scopes,
    },
};
use serde_json::{Value, json};

use super::{IBAN, PATH, Shop};
use crate::support::{app::TestApp, both::both, client::ProofKey, http::Request};

async fn receipt(shop: &Shop<'_>, id: &str) -> String {
    let answer = shop.get(&format!("{PATH}/{id}/receipt")).await;
    assert_eq!(answer["payout_id"], id);
    answer["receipt"].as_str().unwrap().to_owned()
}

async fn keys(app: &TestApp) -> Jwks {
    let jwks = app.send(Request::new("GET", "/.well-known/jwks.json")).await.expect_status(200);
    Jwks::read(jwks.json().to_string().as_bytes()).unwrap()
}

fn payload(jws: &str) -> String {
    String::from_utf8(base64url::decode(jws.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// The same document with its members in order, as any other program would write it.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.iter().collect();
            let member =
                |(name, value): (&String, &Value)| format!("{}:{}", json!(name), sorted(value));
            format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(","))
        }
        Value::Number(_) => panic!("a receipt has no numbers: {value}"),
        plain => plain.to_string(),
    }
}

fn refused(text: &str, keys: &Jwks) -> String {
    Receipt::verify(text, keys).unwrap_err().message().to_owned()
}

both! {
    async fn a_receipt_tells_the_whole_story_and_its_signature_fits(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let id = shop.paid("one", "100.00", &json!({ "reference": "bill 7" })).await;
        let keys = keys(&app).await;
        let early = Receipt::verify(&receipt(&shop, &id).await, &keys).unwrap();
        assert_eq!((&early.says["status"], &early.says["final"]), (&json!("created"), &json!(false)));
        assert_eq!(early.says.get("rail_reference"), None);
        shop.let_go().await;

        let jws = receipt(&shop, &id).await;
        assert_eq!(jws, jws.trim());
        let receipt = Receipt::verify(&jws, &keys).unwrap();
        assert!(receipt.quote_verified);
        let says = &receipt.says;
        let payout = shop.payout(&id).await;
        for name in [
            "status", "merchant_id", "beneficiary_id", "source_amount", "source_currency", "dest_amount",
            "dest_currency", "fee", "fee_currency", "fee_bearer", "method", "rail_type", "rail_provider",
            "rail_reference", "created_at", "reference",
        ] {
            assert_eq!(says[name], payout[name], "{name}");
        }
        assert_eq!((&says["payout_id"], &says["final"]), (&json!(id), &json!(true)));
        assert_eq!(says["issued_at"], app.ctx.now().to_string());
        assert_eq!(says["instrument"]["masked_account"], "DE89****3000");
        assert_eq!(says["instrument"]["instrument_id"], payout["instrument_id"]);
        let quote = shop.get(&format!("/v1/pricing/quotes/{}", payout["quote_id"].as_str().unwrap())).await;
        for name in ["offer", "quote_id", "quote_signature"] {
            assert_eq!(says["quote"][name], quote[name], "{name}");
        }
        let steps = says["timeline"].as_array().unwrap();
        let way: Vec<_> = steps.iter().map(|step| step["to"].as_str().unwrap()).collect();
        assert_eq!(way, shop.way(&id).await);
        let actors: Vec<_> = steps.iter().map(|step| step["actor"].as_str().unwrap()).collect();
        assert_eq!(actors, ["client", "house", "house", "house", "rail", "rail"]);
        assert_eq!((&steps[0]["number"], steps[0].get("from")), (&json!("1"), None));
        assert_eq!(steps[1]["from"], "created");
        let written = payload(&jws);
        for secret in [IBAN, "Lovelace", shop.client.id.as_str(), "handed", "checks have"] {
            assert!(!written.contains(secret), "{secret} in {written}");
        }
        app.stop().await;
    }

    async fn the_same_facts_are_the_same_bytes(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let id = shop.paid("one", "100.00", &json!({ "reference": "Grüße \"7\" \\ €" })).await;
        let (one, two) = (receipt(&shop, &id).await, receipt(&shop, &id).await);
        assert_eq!(payload(&one), payload(&two));
        assert_eq!(payload(&one), sorted(&serde_json::from_str(&payload(&one)).unwrap()));
        app.hands.advance(Duration::from_secs(1));
        assert_ne!(payload(&one), payload(&receipt(&shop, &id).await));
        app.stop().await;
    }

    async fn it_is_final_at_an_end_only(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let keys = keys(&app).await;
        for (reference, status, end) in [
            ("sandbox:screening_hit", "screening_failed", true),
            ("sandbox:velocity_blocked", "velocity_blocked", true),
            ("sandbox:engine_review", "pending_engine_review", false),
            ("sandbox:manual_review", "manual_review", false),
            ("sandbox:approval", "pending_approval", false),
            ("sandbox:refused", "failed", true),
            ("sandbox:returned", "returned", true),
            ("sandbox:delayed", "sent", false),
            ("sandbox:late_return", "completed", true),
        ] {
            let id = shop.paid(reference, "1.00", &json!({ "reference": reference })).await;
            shop.let_go().await;
            let says = Receipt::verify(&receipt(&shop, &id).await, &keys).unwrap().says;
            assert_eq!((&says["status"], &says["final"]), (&json!(status), &json!(end)), "{reference}");
        }
        app.stop().await;
    }

    async fn what_was_accepted_is_carried_out_and_receipted_although_the_account_was_deleted(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let id = shop.paid("one", "100.00", &json!({})).await;
        let path = format!("/v1/instruments/{}", shop.account);
        shop.client.call(&app, &shop.token, "DELETE", &path).await.expect_status(204);
        shop.let_go().await;
        assert_eq!(shop.status(&id).await, "completed");
        let says = Receipt::verify(&receipt(&shop, &id).await, &keys(&app).await).unwrap().says;
        assert_eq!(says["instrument"]["masked_account"], "DE89****3000");
        app.stop().await;
    }

    async fn receipts_are_for_the_merchant_that_may_read_payouts(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let path = format!("{PATH}/{}/receipt", shop.paid("one", "1.00", &json!({})).await);
        let stranger = app.client("payouts:read").await;
        let token = stranger.mint(&app).await;
        stranger.get(&app, &token, &path).await.expect_status(404);
        let scopes: Scopes = "payouts:write pricing:read".parse().unwrap();
        let narrow = app.client_of(shop.client.merchant, KeyKind::P256, scopes).await;
        let token = narrow.mint(&app).await;
        narrow.get(&app, &token, &path).await.expect_status(403);
        app.stop().await;
    }

    async fn nothing_else_passes_for_a_receipt(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let id = shop.paid("one", "100.00", &json!({})).await;
        let (jws, published) = (receipt(&shop, &id).await, keys(&app).await);
        let [header, _, signature] = jws.split('.').collect::<Vec<_>>()[..] else { panic!("{jws}") };

        let richer = base64url::encode(payload(&jws).replace("100.00", "900.00"));
        let wrong = "the signature is wrong";
        assert!(refused(&format!("{header}.{richer}.{signature}"), &published).starts_with(wrong));
        // An access token is signed by the same key.
        assert!(refused(&shop.token, &published).contains("its type is not receipt+jws"));
        let thief = ProofKey::make(&app.ctx.random, KeyKind::P256);
        let told: Value = serde_json::from_str(&payload(&jws)).unwrap();
        let head = |kid: &str| json!({ "typ": "receipt+jws", "alg": "ES256", "kid": kid });
        let kid = thief.jkt.to_string();
        let unknown = refused(&thief.sign_as(&head(&kid), &told), &published);
        assert!(unknown.contains(&kid) && unknown.contains("not in the JWKS"), "{unknown}");
        let ours = Receipt::verify(&jws, &published).unwrap().kid.to_string();
        assert!(refused(&thief.sign_as(&head(&ours), &told), &published).starts_with(wrong));
        let mut critical = head(&ours);
        critical["crit"] = json!(["exp"]);
        assert!(refused(&thief.sign_as(&critical, &told), &published).contains("asks for what nobody"));
        for nothing in ["", "{}", "hello", "a.b.c", r#"{"receipt": 7}"#, r#"{"receipt":"a","receipt":"b"}"#] {
            assert!(refused(nothing, &published).contains("no receipt in this file"), "{nothing}");
        }
        // Both envelopes in which it comes are read.
        for envelope in [json!({ "receipt": jws }), json!({ "status": 200, "body": { "receipt": jws } })] {
            Receipt::verify(&envelope.to_string(), &published).unwrap();
        }
        app.stop().await;
    }

    async fn a_receipt_outlives_the_key_of_its_quote_but_not_its_own(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let id = shop.paid("one", "100.00", &json!({})).await;
        let early = receipt(&shop, &id).await;
        let ring = app.authority.ring();
        ring.rotate(true).unwrap();
        app.hands.advance(Duration::from_hours(24));
        ring.refresh().unwrap();
        let keys = keys(&app).await;
        assert!(refused(&early, &keys).contains("the JWKS of the day"));
        let token = shop.client.mint(&app).await;
        let shop = Shop { token, ..shop };
        let late = Receipt::verify(&receipt(&shop, &id).await, &keys).unwrap();
        assert!(!late.quote_verified, "its key has gone");
        app.stop().await;
    }
}

#[test]
fn a_set_of_keys_is_read_with_care() {
    let said = |json: &str| Jwks::read(json.as_bytes()).unwrap_err().message().to_owned();
    for none in ["", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": [], "keys": []}"#] {
        assert!(said(none).contains("no JWKS"), "{none}");
    }
    let private = r#"{"keys": [{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}]}"#;
    assert!(said(private).contains("private key"));
    Jwks::read(br#"{"keys": [{"kty":"RSA","n":"AA","e":"AQAB"}]}"#).unwrap();
}

#[tokio::test]
async fn keys_are_not_fetched_where_somebody_could_swap_them() {
    let refused = Jwks::fetch("http://pay.example/jwks.json").await.unwrap_err();
    assert!(refused.message().contains("plain http"), "{refused:?}");
}
