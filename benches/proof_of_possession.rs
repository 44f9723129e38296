//! What a proof costs beside the signature in it, what remembering it costs, what a bad one costs,
//! and what a token costs beside its own signature. Each figure stands beside its floor in one run.
//!
//! `make bench BENCH="--bench proof_of_possession"`. Criterion's figures come first; the lines after
//! them measure both sides in turns, so that a machine with other work to do harms both alike.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench reports and may stop")]
#![expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "ratios for people, not money"
)]

#[cfg(test)]
#[expect(dead_code, unused_imports, unused_macros, reason = "the tests use the rest of it")]
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::{
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use counterfoil::{
    base::{clock::Clock, ids::MerchantId, random::Random, timestamp::Timestamp},
    config::ReplayStore as Home,
    ctx::Ctx,
    db::{Db, Options},
    oauth::{
        dpop::{
            Expected, ExpectedHtu, NonceRule, PreparedKeys, Proof, ProofFault, PublicBase, proof,
            replay::{
                self, Claim, LIFE, MemoryLimits, MemoryReplay, Outcome, Place, Replay, ReplayKeyer,
                Settings,
            },
        },
        jose::{Jkt, KeyKind, TokenHash, base64url},
        keys::SigningKey,
        scopes::Scopes,
        secrets::{Cost, Hasher, SecretMemory},
        token::Grant,
    },
};
use criterion::{Criterion, Throughput};
use futures_util::FutureExt;
use tokio::runtime::Runtime;

const NOW: i64 = 1_800_000_000;
const LIVE: u32 = 1_000_000;
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

/// A good proof, and the library's own key for the signature in it.
struct Case {
    name: &'static str,
    proof: String,
    bare: ParsedPublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Case {
    fn new(kind: KeyKind) -> Self {
        Self::dated(kind, NOW)
    }

    fn dated(kind: KeyKind, iat: i64) -> Self {
        let pem = SigningKey::generate(kind, &Random::seeded(7)).unwrap();
        let key = SigningKey::from_pem(&pem).unwrap();
        let jwk = serde_json::to_value(key.public().jwk()).unwrap();
        let part = |name: &str| {
            base64url::decode(jwk.get(name).and_then(|part| part.as_str()).unwrap()).unwrap()
        };
        let bare = match kind {
            KeyKind::P256 => {
                let point = [vec![4], part("x"), part("y")].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap()
            }
            KeyKind::Ed25519 => ParsedPublicKey::new(&ED25519, part("x")).unwrap(),
        };
        let header = format!(r#"{{"typ":"dpop+jwt","alg":"{}","jwk":{jwk}}}"#, key.alg());
        let claims = format!(
            r#"{{"jti":"b7c1f6de-8f0e-4a53-9d52-5f3c1f5b1d7e","htm":"POST","htu":"{HTU}","iat":{iat},"ath":"{}"}}"#,
            TokenHash::of("token").as_str(),
        );
        let message = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
        let signature = key.sign_bytes(message.as_bytes()).unwrap();
        Self {
            name: key.alg().name(),
            proof: format!("{message}.{}", base64url::encode(&signature)),
            bare,
            message: message.into_bytes(),
            signature,
        }
    }

    fn verify_bare(&self) {
        self.bare.verify_sig(black_box(&self.message), black_box(&self.signature)).unwrap();
    }
}

const HTU: &str = "https://pay.example/v1/payouts";

/// The whole check of a proof with warm caches, as a resource makes it.
fn check(proof: &str, expected: &Expected<'_>, keys: &PreparedKeys) -> Result<Proof, ProofFault> {
    let unverified = proof::read(black_box(proof.as_bytes()), expected)?;
    let key = keys.prepare(unverified.jkt(), unverified.claimed_key())?;
    unverified.verify(&key)
}

fn with_expected(run: impl FnOnce(&Expected<'_>, &PreparedKeys)) {
    let bases = [PublicBase::parse("https://pay.example").unwrap()];
    let htu = ExpectedHtu::new(&bases, "/v1/payouts").unwrap();
    let token_hash = TokenHash::of("token");
    let expected = Expected {
        method: "POST",
        htu: &htu,
        now: Timestamp::from_unix_seconds(NOW),
        window: Duration::from_mins(1),
        token_hash: Some(&token_hash),
        nonces: NonceRule::Off,
        forgotten_until: None,
    };
    run(&expected, &PreparedKeys::new(100));
}

fn proofs(criterion: &mut Criterion) {
    for case in [Case::new(KeyKind::P256), Case::new(KeyKind::Ed25519)] {
        let mut group = criterion.benchmark_group(format!("proof {}", case.name));
        group.bench_function("bare verification", |b| b.iter(|| case.verify_bare()));
        with_expected(|expected, keys| {
            group.bench_function("whole check", |b| {
                b.iter(|| check(&case.proof, expected, keys).unwrap());
            });
        });
        group.finish();
    }
}

/// Bad proofs of every price, each refused; the rate is per core.
fn flood(criterion: &mut Criterion) {
    let good = Case::new(KeyKind::P256);
    let (input, _) = good.proof.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", base64url::encode([1; 64]));
    let bad = [
        ("not a proof", "x".repeat(700)),
        ("too late", Case::dated(KeyKind::P256, NOW - 3_600).proof),
        ("wrong signature", forged),
    ];
    let mut group = criterion.benchmark_group("flood");
    group.throughput(Throughput::Elements(1));
    with_expected(|expected, keys| {
        check(&good.proof, expected, keys).unwrap();
        for (name, proof) in &bad {
            group.bench_function(*name, |b| {
                b.iter(|| check(proof, expected, keys).unwrap_err());
            });
        }
    });
    group.finish();
}

/// Claims that never repeat, spread so that a million of them live at any moment.
struct Stream {
    keyer: ReplayKeyer,
    jkt: Jkt,
    number: u64,
    epoch: i64,
}

impl Stream {
    fn new(epoch: i64) -> Self {
        let keyer = ReplayKeyer::new(&[1; 32].into());
        Self { keyer, jkt: JKT.parse().unwrap(), number: 0, epoch }
    }

    fn claim(&self, number: u64) -> Claim {
        let key = self.keyer.name(&self.jkt, &number.to_string());
        let each = LIFE / LIVE;
        let passed = each * u32::try_from(number).unwrap();
        let now = Timestamp::from_unix_seconds(NOW).plus(passed);
        Claim { key, jkt: self.jkt, now, epoch: self.epoch }
    }

    fn next(&mut self) -> Claim {
        self.number += 1;
        self.claim(self.number)
    }

    /// The last one, again.
    fn again(&self) -> Claim {
        self.claim(self.number)
    }
}

fn limits() -> MemoryLimits {
    let ceiling = usize::try_from(LIVE * 2).unwrap();
    MemoryLimits { life: LIFE, ceiling, per_key_and_minute: u32::MAX }
}

/// The resident memory of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}

fn memory(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("replay, a million live");
    let before = resident();
    let (record, mut stream) = (MemoryReplay::new(limits()), Stream::new(0));
    for _ in 0..LIVE {
        assert_eq!(record.claim(&stream.next()), Outcome::Fresh);
    }
    let bytes = resident().saturating_sub(before) as f64 / f64::from(LIVE);
    group.bench_function("name only", |b| b.iter(|| black_box(stream.next())));
    for _ in 0..LIVE {
        record.claim(&stream.next());
    }
    group.bench_function("new", |b| b.iter(|| record.claim(&stream.next())));
    let again = stream.again();
    group.bench_function("used", |b| b.iter(|| record.claim(black_box(&again))));
    group.finish();
    println!("bytes per live entry: {bytes:.0}; live and not yet swept: {}", record.len());
}

async fn ctx(url: &str) -> Ctx {
    let db = Db::connect(url, &Options::default()).await.unwrap();
    db.migrate().await.unwrap();
    Ctx { db, clock: Clock::system(), random: Random::system() }
}

/// The same with the journal that makes it survive its process.
fn journal(criterion: &mut Criterion, runtime: &Runtime) {
    // The record's database ends inside the runtime too.
    let _inside = runtime.enter();
    let folder = support::scratch::directory("bench");
    let replay = runtime.block_on(async {
        let ctx = ctx(&format!("sqlite://{}/bench.db", folder.display())).await;
        let settings = Settings { home: Home::Memory, window: LIFE / 5, limits: limits() };
        replay::open(&settings, &ctx, None, &Place::here(&folder)).await.unwrap()
    });
    let mut stream = Stream::new(replay.known().epoch);
    let claim = |stream: &mut Stream| {
        replay.claim(&stream.next()).now_or_never().unwrap().unwrap();
    };
    for _ in 0..LIVE {
        claim(&mut stream);
    }
    let mut group = criterion.benchmark_group("replay, a million live");
    group.bench_function("new, with its journal", |b| b.iter(|| claim(&mut stream)));
    group.finish();
    _ = std::fs::remove_dir_all(folder);
}

/// Claims per second and the median of one, in the shared homes.
async fn shared() {
    let server = support::postgres::Server::start(&support::postgres::Options::for_bench());
    let redis = support::redis::Redis::start();
    let ctx = ctx(&server.url("postgres")).await;
    let client = redis::Client::open(redis.url()).unwrap();
    for home in [Home::Postgres, Home::Redis] {
        let connection = redis::aio::ConnectionManager::new(client.clone()).await.unwrap();
        let settings = Settings { home, window: LIFE / 5, limits: limits() };
        let replay =
            replay::open(&settings, &ctx, Some(connection), &Place::here(Path::new("unused")))
                .await
                .unwrap();
        for callers in [1, 8, 64, 256] {
            let (rate, median) = rate(&replay, callers).await;
            println!("{home:?}, {callers:3} callers: {rate:7.0} claims/s, median {median:5} us");
        }
    }
}

async fn rate(replay: &Replay, callers: u64) -> (f64, u128) {
    let begun = Instant::now();
    let until = begun + Duration::from_secs(2);
    let mut running = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let replay = replay.clone();
        running.spawn(async move {
            let (mut took, jkt) = (Vec::new(), JKT.parse().unwrap());
            while Instant::now() < until {
                let name = format!("{callers} {caller} {}", took.len());
                let (key, epoch) = (replay.name(&jkt, &name), replay.known().epoch);
                let now = Clock::system().now();
                let begun = Instant::now();
                replay.claim(&Claim { key, jkt, now, epoch }).await.unwrap();
                took.push(begun.elapsed().as_micros());
            }
            took
        });
    }
    let mut took: Vec<u128> = running.join_all().await.concat();
    took.sort_unstable();
    let median = took.get(took.len() / 2).copied().unwrap_or(0);
    (took.len() as f64 / begun.elapsed().as_secs_f64(), median)
}

/// A token for a client whose secret is remembered.
struct Mint {
    key: SigningKey,
    scopes: Scopes,
    jkt: Jkt,
    merchant: MerchantId,
    random: Random,
    secrets: SecretMemory,
    hasher: Hasher,
    secret: counterfoil::base::secret::Secret<String>,
    stored: Vec<String>,
    payload: Vec<u8>,
}

impl Mint {
    fn new(kind: KeyKind, runtime: &Runtime) -> Self {
        let random = Random::system();
        let pem = SigningKey::generate(kind, &random).unwrap();
        let hasher = Hasher::new(Cost::default(), &random).unwrap();
        let secret = "ant_ocs_sandbox_0123456789abcdef".to_owned().into();
        let stored = vec![runtime.block_on(hasher.hash(&secret, &random)).unwrap()];
        let mut mint = Self {
            key: SigningKey::from_pem(&pem).unwrap(),
            scopes: Scopes::all(),
            jkt: JKT.parse().unwrap(),
            merchant: MerchantId::make(&Clock::system(), &random),
            secrets: SecretMemory::new(&random),
            random,
            hasher,
            secret,
            stored,
            payload: Vec::new(),
        };
        // The text that a token's signature covers.
        let token = mint.warm();
        mint.payload = token.rsplit_once('.').unwrap().0.as_bytes().to_vec();
        mint
    }

    fn warm(&self) -> String {
        let permission = async { Ok(()) };
        let check =
            self.secrets.check(&self.hasher, "client", &self.secret, &self.stored, permission);
        let known = wait_for(check);
        assert!(known);
        let grant = Grant {
            issuer: "https://pay.example",
            audience: "https://pay.example",
            client_id: "ant_oc_sandbox_0123456789abcdef0123456789abcdef",
            merchant: self.merchant,
            scopes: &self.scopes,
            jkt: &self.jkt,
            lifetime: Duration::from_hours(1),
        };
        grant.mint(&self.key, Timestamp::from_unix_seconds(NOW), &self.random).unwrap().token
    }

    fn bare(&self) {
        black_box(self.key.sign_bytes(black_box(&self.payload)).unwrap());
    }
}

/// Warm, the check never waits; cold, the first one pays argon2 on a thread of the runtime.
fn wait_for<T>(check: impl Future<Output = counterfoil::base::failure::Result<T>>) -> T {
    tokio::runtime::Handle::current().block_on(check).unwrap()
}

fn mints(criterion: &mut Criterion, runtime: &Runtime) {
    for kind in [KeyKind::P256, KeyKind::Ed25519] {
        let _inside = runtime.enter();
        let mint = Mint::new(kind, runtime);
        let mut group = criterion.benchmark_group(format!("mint {}", mint.key.alg().name()));
        group.bench_function("bare signature", |b| b.iter(|| mint.bare()));
        group.bench_function("warm mint", |b| b.iter(|| mint.warm()));
        group.finish();
    }
}

/// The medians of both, measured in turns.
fn in_turns(rounds: u32, mut floor: impl FnMut(), mut whole: impl FnMut()) -> (f64, f64) {
    let time = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        (0..20).for_each(|_| work());
        begun.elapsed().as_secs_f64() * 1e6 / 20.0
    };
    let (mut floors, mut wholes) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        floors.push(time(&mut floor));
        wholes.push(time(&mut whole));
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(0.0)
    };
    (median(&mut floors), median(&mut wholes))
}

fn ratios(runtime: &Runtime) {
    for case in [Case::new(KeyKind::P256), Case::new(KeyKind::Ed25519)] {
        with_expected(|expected, keys| {
            let whole = || {
                black_box(check(&case.proof, expected, keys).unwrap());
            };
            let (floor, whole) = in_turns(1_000, || case.verify_bare(), whole);
            let ratio = whole / floor;
            let name = case.name;
            println!("proof {name}: bare {floor:.1} us, whole check {whole:.1} us: x{ratio:.3}");
        });
    }
    let _inside = runtime.enter();
    for kind in [KeyKind::P256, KeyKind::Ed25519] {
        let mint = Mint::new(kind, runtime);
        let whole = || {
            black_box(mint.warm());
        };
        let (floor, whole) = in_turns(500, || mint.bare(), whole);
        let (ratio, name) = (whole / floor, mint.key.alg().name());
        println!("mint {name}: bare {floor:.1} us, warm mint {whole:.1} us: x{ratio:.3}");
    }
}

fn main() {
    let runtime = Runtime::new().unwrap();
    let mut criterion = Criterion::default().configure_from_args();
    proofs(&mut criterion);
    flood(&mut criterion);
    mints(&mut criterion, &runtime);
    memory(&mut criterion);
    journal(&mut criterion, &runtime);
    ratios(&runtime);
    runtime.block_on(shared());
    criterion.final_summary();
}
