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

#[expect(dead_code, reason = "the bench of payouts uses the rest of it")]
#[path = "support/server.rs"]
mod server;

use std::{hint::black_box, time::Instant};

use counterfoil::{
    base::random::Random,
    oauth::jose::{Alg, KeyKind},
};

use server::{Server, run};
use support::{both::TestDb, client::ProofKey, http::Request};

const OPEN: &str = "/.well-known/oauth-protected-resource";
const READ: &str = "/v1/credential";
const QUOTE: &str = "/v1/pricing/quote";
/// So many that each run lasts for some of the half seconds after which the request log is written: shorter ones
/// would leave the cost of their lines to whatever runs next.
const COUNT: usize = 24_000;
const QUOTE_BODY: &str = r#"{"source_currency":"USD","dest_currency":"EUR","amount":"1000.00"}"#;

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

/// Over a few connections, which keep the server awake, and over one, where it sleeps between two
/// requests.
async fn protection(server: &Server, db: &TestDb, connections: usize) {
    let open = || vec![Request::get(OPEN).bytes("bench"); COUNT];
    run(server, open(), connections, None).await;
    let (mut bare, mut whole, mut verification) = (f64::MAX, f64::MAX, f64::MAX);
    // In turns, and the best of each: other work on the machine only ever adds.
    for _ in 0..5 {
        verification = verification.min(bare_verification());
        bare = bare.min(run(server, open(), connections, None).await.cpu_per_request);
        // A key may not sign more than its share of what is remembered, so each turn has its own.
        let caller = &server.caller(db).await;
        let signed = server.signed(caller, "GET", READ, "", COUNT);
        whole = whole.min(run(server, signed, connections, None).await.cpu_per_request);
    }
    let (bare, whole, verification) = (bare * 1e6, whole * 1e6, verification * 1e6);
    println!("CPU per request, ES256, server process only, connections: {connections}");
    println!("  open route            {bare:6.1} µs");
    println!("  bare verification     {verification:6.1} µs");
    println!("  protected route       {whole:6.1} µs");
    println!("  (protected - open) / verification = {:.2}", (whole - bare) / verification);
}

async fn quotes(server: &Server, db: &TestDb, engine: &str) {
    let mut best = [0.0_f64; 2];
    let mut cpu = [f64::MAX; 2];
    for _ in 0..3 {
        let caller = &server.caller(db).await;
        let reads = run(server, server.signed(caller, "GET", READ, "", COUNT), 64, None).await;
        let quotes = server.signed(caller, "POST", QUOTE, QUOTE_BODY, COUNT);
        let quotes = run(server, quotes, 64, None).await;
        best = [best[0].max(reads.per_second), best[1].max(quotes.per_second)];
        cpu = [cpu[0].min(reads.cpu_per_request), cpu[1].min(quotes.cpu_per_request)];
    }
    let [reads, writes] = best;
    let caller = &server.caller(db).await;
    let paced = server.signed(caller, "POST", QUOTE, QUOTE_BODY, COUNT);
    let paced = run(server, paced, 64, Some(writes * 0.7)).await;
    println!("{engine}, 64 connections:");
    let [read_cpu, write_cpu] = cpu.map(|seconds| seconds * 1e6);
    println!(
        "  authenticated reads   {reads:7.0} per second, {read_cpu:.0} µs of the server's CPU each"
    );
    println!(
        "  durable quotes        {writes:7.0} per second ({:.2} of the reads), {write_cpu:.0} µs",
        writes / reads
    );
    println!("  p99 at 70 % of that   {:7.1} ms", paced.p99.as_secs_f64() * 1e3);
}

/// Everything, one after the other.
fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let sqlite = TestDb::sqlite().await;
        let server = Server::start(&sqlite, &[]);
        for connections in [8, 1] {
            protection(&server, &sqlite, connections).await;
        }
        quotes(&server, &sqlite, "SQLite").await;
        drop(server);
        let postgres = TestDb::postgres().await;
        let server = Server::start(&postgres, &[]);
        quotes(&server, &postgres, "PostgreSQL").await;
    });
}
