//! A server of its own process with clients that may call it, and a load on it.

use std::{
    fs,
    io::{BufRead, BufReader},
    mem,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{
    base::{
        clock::Clock, environment::Environment, ids::MerchantId, random::Random, secret::Secret,
    },
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
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    both::TestDb,
    client::{ProofKey, basic, claims_at},
    http::Request,
    scratch,
};

/// A server of its own process, whose CPU time can be read.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    base: String,
    /// Where its keys are.
    home: PathBuf,
}

/// Somebody who may call it.
pub(crate) struct Caller {
    pub(crate) merchant: MerchantId,
    /// Who owns it, and may sign in at the portal.
    pub(crate) email: String,
    pub(crate) password: Secret<String>,
    key: ProofKey,
    id: String,
    secret: String,
    token: String,
}

impl Server {
    /// With settings of its own.
    pub(crate) fn start(db: &TestDb, settings: &[(&str, &str)]) -> Self {
        Self::start_in(scratch::directory("bench"), db, settings)
    }

    /// Ends it; gives where its keys are, for [`Server::start_in`].
    pub(crate) fn stop(mut self) -> PathBuf {
        mem::take(&mut self.home)
    }

    /// One that has run before, with settings of its own; its tokens end with each server's address.
    pub(crate) fn start_in(home: PathBuf, db: &TestDb, settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
            .args(["--listen", "127.0.0.1:0", "--database-url", &db.url])
            .current_dir(&home)
            .env_clear()
            .env("COUNTERFOIL_LOG__FILTER", "warn")
            .env("COUNTERFOIL_LIMITS__MERCHANT_PER_MINUTE", "10000000")
            .env("COUNTERFOIL_LIMITS__ADDRESS_PER_MINUTE", "10000000")
            .env("COUNTERFOIL_LIMITS__OAUTH_ADDRESS_PER_MINUTE", "10000000")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let listening = |line: String| line.strip_prefix("Listening on ").map(str::to_owned);
        let address = lines.map_while(Result::ok).find_map(listening).unwrap();
        let base = format!("http://{address}");
        Self { process, address: address.parse().unwrap(), base, home }
    }

    /// A new merchant's server with a token.
    pub(crate) async fn caller(&self, db: &TestDb) -> Caller {
        let mut caller = register(db).await;
        self.mint(&mut caller).await;
        caller
    }

    /// A new token.
    pub(crate) async fn mint(&self, caller: &mut Caller) {
        let claims = claims_at(&self.base, Clock::system().now(), "POST", "/oauth/token", None);
        let request = Request::post("/oauth/token")
            .header("Authorization", basic(&caller.id, &caller.secret))
            .header("DPoP", caller.key.sign(&claims))
            .form(&[("grant_type", "client_credentials")]);
        let answer = request.send(self.address).await.expect_status(200).json();
        answer.get("access_token").unwrap().as_str().unwrap().clone_into(&mut caller.token);
    }

    /// How much of the machine's memory its process holds, in MiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
    }

    /// One request, signed in advance, so that signing is not measured.
    pub(crate) fn sign(&self, caller: &Caller, request: Request) -> Request {
        let (method, path) = (request.method().to_owned(), request.path().to_owned());
        let (now, token) = (Clock::system().now(), caller.token.as_str());
        let proof = caller.key.sign(&claims_at(&self.base, now, &method, &path, Some(token)));
        request.header("Authorization", format!("DPoP {token}")).header("DPoP", proof)
    }

    /// So many equal ones.
    pub(crate) fn signed(
        &self,
        caller: &Caller,
        method: &str,
        path: &str,
        body: &str,
        count: usize,
    ) -> Vec<Vec<u8>> {
        let request = || match body {
            "" => Request::new(method, path),
            body => {
                Request::new(method, path).header("Content-Type", "application/json").body(body)
            }
        };
        (0..count).map(|_| self.sign(caller, request()).bytes("bench")).collect()
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

/// The database as the server sees it.
pub(crate) async fn open(db: &TestDb) -> Ctx {
    let db = Db::connect(&db.url, &Options::default()).await.unwrap();
    Ctx { db, clock: Clock::system(), random: Random::system() }
}

async fn register(db: &TestDb) -> Caller {
    let ctx = open(db).await;
    let cost = Cost { memory_kib: 8, passes: 1, at_once: 1, queue: 10 };
    let hasher = Hasher::new(cost, &ctx.random).unwrap();
    let email = format!("{}@shop.example", scratch::random_hex());
    let new = NewMerchant::check("Bench", &email).unwrap();
    let (merchant, password) = users::found(&ctx, &hasher, &new).await.unwrap();
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
    let (id, secret) = (made.credential.client_id.to_string(), made.secret.expose().clone());
    Caller { merchant: merchant.id, email, password, key, id, secret, token: String::new() }
}

/// What a run of requests took.
pub(crate) struct Run {
    pub(crate) per_second: f64,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    pub(crate) cpu_per_request: f64,
}

/// Sends the requests over this many connections, as fast as answers come.
pub(crate) async fn run(
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
    let at = |hundredths| took.get(took.len() * hundredths / 100).copied().unwrap_or_default();
    let (median, p99) = (at(50), at(99));
    let cpu_per_request = (server.cpu() - cpu) / count as f64;
    Run { per_second: count as f64 / elapsed, median, p99, cpu_per_request }
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
