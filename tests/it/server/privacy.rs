//! Nothing secret is in any log, at any level.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use counterfoil::{
    base::{clock::Clock, environment::Environment, random::Random},
    ctx::Ctx,
    db::{Db, Options},
    oauth::{
        credentials::{self, NewCredential, Possession},
        jose::KeyKind,
        merchants::NewMerchant,
        scopes::Scopes,
        secrets::{Cost, Hasher},
    },
    portal::users,
};
use serde_json::{Value, json};

use crate::support::{
    client::{ProofKey, basic, claims_at},
    http::Request,
    scratch,
};

#[tokio::test]
async fn logs_at_the_loudest_level_hold_no_secret_token_proof_or_address() {
    let home = scratch::directory("privacy");
    let mut server = loud_server(&home);
    let greeting = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut listening =
        greeting.filter_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
    let address = listening.next().expect("the server says where it listens");
    let base = format!("http://{address}");

    let url = format!("sqlite://{}/data/counterfoil.db", home.display());
    let db = Db::connect(&url, &Options::default()).await.unwrap();
    let ctx = Ctx { db, clock: Clock::system(), random: Random::system() };
    let cost = Cost { memory_kib: 8, passes: 1, at_once: 1, queue: 10 };
    let hasher = Hasher::new(cost, &ctx.random).unwrap();
    let new = NewMerchant::check("Quiet Shop", "quiet.owner@shop.example").unwrap();
    let (merchant, password) = users::found(&ctx, &hasher, &new).await.unwrap();
    let key = ProofKey::make(&ctx.random, KeyKind::P256);
    let credential = NewCredential {
        merchant_id: merchant.id,
        label: "quiet".to_owned(),
        scopes: Scopes::all(),
        addresses: Vec::new(),
        key: key.jwk,
    };
    let made = credentials::register(
        &ctx,
        &hasher,
        Environment::Sandbox,
        &credential,
        Possession::Vouched,
    )
    .await
    .unwrap();
    let address = address.parse().unwrap();
    let mut spoken = vec![password.expose().clone(), made.secret.expose().clone()];
    let mut mint = async |secret: &str, grant: &str| -> Value {
        let proof = key.sign(&claims_at(&base, ctx.now(), "POST", "/oauth/token", None));
        let id = made.credential.client_id.as_str();
        let request = Request::post("/oauth/token")
            .header("Authorization", basic(id, secret))
            .header("DPoP", &proof)
            .form(&[("grant_type", grant)]);
        spoken.push(proof);
        request.send(address).await.json()
    };
    let secret = made.secret.expose();
    let token =
        mint(secret, "client_credentials").await["access_token"].as_str().unwrap().to_owned();
    mint("wrong-secret-of-somebody", "client_credentials").await;
    mint(secret, "password").await;
    spoken.push("wrong-secret-of-somebody".to_owned());
    for path in
        ["/v1/credential", "/v1/credential?access_token=leaked-in-a-url", "/v1/unknown-path"]
    {
        let proof = key.sign(&claims_at(
            &base,
            ctx.now(),
            "GET",
            path.split('?').next().unwrap(),
            Some(&token),
        ));
        let request = Request::get(path)
            .header("Authorization", format!("DPoP {token}"))
            .header("DPoP", &proof);
        request.send(address).await;
        spoken.push(proof);
    }
    let mut post = async |path: &str, body: &Value| -> Value {
        let proof = key.sign(&claims_at(&base, ctx.now(), "POST", path, Some(&token)));
        let request = Request::post(path)
            .header("Authorization", format!("DPoP {token}"))
            .header("DPoP", &proof)
            .header("Idempotency-Key", "quiet")
            .json(body);
        spoken.push(proof);
        request.send(address).await.json()
    };
    let made = post("/v1/beneficiaries", &quiet_person()).await;
    let instruments = format!("/v1/beneficiaries/{}/instruments", made["id"].as_str().unwrap());
    for pan in ["4000056655665556", "4000056655665557"] {
        let credentials = json!({ "pan": pan, "expiry_month": 7, "expiry_year": 2049 });
        let card = json!({ "method": "card", "credentials": credentials });
        let answer = post(&instruments, &card).await;
        // The clock is the machine's own: one of the two may be refused for its date as well.
        assert!(answer["id"].is_string() || answer["error"]["code"] == "invalid_credentials");
    }
    spoken.extend(PERSONAL.iter().map(|text| (*text).to_owned()));
    spoken.extend([token, "leaked-in-a-url".to_owned(), "quiet.owner@shop.example".to_owned()]);
    ctx.db.close().await;

    Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    let mut log = String::new();
    server.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    server.wait().unwrap();
    assert!(log.contains("A request was answered."), "the log is on: {log}");
    spoken.extend(lines_of_keys(&home));
    spoken.extend(["$argon2id$".to_owned(), "Basic ".to_owned()]);
    for secret in spoken {
        assert!(!log.contains(&secret), "the log holds {secret:.12}…");
    }
}

/// With its log at the level that says everything.
fn loud_server(home: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_counterfoil"))
        .args(["--listen", "127.0.0.1:0"])
        .current_dir(home)
        .env_clear()
        .env("COUNTERFOIL_LOG__FILTER", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The first lines of each private key.
fn lines_of_keys(home: &Path) -> Vec<String> {
    let files = std::fs::read_dir(home.join("keys")).unwrap().map(|file| file.unwrap().path());
    let pems = files.filter(|path| path.extension().is_some_and(|kind| kind == "pem"));
    let lines = |path: PathBuf| {
        let pem = std::fs::read_to_string(path).unwrap();
        pem.lines().skip(1).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    pems.flat_map(lines).collect()
}

const PERSONAL: &[&str] =
    &["quiet.person@mail", "+499990001112", "1907-05-09", "Stiller Weg", "400005665566"];

fn quiet_person() -> Value {
    json!({
        "type": "individual", "country": "DE",
        "individual": {
            "first_name": "Quiet", "last_name": "Person", "email": "quiet.person@mail.example",
            "phone": "+499990001112", "date_of_birth": "1907-05-09", "nationality": "DE",
            "address": {
                "street_line_1": "Stiller Weg 99", "city": "Ulm", "postal_code": "89073",
                "country": "DE",
            },
        },
    })
}
