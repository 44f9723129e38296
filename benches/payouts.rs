//! Payouts over HTTP against the release binary: token, fresh proof, idempotency key, quote, hold,
//! entries, event and job, 64 connections; beside the same statements sent by a bare SQL client to the
//! same database with one commit for each payout, in one run.
//!
//! `make bench BENCH="--bench payouts"`.

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

#[path = "support/bare.rs"]
mod bare;
#[expect(dead_code, reason = "the bench of requests uses the rest of it")]
#[path = "support/server.rs"]
mod server;
#[path = "support/shop.rs"]
mod shop;

use server::{Server, run};
use shop::Shop;
use support::both::TestDb;

const CONNECTIONS: usize = 64;
const COUNT: usize = 4_096;
const MANY: usize = 64;

/// Quotes for so many payouts, in turns over the shops: which shop, and its quote.
async fn quotes(server: &Server, shops: &[Shop]) -> Vec<(usize, String)> {
    let mut made = Vec::new();
    for number in 0..COUNT {
        let shop = number % shops.len();
        made.push((shop, shops.get(shop).unwrap().quote(server).await));
    }
    made
}

async fn over_http(server: &Server, shops: &[Shop]) -> f64 {
    let quotes = quotes(server, shops).await;
    // Signed last: proofs are good for a minute.
    let sign = |(shop, quote): &(usize, String)| shops.get(*shop).unwrap().payout(server, quote);
    let requests = quotes.iter().map(sign).collect();
    let run = run(server, requests, CONNECTIONS, None).await;
    println!(
        "    p99 {:.1} ms, {:.0} µs of CPU each",
        run.p99.as_secs_f64() * 1e3,
        run.cpu_per_request * 1e6
    );
    run.per_second
}

async fn measure(db: &TestDb, engine: &str) {
    println!("{engine}, {CONNECTIONS} connections:");
    let server = Server::start(db, &[("COUNTERFOIL_JOBS__CONCURRENCY", "0")]);
    let mut shops = Vec::new();
    for _ in 0..MANY {
        shops.push(Shop::open(&server, db).await);
    }
    let [mut many, mut hot, mut alone] = [0.0_f64; 3];
    for _ in 0..2 {
        many = many.max(over_http(&server, &shops).await);
        hot = hot.max(over_http(&server, shops.get(..1).unwrap()).await);
        let quotes = quotes(&server, &shops).await;
        alone = alone.max(bare::run(db, &shops, &quotes).await);
    }
    drop(server);
    println!("  bare SQL, a commit each  {alone:7.0} per second");
    println!("  payouts, many merchants  {many:7.0} per second ({:.2} of bare SQL)", many / alone);
    println!("  payouts, one merchant    {hot:7.0} per second ({:.2} of many)", hot / many);
}

/// Everything, one engine after the other.
fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        measure(&TestDb::sqlite().await, "SQLite").await;
        measure(&TestDb::postgres().await, "PostgreSQL").await;
    });
}
