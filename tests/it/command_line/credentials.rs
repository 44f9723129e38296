//! `counterfoil credential`.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use counterfoil::{
    base::{clock::Clock, random::Random, secret::Secret},
    ctx::Ctx,
    oauth::{
        credentials::{self, ClientId},
        jose::{KeyKind, PublicJwk},
        keys::SigningKey,
        scopes::Scopes,
    },
};
use serde_json::{Value, json};

use super::{counterfoil, done, home, refused};
use crate::support::both::{TestDb, both};

fn merchant(home: &Path, database: &str) -> String {
    let line =
        format!("merchant create --name Shop --email owner@shop.example --database-url {database}");
    done(home, &line)["merchant_id"].as_str().unwrap().to_owned()
}

const DATABASE: &str = "sqlite://counterfoil.db";

fn start() -> (std::path::PathBuf, String) {
    let home = home();
    fs::write(home.join("counterfoil.toml"), format!("database_url = \"{DATABASE}\"")).unwrap();
    let merchant = merchant(&home, DATABASE);
    (home, merchant)
}

fn listed(home: &Path, merchant: &str) -> Value {
    done(home, &format!("credential list --merchant {merchant}"))["credentials"].clone()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

fn key_of(path: &Path) -> SigningKey {
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    let pem = fs::read_to_string(path).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    SigningKey::from_pem(&Secret::new(pem)).unwrap()
}

/// As the server does for a proof that was accepted. Gives the time.
async fn note_a_use(db: &TestDb, client: &str, jkt: &str) -> String {
    let (clock, random) = (Clock::system(), Random::system());
    let ctx = Ctx { db: db.open().await, clock, random };
    let id = ClientId::presented(client).unwrap();
    let credential = credentials::load(&ctx, &id).await.unwrap().unwrap().credential;
    credentials::mark_used(&ctx, &credential, &jkt.parse().unwrap()).await.unwrap();
    let uses = credentials::last_uses(&ctx, &credential).await.unwrap();
    ctx.db.close().await;
    uses.credential.unwrap().to_string()
}

both! {
    async fn a_credential_lives_from_registration_to_revocation(db: TestDb) {
        let home = home();
        let database = &db.url;
        let merchant = merchant(&home, database);
        let does = |line: &str| done(&home, &format!("{line} --database-url {database}"));
        let made = does(&format!(
            "credential register --merchant {merchant} --generate es256 --private-key-out a.pem"
        ));
        assert_eq!(made.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["client_id", "client_secret", "jkt"]);
        let client = text(&made, "client_id");
        assert_eq!(client.len(), "ant_oc_sandbox_".len() + 32);
        assert!(text(&made, "client_secret").starts_with("ant_ocs_sandbox_"));
        assert_eq!(key_of(&home.join("a.pem")).kid().as_str(), text(&made, "jkt"));

        let added = does(&format!(
            "credential add-key {client} --generate ed25519 --private-key-out b.pem"
        ));
        let rotated = does(&format!("credential rotate-secret {client}"));
        assert_ne!(rotated["client_secret"], made["client_secret"]);
        does(&format!("credential revoke-key {client} {}", text(&made, "jkt")));
        let list = does(&format!("credential list --merchant {merchant}"));
        let seen = &list["credentials"][0];
        assert_eq!((text(seen, "client_id"), text(seen, "status")), (client, "active"));
        assert_eq!(text(seen, "scopes"), Scopes::all().to_string());
        assert_eq!(seen["keys"].as_array().unwrap().len(), 2);
        assert!(seen["last_used_at"].is_null() && seen.get("last_used_at").is_some());
        let states: Vec<_> = seen["keys"].as_array().unwrap().iter()
            .map(|key| (text(key, "jkt"), text(key, "status"))).collect();
        assert!(states.contains(&(text(&made, "jkt"), "revoked")), "{states:?}");
        assert!(states.contains(&(text(&added, "jkt"), "active")), "{states:?}");

        let used = note_a_use(&db, client, text(&added, "jkt")).await;
        let list = does(&format!("credential list --merchant {merchant}"));
        let seen = &list["credentials"][0];
        assert_eq!(text(seen, "last_used_at"), used);
        for key in seen["keys"].as_array().unwrap() {
            let at = (key["jkt"] == added["jkt"]).then_some(used.as_str());
            assert_eq!(key["last_used_at"], json!(at));
        }
        let line = format!("credential list --merchant {merchant} --database-url {database}");
        let shown = counterfoil(&home, &line, &[]).stdout;
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert!(shown.contains(&format!("used    {used}")) && shown.contains("used never"), "{shown}");

        does(&format!("credential revoke {client}"));
        let list = does(&format!("credential list --merchant {merchant}"));
        assert_eq!(text(&list["credentials"][0], "status"), "revoked");
        let line = format!("credential rotate-secret {client} --database-url {database}");
        assert_eq!(refused(&home, &line)["code"], "invalid_state");
    }
}

#[test]
fn scopes_label_and_networks_are_kept() {
    let (home, merchant) = start();
    done(
        &home,
        &format!(
            "credential register --merchant {merchant} --generate ed25519 --private-key-out k.pem \
             --scope payouts:read pricing:read --scope pricing:quote --label till-4 \
             --ip 10.1.2.3/8 --ip 192.0.2.7"
        ),
    );
    let seen = &listed(&home, &merchant)[0];
    assert_eq!(text(seen, "scopes"), "pricing:read pricing:quote payouts:read");
    assert_eq!(text(seen, "label"), "till-4");
    assert_eq!(seen["networks"], json!(["10.0.0.0/8", "192.0.2.7/32"]));
}

#[test]
fn a_public_key_is_brought_along_and_a_private_one_is_refused() {
    let (home, merchant) = start();
    let pem = SigningKey::generate(KeyKind::P256, &Random::seeded(5)).unwrap();
    let key = SigningKey::from_pem(&pem).unwrap();
    let jwk: &PublicJwk = key.public().jwk();
    fs::write(home.join("public.json"), serde_json::to_vec(jwk).unwrap()).unwrap();
    let line = format!("credential register --merchant {merchant} --public-jwk");
    let made = done(&home, &format!("{line} public.json"));
    assert_eq!(text(&made, "jkt"), key.kid().as_str());
    let again = refused(&home, &format!("{line} public.json"));
    assert_eq!(again["code"], "already_exists", "one key, one credential");

    let mut private = serde_json::to_value(jwk).unwrap();
    private["d"] = json!("A".repeat(43));
    fs::write(home.join("private.json"), private.to_string()).unwrap();
    let error = refused(&home, &format!("{line} private.json"));
    assert_eq!(error["fields"][0]["field"], "public_jwk");
    let why = text(&error["fields"][0], "message");
    assert!(why.contains("private member") && !why.contains("AAAA"), "{why}");
    assert_eq!(listed(&home, &merchant).as_array().unwrap().len(), 1);
}

#[test]
fn no_file_is_overwritten_and_none_is_left_behind() {
    let (home, merchant) = start();
    fs::write(home.join("old.pem"), "the only copy").unwrap();
    let line = format!("credential register --merchant {merchant} --generate es256");
    let error = refused(&home, &format!("{line} --private-key-out old.pem --profile-out p.toml"));
    assert!(text(&error, "message").contains("name another file"), "{error}");
    assert_eq!(fs::read_to_string(home.join("old.pem")).unwrap(), "the only copy");
    assert!(!home.join("p.toml").exists() && listed(&home, &merchant) == json!([]));

    let nobody = merchant.replace(&merchant[merchant.len() - 4..], "0000");
    let line = format!("credential register --merchant {nobody} --generate es256");
    let error = refused(&home, &format!("{line} --private-key-out new.pem --profile-out p.toml"));
    assert_eq!(text(&error, "code"), "not_found");
    assert!(text(&error, "message").contains("merchant create"), "{error}");
    assert!(!home.join("new.pem").exists() && !home.join("p.toml").exists());
}

#[test]
fn half_a_wish_is_a_usage_error() {
    let (home, merchant) = start();
    let register = format!("credential register --merchant {merchant}");
    for line in [
        register.clone(),
        format!("{register} --generate es256"),
        format!("{register} --private-key-out k.pem"),
        format!("{register} --public-jwk k.json --generate es256 --private-key-out k.pem"),
        format!("{register} --public-jwk k.json --profile-out p.toml"),
        format!("{register} --public-jwk k.json --private-key-out k.pem"),
        format!("{register} --generate rsa --private-key-out k.pem"),
        format!("{register} --generate es256 --private-key-out k.pem --scope everything"),
        format!("{register} --generate es256 --private-key-out k.pem --ip example.com"),
        "credential register --merchant shop --generate es256 --private-key-out k.pem".to_owned(),
        "credential rotate-secret x --overlap 31d".to_owned(),
    ] {
        let output = counterfoil(&home, &line, &[]);
        assert_eq!(output.status.code(), Some(2), "{line}: {output:?}");
    }
    assert!(!home.join("k.pem").exists());
}

#[test]
fn what_is_not_there_is_named() {
    let (home, _) = start();
    for line in ["credential revoke ant_oc_x", "credential rotate-secret ant_oc_x"] {
        assert_eq!(refused(&home, line)["code"], "not_found", "{line}");
    }
    let error = refused(&home, "credential revoke-key ant_oc_x short");
    assert!(text(&error, "message").contains("43 letters"), "{error}");
}
