//! Clients that others wrote, unchanged, against a running server: a specification means what the
//! libraries of its readers do. The scripts are in `tests/clients/`.

mod webhooks;

use std::{fs, path::PathBuf};

use counterfoil::{
    config::{NonceMode, SigningAlg},
    oauth::{jose::KeyKind, scopes::Scopes},
};
use serde_json::{Value, json};
use tokio::task::block_in_place;

use crate::{
    payouts::shop::Shop,
    support::{app::TestApp, both::TestDb, client::Client, guarded::Program, scratch},
};

const MISSING: &str = "The client libraries of tests/clients are not installed, or not in these \
     versions: run `make test`, which installs what the tests need";
/// What `scripts/install-test-tools` leaves behind when it is done.
const INSTALLED: &str = concat!(
    include_str!("../../clients/package-lock.json"),
    include_str!("../../clients/requirements.txt"),
);

/// The scripts are linked into the folder of their libraries; Node would look for these where the link
/// points to.
const NODE_OPTIONS: &[&str] = &["--preserve-symlinks", "--preserve-symlinks-main"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oauth4webapi() {
    for setting in SETTINGS {
        let db = TestDb::sqlite().await;
        let (app, client) = setting.start(&db).await;
        let mut expected = whole_walk(&client);
        expected["validated"] = json!(client.id.as_str());
        assert_eq!(node("oauth4webapi.mjs", &app, &client, ""), expected, "{setting:?}");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openid_client() {
    for setting in SETTINGS {
        let db = TestDb::sqlite().await;
        let (app, client) = setting.start(&db).await;
        let seen = node("openid-client.mjs", &app, &client, "");
        assert_eq!(seen, whole_walk(&client), "{setting:?}");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_oauth2client() {
    for setting in SETTINGS {
        let db = TestDb::sqlite().await;
        let (app, client) = setting.start(&db).await;
        let python = installed().join("venv/bin/python");
        let seen = run(python, &[], "with_requests.py", &app, &client, "");
        assert_eq!(seen, whole_walk(&client), "{setting:?}");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jose_reads_our_tokens_with_the_jwks_alone() {
    for setting in SETTINGS {
        let db = TestDb::sqlite().await;
        let (app, client) = Setting { nonces: NonceMode::Off, ..setting }.start(&db).await;
        let token = client.mint(&app).await;
        let expected = json!({
            "alg": setting.token_alg,
            "names_its_key": true,
            "is_bound_to_our_key": true,
            "client_id": client.id.as_str(),
            "forged": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        });
        assert_eq!(node("jose.mjs", &app, &client, &token), expected, "{setting:?}");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jose_reads_our_receipts_with_the_jwks_alone() {
    for setting in SETTINGS {
        let db = TestDb::sqlite().await;
        let app = TestApp::with(&db, |config| config.oauth.signing_alg = setting.signing).await;
        let shop = Shop::open(&app, "1000.00").await;
        let id = shop.paid("one", "100.00", &json!({ "reference": "Grüße" })).await;
        shop.let_go().await;
        let receipt = shop.get(&format!("/v1/payouts/{id}/receipt")).await["receipt"].clone();
        let expected = json!({
            "alg": setting.token_alg,
            "typ": "receipt+jws",
            "names_its_key": true,
            "payout_id": id,
            "final": true,
            "spelled_the_same": true,
            "offer": "quote+jws",
            "forged": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        });
        let seen = node("receipt.mjs", &app, &shop.client, receipt.as_str().unwrap());
        assert_eq!(seen, expected, "{setting:?}");
        app.stop().await;
    }
}

/// What a client sees that does all it can.
fn whole_walk(client: &Client) -> Value {
    json!({
        "token_type": "dpop",
        "expires_in": 28_800,
        "client_id": client.id.as_str(),
        "jkt": client.key.jkt.as_str(),
        // The first token twice, then one that was had with `private_key_jwt`.
        "calls": [200, 200, 200],
        // At the token endpoint, then at the resource.
        "replays": [[400, "invalid_dpop_proof"], [401, "invalid_dpop_proof"]],
        // Introspected before revocation, then after.
        "active": [true, false],
        "revoked": [401, "invalid_token"],
    })
}

/// How a server and its client may differ in what a library notices.
#[derive(Clone, Copy, Debug)]
struct Setting {
    key: KeyKind,
    signing: SigningAlg,
    token_alg: &'static str,
    nonces: NonceMode,
}

const SETTINGS: [Setting; 2] = [
    Setting {
        key: KeyKind::P256,
        signing: SigningAlg::Es256,
        token_alg: "ES256",
        nonces: NonceMode::Off,
    },
    Setting {
        key: KeyKind::Ed25519,
        signing: SigningAlg::Ed25519,
        token_alg: "EdDSA",
        nonces: NonceMode::Required,
    },
];

impl Setting {
    async fn start(self, db: &TestDb) -> (TestApp, Client) {
        let app = TestApp::in_real_time(db, |config| {
            config.oauth.signing_alg = self.signing;
            config.oauth.nonce_mode = self.nonces;
        });
        let app = app.await;
        let client = app.client_with(self.key, Scopes::all()).await;
        (app, client)
    }
}

/// What a script for Node saw.
fn node(script: &str, app: &TestApp, client: &Client, token: &str) -> Value {
    run(PathBuf::from("node"), NODE_OPTIONS, script, app, client, token)
}

/// Starts a script and waits for its one line.
fn run(
    program: PathBuf,
    options: &[&str],
    script: &str,
    app: &TestApp,
    client: &Client,
    token: &str,
) -> Value {
    let program = Program::new(program, &scratch::directory("client"))
        .args(options)
        .arg(installed().join("scripts").join(script))
        .env("CLIENT_ISSUER", &app.base)
        .env("CLIENT_ID", client.id.as_str())
        .env("CLIENT_SECRET", client.secret.expose())
        .env("CLIENT_KEY", client.key.pem.expose())
        .env("CLIENT_TOKEN", token);
    // The server answers on the other threads meanwhile.
    let done = block_in_place(|| program.start("{\"saw\":"));
    let done = done.unwrap_or_else(|printed| panic!("{script} ended early: {printed}"));
    let line: Value = serde_json::from_str(&done.ready_line).expect("the line is JSON");
    line["saw"].clone()
}

/// Where the libraries are, in the versions that the lock files name.
pub(crate) fn installed() -> PathBuf {
    let place = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/clients"));
    let found = fs::read_to_string(place.join("installed")).unwrap_or_default();
    assert!(found == INSTALLED, "{MISSING}");
    place
}
