//! `kill -9` under load, again and again: what was acknowledged is there, nothing is there by half,
//! and nothing is there twice.
//!
//! `make kill-test` runs 200 rounds on each database; a plain test run does a few.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use counterfoil::{
    base::{clock::Clock, environment::Environment, random::Random},
    ctx::Ctx,
    db::{self, Db, Options},
    oauth::{
        credentials::{self, NewCredential, Possession},
        jose::KeyKind,
        merchants::{self, NewMerchant},
        scopes::Scopes,
        secrets::{Cost, Hasher},
    },
};
use futures_util::future::join_all;
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::{
    both::{TestDb, both},
    client::{ProofKey, basic, claims_at},
    http::{Connection, Request},
    scratch,
};

const BASE: &str = "http://pay.example";
const CALLERS: usize = 8;
const QUOTE: &str = "/v1/pricing/quote";

/// The server that is killed, and everything that outlives it.
struct Victim {
    home: PathBuf,
    url: String,
    key: ProofKey,
    client: String,
    secret: String,
}

/// Each key that was sent, and the quote that was acknowledged for it, if one was.
type Sent = Mutex<BTreeMap<String, Option<String>>>;

#[expect(clippy::disallowed_methods, reason = "how long to go on is for whoever runs it to say")]
fn rounds() -> u64 {
    let asked = std::env::var("COUNTERFOIL_KILL_ROUNDS").ok();
    asked.map_or(5, |text| text.parse().expect("COUNTERFOIL_KILL_ROUNDS is a number"))
}

impl Victim {
    async fn register(test: &TestDb) -> Self {
        let ctx = open(&test.url).await;
        let cost = Cost { memory_kib: 8, passes: 1, at_once: 1, queue: 10 };
        let hasher = Hasher::new(cost, &ctx.random).unwrap();
        let new = NewMerchant::check("Shop", "owner@shop.example").unwrap();
        let (merchant, _) = merchants::create(&ctx, &hasher, &new).await.unwrap();
        let key = ProofKey::make(&ctx.random, KeyKind::P256);
        let wish = NewCredential {
            merchant_id: merchant.id,
            label: "victim".to_owned(),
            scopes: Scopes::all(),
            addresses: Vec::new(),
            key: key.jwk,
        };
        let sandbox = Environment::Sandbox;
        let made = credentials::register(&ctx, &hasher, sandbox, &wish, Possession::Vouched).await;
        let made = made.unwrap();
        ctx.db.close().await;
        Self {
            home: scratch::directory("kill"),
            url: test.url.clone(),
            key,
            client: made.credential.client_id.to_string(),
            secret: made.secret.expose().clone(),
        }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        command
            .args(line.split(' '))
            .args(["--database-url", &self.url, "--public-url", BASE])
            .current_dir(&self.home)
            .env_clear()
            .env("COUNTERFOIL_LOG__FILTER", "error")
            .env("COUNTERFOIL_LIMITS__MERCHANT_PER_MINUTE", "10000000")
            .env("COUNTERFOIL_LIMITS__TOKEN_PER_MINUTE", "10000000");
        command
    }

    fn start(&self) -> (Child, SocketAddr) {
        let mut serve = self.command("serve --listen 127.0.0.1:0");
        let mut child = serve.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let listening = |line: String| line.strip_prefix("Listening on ").map(str::to_owned);
        let address = lines.find_map(listening).expect("the server comes up again");
        (child, address.parse().unwrap())
    }

    fn proof(&self, path: &str, token: Option<&str>) -> String {
        self.key.sign(&claims_at(BASE, Clock::system().now(), "POST", path, token))
    }

    async fn mint(&self, address: SocketAddr) -> String {
        let request = Request::post("/oauth/token")
            .header("Authorization", basic(&self.client, &self.secret))
            .header("DPoP", self.proof("/oauth/token", None))
            .form(&[("grant_type", "client_credentials")]);
        let answer = request.send(address).await.expect_status(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// One request; the quote it made, or `None` when the server went away meanwhile.
    async fn quote(&self, line: &mut Connection, token: &str, key: &str) -> Option<String> {
        let body = json!({ "source_currency": "USD", "dest_currency": "EUR", "amount": "1000.00" });
        let request = Request::post(QUOTE)
            .header("Authorization", format!("DPoP {token}"))
            .header("DPoP", self.proof(QUOTE, Some(token)))
            .header("Idempotency-Key", key)
            .json(&body);
        line.write(&request.bytes("pay.example")).await;
        let answer = line.read_response().await?;
        assert!((200..300).contains(&answer.status), "{}: {}", answer.status, answer.text());
        Some(answer.json()["quote_id"].as_str().unwrap().to_owned())
    }

    /// Calls until the server is gone.
    async fn call(&self, address: SocketAddr, token: &str, sent: &Sent, numbers: &AtomicU64) {
        if TcpStream::connect(address).await.is_err() {
            return;
        }
        let mut line = Connection::open(address).await;
        loop {
            let key = format!("key-{}", numbers.fetch_add(1, Ordering::Relaxed));
            sent.lock().unwrap().insert(key.clone(), None);
            let Some(quote) = self.quote(&mut line, token, &key).await else { return };
            sent.lock().unwrap().insert(key, Some(quote));
        }
    }
}

async fn open(url: &str) -> Ctx {
    let db = Db::connect(url, &Options::default()).await.unwrap();
    Ctx { db, clock: Clock::system(), random: Random::system() }
}

/// Every quote that is stored.
async fn stored(url: &str) -> Vec<String> {
    let ctx = open(url).await;
    let rows = db::read!(ctx.db, |tx| Ok(db::all!(tx, (String,), "SELECT id FROM quotes")?));
    ctx.db.close().await;
    rows.unwrap().into_iter().map(|(id,)| id).collect()
}

both! {
    async fn nothing_acknowledged_is_lost_and_nothing_is_there_by_half(test: TestDb) {
        let victim = Arc::new(Victim::register(&test).await);
        let (sent, numbers) = (Sent::default(), AtomicU64::new(0));
        let random = Random::system();
        for _ in 0..rounds() {
            let (mut server, address) = victim.start();
            let token = victim.mint(address).await;
            let callers = (0..CALLERS).map(|_| victim.call(address, &token, &sent, &numbers));
            let moment = Duration::from_millis(20 + random.below(400));
            let kill = async {
                let never = std::future::pending::<()>();
                assert!(tokio::time::timeout(moment, never).await.is_err());
                server.kill().unwrap();
            };
            tokio::join!(join_all(callers), kill);
            server.wait().unwrap();
        }

        let (mut server, address) = victim.start();
        let token = victim.mint(address).await;
        let sent = sent.into_inner().unwrap();
        let kept = stored(&test.url).await;
        let acknowledged: Vec<_> = sent.values().flatten().collect();
        assert!(acknowledged.len() > 10, "there was load: {}", acknowledged.len());
        assert!(kept.len() <= sent.len(), "nothing is there that nobody sent");
        let mut line = Connection::open(address).await;
        for (key, quote) in &sent {
            // With the same key again: what was acknowledged is found, what was not takes effect once.
            let again = victim.quote(&mut line, &token, key).await.unwrap();
            match quote {
                Some(quote) => assert_eq!(*quote, again, "{key} was acknowledged"),
                None => assert!(!acknowledged.contains(&&again)),
            }
        }
        assert_eq!(stored(&test.url).await.len(), sent.len(), "one quote for each key");
        drop(line);
        server.kill().unwrap();
        server.wait().unwrap();
        let verified = victim.command("verify --json").output().unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}
