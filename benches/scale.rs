//! Whether the same calls and pages take the same time on tables of any size: the server, asked over one
//! connection, and for new payouts over 64, with tables of each size in turn. Each figure stands beside that
//! of the smallest size in the same run.
//!
//! `SCALE_ROWS=1000,100000,10000000 make bench BENCH="--bench scale"`; `SCALE_ENGINES=sqlite` leaves one out.
//! Ten million payouts take some 20 GB of `TMPDIR` for as long as they are needed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench reports and may stop"
)]
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

#[path = "support/fill.rs"]
mod fill;
#[path = "support/looks.rs"]
mod looks;
#[expect(dead_code, reason = "the bench of requests uses the rest of it")]
#[path = "support/server.rs"]
mod server;
#[path = "support/shop.rs"]
mod shop;

use std::{
    env,
    time::{Duration, Instant},
};

use counterfoil::{
    base::{clock::Clock, environment::Environment},
    money::{Amount, Currency},
    payouts::balances,
};
use serde_json::json;

use looks::{Browser, Look, looks};
use server::{Server, open, run};
use shop::Shop;
use support::{
    both::TestDb,
    http::{Connection, Request},
};

/// One has nine of ten payouts.
const MERCHANTS: usize = 10;
const CONNECTIONS: usize = 64;
/// Payouts at one size: alone, and all at once.
const ALONE: usize = 400;
const AT_ONCE: usize = 2_048;
/// So often is a page asked for, if it does not take longer than that.
const TIMES: usize = 200;
const LONGEST: Duration = Duration::from_secs(4);

/// What something took, in milliseconds.
#[derive(Clone, Copy)]
struct Figure {
    median: f64,
    p99: f64,
}

impl Figure {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let at = |hundredths: usize| {
            took.get(took.len() * hundredths / 100).copied().unwrap_or_default().as_secs_f64() * 1e3
        };
        Self { median: at(50), p99: at(99) }
    }
}

type Figures = Vec<(String, Figure)>;

async fn ready(number: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !number().await {
        assert!(begun.elapsed() < Duration::from_mins(1), "the first payouts do not arrive");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Merchants who have each made one payout, which has arrived, and told their servers.
async fn begin(server: &Server, db: &TestDb) -> Vec<Shop> {
    let mut shops = Vec::new();
    for place in 0..MERCHANTS {
        let shop = Shop::open(server, db).await;
        if place == 0 {
            let endpoint = json!({ "url": "http://127.0.0.1:9/hook", "events": ["*"] });
            shop.post(server, "/v1/webhooks", &endpoint).await;
        }
        let quote = shop.quote(server).await;
        let payout = shop.payout(server, &quote);
        run(server, vec![payout], 1, None).await;
        shops.push(shop);
    }
    for shop in &shops {
        ready(async || {
            let list = server.sign(&shop.caller, Request::get("/v1/payouts"));
            list.send(server.address).await.text().contains("\"completed\"")
        })
        .await;
    }
    // The log of requests is written in batches.
    tokio::time::sleep(Duration::from_secs(2)).await;
    shops
}

/// How long answers take, one after the other.
async fn asked(server: &Server, shop: &Shop, browser: &Browser, look: &Look) -> Figure {
    let mut connection = Connection::open(server.address).await;
    let (mut took, begun) = (Vec::new(), Instant::now());
    for turn in 0..TIMES + 3 {
        let request = match look {
            Look::Call(path) => server.sign(&shop.caller, Request::get(path)),
            Look::Page(path) => browser.get(path),
        };
        let sent = Instant::now();
        let answer = connection.send(&request).await;
        let elapsed = sent.elapsed();
        let answer = answer.expect_status(200);
        assert!(!answer.body.is_empty(), "{look:?} is empty");
        // The first ones warm caches.
        if turn >= 3 {
            took.push(elapsed);
        }
        if begun.elapsed() > LONGEST && took.len() > 3 {
            break;
        }
    }
    Figure::of(took)
}

async fn paid(server: &Server, shops: &[Shop], count: usize, connections: usize) -> (f64, Figure) {
    let mut quotes = Vec::new();
    for number in 0..count {
        let shop = shops.get(number % shops.len()).unwrap();
        quotes.push((shop, shop.quote(server).await));
    }
    // Signed last: proofs are good for a minute.
    let requests = quotes.iter().map(|(shop, quote)| shop.payout(server, quote)).collect();
    let run = run(server, requests, connections, None).await;
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    (run.per_second, Figure { median: ms(run.median), p99: ms(run.p99) })
}

/// Everything at one size.
async fn at_size(db: &TestDb, rows: i64) -> (Figures, f64) {
    let quick = [("COUNTERFOIL_WEBHOOKS__ALLOW_LOOPBACK", "true")];
    let server = Server::start(db, &quick);
    let mut shops = begin(&server, db).await;
    let big = shops.first().unwrap();
    Browser::open(&server, &big.caller).await;
    let ctx = open(db).await;
    for shop in &shops {
        let funds = Amount::parse("900000000.00", Currency::EUR).unwrap();
        let merchant = shop.caller.merchant;
        balances::credit(&ctx, Environment::Sandbox, merchant, funds).await.unwrap();
    }
    ctx.db.close().await;
    let settings = [("COUNTERFOIL_JOBS__CONCURRENCY", "0")];
    let stopped = server.stop();
    let merchants: Vec<String> =
        shops.iter().map(|shop| shop.caller.merchant.to_string()).collect();
    fill::fill(db, &merchants, rows, Clock::system().now().micros() - 60_000_000).await;
    let server = Server::start_in(stopped, db, &settings);
    for shop in &mut shops {
        server.mint(&mut shop.caller).await;
    }
    let big = shops.first().unwrap();
    let browser = Browser::open(&server, &big.caller).await;
    let mut figures = Figures::new();
    for (name, look) in looks(&server, big, &browser).await {
        let figure = asked(&server, big, &browser, &look).await;
        eprintln!("    {name:<52} {:9.2} {:9.2} ms", figure.median, figure.p99);
        figures.push((name, figure));
    }
    paid(&server, &shops, 200, 8).await;
    let (_, alone) = paid(&server, &shops, ALONE, 1).await;
    figures.push(("POST /v1/payouts, one at a time".to_owned(), alone));
    let (rate, many) = paid(&server, &shops, AT_ONCE, CONNECTIONS).await;
    figures.push((format!("POST /v1/payouts, {CONNECTIONS} at once"), many));
    eprintln!("    {rate:.0} payouts a second; the server holds {} MiB", server.memory());
    (figures, rate)
}

fn report(engine: &str, sizes: &[i64], found: &[(Figures, f64)]) {
    let least = sizes.first().unwrap();
    println!("\n{engine}: median and p99 in ms, and the median beside that of {least} payouts");
    let heads: Vec<String> = sizes.iter().map(|size| format!("{size:>24}")).collect();
    println!("{:<52}{}", "", heads.concat());
    let (first, _) = found.first().unwrap();
    for (place, (name, least)) in first.iter().enumerate() {
        let cell = |(figures, _): &(Figures, f64)| {
            let (_, Figure { median, p99 }) = figures.get(place).unwrap();
            format!("{median:8.2} {p99:8.2} ×{:5.2}", median / least.median)
        };
        println!("{name:<52}{}", found.iter().map(cell).collect::<Vec<_>>().concat());
    }
    let (_, least) = found.first().unwrap();
    let rates = found.iter().map(|(_, rate)| format!("{rate:17.0} ×{:5.2}", rate / least));
    println!("{:<52}{}", "payouts a second, 64 at once", rates.collect::<Vec<_>>().concat());
}

/// Everything, one engine after the other, one size after the other; each database is gone before the
/// next is filled.
fn main() {
    let sizes = env::var("SCALE_ROWS").unwrap_or_else(|_| "1000,100000".to_owned());
    let sizes: Vec<i64> = sizes.split(',').map(|size| size.trim().parse().unwrap()).collect();
    let engines = env::var("SCALE_ENGINES").unwrap_or_else(|_| "sqlite,postgres".to_owned());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for engine in engines.split(',') {
            let mut found = Vec::new();
            for rows in &sizes {
                eprintln!("{engine}, {rows} payouts:");
                let db = match engine {
                    "sqlite" => TestDb::sqlite().await,
                    _ => TestDb::postgres().await,
                };
                found.push(at_size(&db, *rows).await);
            }
            report(engine, &sizes, &found);
        }
    });
}
