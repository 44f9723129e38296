//! `counterfoil call`, against a real server.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use counterfoil::{
    base::clock::Clock,
    config::{Config, NonceMode},
};
use serde_json::Value;

use super::{counterfoil, done, home, json};
use crate::support::{
    app::{START, TestApp},
    both::{TestDb, both},
    scratch,
};

/// A server by the machine's clock, because the command has no other.
async fn server(db: &TestDb, change: impl FnOnce(&mut Config)) -> TestApp {
    let (_, hands) = Clock::hand_wound(START);
    TestApp::at(db, Clock::system(), hands, scratch::directory("keys"), change).await
}

/// A folder with a credential and its profile, made as the documentation says.
struct Integrator {
    home: PathBuf,
    client_id: String,
}

impl Integrator {
    async fn new(app: &TestApp, db: &TestDb, more: &str) -> Self {
        let home = home();
        let settings = format!("database_url = \"{}\"\npublic_url = \"{}\"", db.url, app.base);
        fs::write(home.join("counterfoil.toml"), settings).unwrap();
        let integrator = Self { home, client_id: String::new() };
        let line = "merchant create --name Shop --email owner@shop.example --json";
        let merchant = json(&integrator.run(line).await.stdout);
        let merchant = merchant["merchant_id"].as_str().unwrap();
        let line = format!(
            "credential register --merchant {merchant} --generate es256 --private-key-out shop.pem \
             --profile-out counterfoil-profile.toml --json{more}"
        );
        let made = integrator.run(&line).await;
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        let client_id = json(&made.stdout)["client_id"].as_str().unwrap().to_owned();
        Self { client_id, ..integrator }
    }

    /// Away from the threads that serve the request.
    async fn run(&self, line: &str) -> Output {
        let (home, line) = (self.home.clone(), line.to_owned());
        tokio::task::spawn_blocking(move || counterfoil(&home, &line, &[])).await.unwrap()
    }

    async fn call(&self, line: &str, exit: i32) -> Value {
        let output = self.run(&format!("call {line} --json")).await;
        assert_eq!(output.status.code(), Some(exit), "{output:?}");
        json(&output.stdout)
    }
}

both! {
    async fn the_first_call_is_two_commands(db: TestDb) {
        let app = server(&db, |_| ()).await;
        let shop = Integrator::new(&app, &db, " --scope pricing:read").await;
        let answer = shop.call("GET /v1/credential?why=not", 0).await;
        assert_eq!(answer["status"], 200);
        assert_eq!(answer["body"]["client_id"], shop.client_id.as_str());
        assert_eq!(answer["body"]["scopes"], serde_json::json!(["pricing:read"]));
        assert!(answer["headers"]["x-request-id"].as_str().unwrap().starts_with("req_"));
        assert_eq!(answer.as_object().unwrap().len(), 3);

        let output = shop.run("call get /v1/credential").await;
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(shown.starts_with("HTTP/1.1 200 OK\n{\n  \"client_id\": \"ant_oc_"), "{shown}");
        app.stop().await;
    }

    async fn a_server_that_asks_for_nonces_is_answered(db: TestDb) {
        let app = server(&db, |config| config.oauth.nonce_mode = NonceMode::Required).await;
        let shop = Integrator::new(&app, &db, "").await;
        assert_eq!(shop.call("GET /v1/credential", 0).await["status"], 200);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_printed_and_told_by_the_exit_code() {
    let db = TestDb::sqlite().await;
    let app = server(&db, |_| ()).await;
    let shop = Integrator::new(&app, &db, "").await;
    let answer = shop.call("GET /v1/nothing", 1).await;
    assert_eq!(
        (&answer["status"], &answer["body"]["error"]["code"]),
        (&404.into(), &"not_found".into())
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_token_endpoint_says_is_passed_on() {
    let db = TestDb::sqlite().await;
    let app = server(&db, |_| ()).await;
    let shop = Integrator::new(&app, &db, "").await;
    let line = format!("credential revoke {} --json", shop.client_id);
    assert_eq!(shop.run(&line).await.status.code(), Some(0));
    let output = shop.run("call GET /v1/credential --json").await;
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let told = json(&output.stderr)["error"]["message"].as_str().unwrap().to_owned();
    assert!(told.contains("401 invalid_client"), "{told}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_narrowed_profile_asks_for_less() {
    let db = TestDb::sqlite().await;
    let app = server(&db, |_| ()).await;
    let shop = Integrator::new(&app, &db, "").await;
    let path = shop.home.join("counterfoil-profile.toml");
    let mut profile = fs::OpenOptions::new().append(true).open(path).unwrap();
    writeln!(profile, "scope = \"payouts:read\"").unwrap();
    let answer = shop.call("GET /v1/credential", 0).await;
    assert_eq!(answer["body"]["scopes"], serde_json::json!(["payouts:read"]));
    app.stop().await;
}

#[test]
fn a_profile_that_others_can_read_is_refused_with_the_remedy() {
    let home = home();
    let told = |line: &str| {
        let output = counterfoil(&home, line, &[]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let missing = told("call GET /v1/credential");
    assert!(missing.contains("--profile-out counterfoil-profile.toml"), "{missing}");

    let path = home.join("counterfoil-profile.toml");
    fs::write(&path, "base_url = \"http://127.0.0.1:1\"\nclient_secret = hunter2\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let open = told("call GET /v1/credential");
    assert!(open.contains("chmod 600 counterfoil-profile.toml"), "{open}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let broken = told("call GET /v1/credential");
    assert!(broken.contains("line 2") && !broken.contains("hunter2"), "{broken}");
}

#[test]
fn the_variable_names_another_profile_and_is_no_setting() {
    let home = home();
    let variable = [("COUNTERFOIL_PROFILE", "elsewhere.toml")];
    let output = counterfoil(&home, "call GET /v1/credential", &variable);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("no profile at elsewhere.toml"), "{told}");
}

/// A profile with a key of its own for a server that is not there.
fn stranded() -> PathBuf {
    let home = home();
    let merchant = done(&home, "merchant create --name Shop --email owner@shop.example");
    let line = format!(
        "credential register --merchant {} --generate ed25519 --private-key-out k.pem \
         --profile-out counterfoil-profile.toml --public-url http://127.0.0.1:1",
        merchant["merchant_id"].as_str().unwrap()
    );
    done(&home, &line);
    home
}

#[test]
fn a_path_that_is_none_never_leaves_and_a_dead_server_is_named() {
    let home = stranded();
    let told = |path: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        let output = command
            .args(["call", "POST", path, "--data", "-"])
            .current_dir(&home)
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for path in ["v1/credential", "https://elsewhere.example/v1", "@elsewhere.example/"] {
        assert!(told(path).contains("must start with a slash"), "{path}");
    }
    let dead = told("//elsewhere.example/v1");
    assert!(dead.contains("http://127.0.0.1:1 cannot be reached"), "{dead}");
}
