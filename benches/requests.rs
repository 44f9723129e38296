//! Whole requests over HTTP against the release binary: what protection costs in CPU beside an open
//! route and beside a bare signature verification, and how many durable quotes fit into a second
//! beside the same server's read-only route. Each figure stands beside its floor in one run.
//!
//! `make bench BENCH="--bench requests"`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench reports and may stop")]
#![expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "ratios for people, not money"
)]
#![expect(clippy::disallowed_methods, reason = "a bench spawns its own callers")]

#[cfg(test)]
#[expect(dead_code, unused_imports, unused_macros, reason = "the tests use the rest of it")]
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::{
    fs,
    hint::black_box,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{
    base::{clock::Clock, environment::Environment, random::Random},
    ctx::Ctx,
    db::{Db, Options},
    oauth::{
        credentials::{self, NewCredential, Possession},
        jose::{Alg, KeyKind},
        merchants::{self, NewMerchant},
        scopes::Scopes,
        secrets::{Cost, Hasher},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use support::{
    both::TestDb,
    client::{ProofKey, basic, claims_at},
    http::Request,
    scratch,
};

const OPEN: &str = "/.well-known/oauth-protected-resource";
const READ: &str = "/v1/credential";
const QUOTE: &str = "/v1/pricing/quote";
const QUOTE_BODY: &str = r#"{"source_currency":"USD","dest_currency":"EUR","amount":"1000.00"}"#;

/// A server of its own process, whose CPU time can be read, and a client that may call it.
struct Server {
    process: Child,
    address: SocketAddr,
    base: String,
    key: ProofKey,
    token: String,
}

impl Server {
    async fn start(db: &TestDb) -> Self {
        let home = scratch::directory("bench");
        let mut process = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
            .args(["--listen", "127.0.0.1:0", "--database-url", &db.url])
            .current_dir(&home)
            .env_clear()
            .env("COUNTERFOIL_LOG__FILTER", "warn")
            .env("COUNTERFOIL_LIMITS__MERCHANT_PER_MINUTE", "10000000")
            .env("COUNTERFOIL_LIMITS__ADDRESS_PER_MINUTE", "10000000")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let listening = |line: String| line.strip_prefix("Listening on ").map(str::to_owned);
        let address = lines.map_while(Result::ok).find_map(listening).unwrap();
        let base = format!("http://{address}");
        let address = address.parse().unwrap();
        let (key, id, secret) = register(db).await;
        let proof =
            key.sign(&claims_at(&base, Clock::system().now(), "POST", "/oauth/token", None));
        let request = Request::post("/oauth/token")
            .header("Authorization", basic(&id, &secret))
            .header("DPoP", proof)
            .form(&[("grant_type", "client_credentials")]);
        let answer = request.send(address).await.expect_status(200).json();
        let token = answer.get("access_token").unwrap().as_str().unwrap().to_owned();
        Self { process, address, base, key, token }
    }

    /// Requests signed in advance, so that signing is not measured.
    fn signed(&self, method: &str, path: &str, body: &str, count: usize) -> Vec<Vec<u8>> {
        let now = Clock::system().now();
        let token = Some(self.token.as_str());
        let requests = (0..count).map(|_| {
            let proof = self.key.sign(&claims_at(&self.base, now, method, path, token));
            let request = Request::new(method, path)
                .header("Authorization", format!("DPoP {}", self.token))
                .header("DPoP", proof);
            let request = if body.is_empty() {
                request
            } else {
                request.header("Content-Type", "application/json").body(body)
            };
            request.bytes("bench")
        });
        requests.collect()
    }

    /// CPU time of every thread of the server, in seconds.
    fn cpu(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let nanos = tasks.filter_map(|task| {
            let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        nanos.sum::<u64>() as f64 / 1e9
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

async fn register(db: &TestDb) -> (ProofKey, String, String) {
    let db = Db::connect(&db.url, &Options::default()).await.unwrap();
    let ctx = Ctx { db, clock: Clock::system(), random: Random::system() };
    let cost = Cost { memory_kib: 8, passes: 1, at_once: 1, queue: 10 };
    let hasher = Hasher::new(cost, &ctx.random).unwrap();
    let new = NewMerchant::check("Bench", "bench@shop.example").unwrap();
    let merchant = merchants::create(&ctx, &new).await.unwrap();
    let key = ProofKey::make(&ctx.random, KeyKind::P256);
    let credential = NewCredential {
        merchant_id: merchant.id,
        label: "bench".to_owned(),
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
    ctx.db.close().await;
    (key, made.credential.client_id.to_string(), made.secret.expose().clone())
}

/// What a run of requests took.
struct Run {
    per_second: f64,
    p99: Duration,
    cpu_per_request: f64,
}

/// Sends the requests over this many connections, as fast as answers come.
async fn run(
    server: &Server,
    requests: Vec<Vec<u8>>,
    connections: usize,
    paced: Option<f64>,
) -> Run {
    let count = requests.len();
    let requests = Arc::new(requests);
    let (begun, cpu) = (Instant::now(), server.cpu());
    let callers = (0..connections).map(|caller| {
        let (requests, address) = (requests.clone(), server.address);
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut took = Vec::new();
            let mut buffer = vec![0; 16 << 10];
            for (turn, request) in requests.iter().skip(caller).step_by(connections).enumerate() {
                let mut sent = Instant::now();
                if let Some(rate) = paced {
                    let due = begun
                        + Duration::from_secs_f64((turn * connections + caller) as f64 / rate);
                    tokio::time::sleep_until(due.into()).await;
                    // From when it was due: a server that stalls must not hide it by our waiting.
                    sent = due;
                }
                stream.write_all(request).await.unwrap();
                answer(&mut stream, &mut buffer).await;
                took.push(sent.elapsed());
            }
            took
        })
    });
    let mut took = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        took.extend(caller.await.unwrap());
    }
    let elapsed = begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    let cpu_per_request = (server.cpu() - cpu) / count as f64;
    Run { per_second: count as f64 / elapsed, p99, cpu_per_request }
}

/// Reads one answer, which must be a success.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut length = 0;
    loop {
        let read = stream.read(buffer.get_mut(length..).unwrap()).await.unwrap();
        assert!(read > 0, "the server closed the connection");
        length += read;
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 20"), "{text}");
        let wanted = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= wanted.unwrap().parse().unwrap() {
            return;
        }
    }
}

/// The floor of every protected request: one ES256 verification, in seconds.
fn bare_verification() -> f64 {
    let key = ProofKey::make(&Random::seeded(1), KeyKind::P256);
    let message = [b'x'; 600];
    let signature = key.signing.sign_bytes(&message).unwrap();
    let rounds = 5_000;
    let begun = Instant::now();
    for _ in 0..rounds {
        key.signing.public().verify(Alg::Es256, black_box(&message), &signature).unwrap();
    }
    begun.elapsed().as_secs_f64() / f64::from(rounds)
}

async fn protection(server: &Server) {
    const COUNT: usize = 8_000;
    let open = || vec![Request::get(OPEN).bytes("bench"); COUNT];
    run(server, open(), 8, None).await;
    let (mut bare, mut whole, mut verification) = (f64::MAX, f64::MAX, f64::MAX);
    // In turns, and the best of each: other work on the machine only ever adds.
    for _ in 0..5 {
        verification = verification.min(bare_verification());
        bare = bare.min(run(server, open(), 8, None).await.cpu_per_request);
        let signed = server.signed("GET", READ, "", COUNT);
        whole = whole.min(run(server, signed, 8, None).await.cpu_per_request);
    }
    let (bare, whole, verification) = (bare * 1e6, whole * 1e6, verification * 1e6);
    println!("CPU per request, ES256, server process only:");
    println!("  open route            {bare:6.1} µs");
    println!("  bare verification     {verification:6.1} µs");
    println!("  protected route       {whole:6.1} µs");
    println!("  (protected - open) / verification = {:.2}", (whole - bare) / verification);
}

async fn quotes(server: &Server, engine: &str) {
    const COUNT: usize = 6_000;
    let mut best = [0.0_f64; 2];
    for _ in 0..3 {
        let reads = run(server, server.signed("GET", READ, "", COUNT), 64, None).await;
        let quotes = server.signed("POST", QUOTE, QUOTE_BODY, COUNT);
        let quotes = run(server, quotes, 64, None).await;
        best = [best[0].max(reads.per_second), best[1].max(quotes.per_second)];
    }
    let [reads, writes] = best;
    let paced = server.signed("POST", QUOTE, QUOTE_BODY, COUNT);
    let paced = run(server, paced, 64, Some(writes * 0.7)).await;
    println!("{engine}, 64 connections:");
    println!("  authenticated reads   {reads:7.0} per second");
    println!(
        "  durable quotes        {writes:7.0} per second ({:.2} of the reads)",
        writes / reads
    );
    println!("  p99 at 70 % of that   {:7.1} ms", paced.p99.as_secs_f64() * 1e3);
}

/// Everything, one after the other.
fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let sqlite = TestDb::sqlite().await;
        let server = Server::start(&sqlite).await;
        protection(&server).await;
        quotes(&server, "SQLite").await;
        drop(server);
        let postgres = TestDb::postgres().await;
        quotes(&Server::start(&postgres).await, "PostgreSQL").await;
    });
}
