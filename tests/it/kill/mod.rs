//! `kill -9` under load, again and again: what was acknowledged is there, nothing is there by half,
//! and nothing is there twice.
//!
//! `make kill-test` runs 200 rounds on each database; a plain test run does a few.

mod books;
mod fleet;
mod shops;
mod webhooks;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use counterfoil::{
    base::{clock::Clock, environment::Environment, random::Random},
    ctx::Ctx,
    db::{self, Db, Options},
    ledger,
    money::Currency,
    oauth::{
        credentials::{self, NewCredential, Possession},
        jose::KeyKind,
        merchants::{self, NewMerchant},
        scopes::Scopes,
        secrets::{Cost, Hasher},
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    app::TestApp,
    both::{TestDb, both},
    client::{ProofKey, basic, claims_at},
    http::{Connection, Request, Response},
    scratch,
};

const BASE: &str = "http://pay.example";
const CALLERS: usize = 8;
/// What there is to pay out, in cents: more than the load can spend.
const FUNDS: usize = 100_000_000;

/// A server that is running. It does not outlive its test, whatever becomes of that.
struct Running(Child);

impl Running {
    /// `kill -9`, and until it is gone.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What is asked for while the server is killed.
struct Load {
    path: &'static str,
    body: Value,
    /// The member of the answer that names what was made.
    id: &'static str,
    /// Every one that is stored.
    stored: &'static str,
}

fn quotes() -> Load {
    Load {
        path: "/v1/pricing/quote",
        body: json!({ "source_currency": "USD", "dest_currency": "EUR", "amount": "1000.00" }),
        id: "quote_id",
        stored: "SELECT id FROM quotes",
    }
}

/// The server that is killed, and everything that outlives it.
struct Victim {
    home: PathBuf,
    url: String,
    key: ProofKey,
    merchant: String,
    client: String,
    secret: String,
}

/// Each key that was sent, and what was acknowledged for it, if one was.
type Sent = Mutex<BTreeMap<String, Option<String>>>;

#[expect(clippy::disallowed_methods, reason = "how long to go on is for whoever runs it to say")]
fn rounds() -> u64 {
    let asked = std::env::var("COUNTERFOIL_KILL_ROUNDS").ok();
    asked.map_or(5, |text| text.parse().expect("COUNTERFOIL_KILL_ROUNDS is a number"))
}

impl Victim {
    async fn register(test: &TestDb) -> Self {
        Self::register_as(test, "owner@shop.example").await
    }

    async fn register_as(test: &TestDb, email: &str) -> Self {
        let ctx = open(&test.url).await;
        let cost = Cost { memory_kib: 8, passes: 1, at_once: 1, queue: 10 };
        let hasher = Hasher::new(cost, &ctx.random).unwrap();
        let new = NewMerchant::check("Shop", email).unwrap();
        let merchant = merchants::create(&ctx, &new).await.unwrap();
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
            merchant: merchant.id.to_string(),
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

    fn start(&self) -> (Running, SocketAddr) {
        self.start_with(&[])
    }

    /// With settings of its own.
    fn start_with(&self, settings: &[(&str, &str)]) -> (Running, SocketAddr) {
        let mut serve = self.command("serve --listen 127.0.0.1:0");
        serve.envs(settings.iter().copied());
        let mut child = serve.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let listening = |line: String| line.strip_prefix("Listening on ").map(str::to_owned);
        let address = lines.find_map(listening).expect("the server comes up again");
        (Running(child), address.parse().unwrap())
    }

    fn proof(&self, method: &str, path: &str, token: Option<&str>) -> String {
        self.key.sign(&claims_at(BASE, Clock::system().now(), method, path, token))
    }

    /// Money, somebody to pay, and a small payout to them.
    async fn payouts(&self) -> Load {
        let amount = format!("{}.00", FUNDS / 100);
        let credit = format!(
            "balance credit --merchant {} --currency EUR --amount {amount} --json",
            self.merchant
        );
        let credited = self.command(&credit).output().unwrap();
        assert!(credited.status.success(), "{}", String::from_utf8_lossy(&credited.stderr));
        let (mut server, address) = self.start();
        let token = self.mint(address).await;
        let mut line = Connection::open(address).await;
        let payee = json!({
            "type": "business", "country": "DE",
            "business": {
                "legal_name": "Ada GmbH", "registration_number": "HRB 1", "email": "ada@example.com",
                "phone": "+4915123456789",
                "address": {
                    "street_line_1": "Unter den Linden 1", "city": "Berlin",
                    "postal_code": "10117", "country": "DE",
                },
            },
        });
        let payee = self.post(&mut line, &token, "payee", ("/v1/beneficiaries", &payee)).await;
        let payee = payee.unwrap()["id"].as_str().unwrap().to_owned();
        let account =
            json!({ "method": "iban", "credentials": { "iban": "DE89370400440532013000" } });
        let path = format!("/v1/beneficiaries/{payee}/instruments");
        let account = self.post(&mut line, &token, "account", (&path, &account)).await;
        let account = account.unwrap()["id"].as_str().unwrap().to_owned();
        drop(line);
        server.kill();
        let body = json!({
            "beneficiary_id": payee, "instrument_id": account, "method": "sepa",
            "source_amount": "1.00", "dest_amount": "1.00", "dest_currency": "EUR",
        });
        let stored = "SELECT id FROM payouts";
        Load { path: "/v1/payouts", body, id: "id", stored }
    }

    fn verify(&self) {
        let verified = self.command("verify --json").output().unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }

    async fn mint(&self, address: SocketAddr) -> String {
        let request = Request::post("/oauth/token")
            .header("Authorization", basic(&self.client, &self.secret))
            .header("DPoP", self.proof("POST", "/oauth/token", None))
            .form(&[("grant_type", "client_credentials")]);
        let answer = request.send(address).await.expect_status(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// One request with a key; the answer, or `None` when the server went away meanwhile.
    async fn post(
        &self,
        line: &mut Connection,
        token: &str,
        key: &str,
        (path, body): (&str, &Value),
    ) -> Option<Value> {
        let answer = self.try_post(line, token, key, (path, body)).await?;
        assert!((200..300).contains(&answer.status), "{}: {}", answer.status, answer.text());
        Some(answer.json())
    }

    /// One request with a key; whatever is answered.
    async fn try_post(
        &self,
        line: &mut Connection,
        token: &str,
        key: &str,
        (path, body): (&str, &Value),
    ) -> Option<Response> {
        let request = Request::post(path)
            .header("Authorization", format!("DPoP {token}"))
            .header("DPoP", self.proof("POST", path, Some(token)))
            .header("Idempotency-Key", key)
            .json(body);
        line.write(&request.bytes("pay.example")).await;
        line.read_response().await
    }

    /// What one request of the load has made.
    async fn ask(
        &self,
        line: &mut Connection,
        token: &str,
        key: &str,
        load: &Load,
    ) -> Option<String> {
        let made = self.post(line, token, key, (load.path, &load.body)).await?;
        Some(made[load.id].as_str().unwrap().to_owned())
    }

    /// Calls until the server is gone; whoever gets the last answer that it may give kills it, while the
    /// others' requests are anywhere.
    async fn call(
        &self,
        mut line: Connection,
        token: &str,
        load: &Load,
        (sent, numbers): (&Sent, &AtomicU64),
        (server, answers): (&Mutex<Running>, &AtomicU64),
    ) {
        loop {
            let key = format!("key-{}", numbers.fetch_add(1, Ordering::Relaxed));
            sent.lock().unwrap().insert(key.clone(), None);
            let Some(made) = self.ask(&mut line, token, &key, load).await else { return };
            sent.lock().unwrap().insert(key, Some(made));
            if answers.fetch_sub(1, Ordering::SeqCst) == 1 {
                server.lock().unwrap().kill();
            }
        }
    }
}

async fn open(url: &str) -> Ctx {
    let db = Db::connect(url, &Options::default()).await.unwrap();
    Ctx { db, clock: Clock::system(), random: Random::system() }
}

/// The id of everything that the load has made.
async fn stored(url: &str, load: &Load) -> Vec<String> {
    let ctx = open(url).await;
    let rows = db::read!(ctx.db, |tx| Ok(db::all!(tx, (String,), load.stored)?));
    ctx.db.close().await;
    rows.unwrap().into_iter().map(|(id,)| id).collect()
}

/// Kills the server again and again under a load, and compares what it kept with what it said.
async fn kill_and_count(test: &TestDb, victim: &Victim, load: &Load) {
    let (sent, numbers) = (Sent::default(), AtomicU64::new(0));
    let random = Random::system();
    for _ in 0..rounds() {
        let (server, address) = victim.start();
        let token = victim.mint(address).await;
        let lines = join_all((0..CALLERS).map(|_| Connection::open(address))).await;
        let (server, answers) = (Mutex::new(server), AtomicU64::new(1 + random.below(200)));
        let (books, trap) = ((&sent, &numbers), (&server, &answers));
        join_all(lines.into_iter().map(|line| victim.call(line, &token, load, books, trap))).await;
    }

    let (mut server, address) = victim.start();
    let token = victim.mint(address).await;
    let sent = sent.into_inner().unwrap();
    let kept = stored(&test.url, load).await;
    let acknowledged: Vec<_> = sent.values().flatten().collect();
    assert!(acknowledged.len() > 10, "there was load: {}", acknowledged.len());
    assert!(kept.len() <= sent.len(), "nothing is there that nobody sent");
    let mut line = Connection::open(address).await;
    for (key, made) in &sent {
        // With the same key again: what was acknowledged is found, what was not takes effect once.
        let again = victim.ask(&mut line, &token, key, load).await.unwrap();
        match made {
            Some(made) => assert_eq!(*made, again, "{key} was acknowledged"),
            None => assert!(!acknowledged.contains(&&again)),
        }
    }
    assert_eq!(stored(&test.url, load).await.len(), sent.len(), "one for each key");
    drop(line);
    server.kill();
    victim.verify();
}

both! {
    async fn no_acknowledged_quote_is_lost_and_none_is_there_by_half(test: TestDb) {
        let victim = Victim::register(&test).await;
        kill_and_count(&test, &victim, &quotes()).await;
    }

    async fn no_acknowledged_payout_is_lost_none_is_paid_twice_and_all_come_to_an_end(test: TestDb) {
        let victim = Victim::register(&test).await;
        let load = victim.payouts().await;
        kill_and_count(&test, &victim, &load).await;
        let made = stored(&test.url, &load).await.len();
        // From here on a server whose clock is wound by hand carries them to their ends; what the killed
        // one had leased is free again by then.
        let (clock, hands) = Clock::hand_wound(Clock::system().now().plus(Duration::from_mins(2)));
        let app = TestApp::at(&test, clock, hands, victim.home.join("keys"), |_| ()).await;
        for _ in 0..5 {
            app.run_due_jobs().await;
            app.hands.advance(Duration::from_secs(2));
        }
        let merchant = victim.merchant.parse().unwrap();
        let balance = db::read!(app.ctx.db, |tx| {
            ledger::balance(tx, merchant, Currency::EUR).await
        });
        let balance = balance.unwrap().unwrap();
        // Each costs 1.25 with its fee, and each was paid once.
        assert_eq!(balance.pending.minor(), 0);
        assert_eq!(balance.available.minor(), i64::try_from(FUNDS - made * 125).unwrap());
        app.stop().await;
        victim.verify();
    }
}
