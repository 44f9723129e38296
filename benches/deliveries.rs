//! Deliveries to a local receiver: how many a second beside bare requests of the same client with the
//! same bodies, how long a committed event waits for its first attempt, and what that becomes when
//! half of ten thousand endpoints are dead.
//!
//! `make bench BENCH="--bench deliveries"`; `COUNTERFOIL_BENCH_ENDPOINTS` changes the ten thousand.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench reports and may stop")]
#![expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "ratios for people, not money"
)]
#![expect(clippy::disallowed_methods, reason = "a bench spawns its own receivers")]

#[cfg(test)]
#[expect(dead_code, unused_imports, unused_macros, reason = "the tests use the rest of it")]
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use counterfoil::{
    base::{failure::Result, ids::MerchantId, tasks::Tasks},
    db,
    events::{
        Events,
        courier::Courier,
        endpoints::{self, Filter, NewEndpoint},
        log::{self, EventType, NewEvent},
        signatures::Dialect,
    },
};
use futures_util::{StreamExt, stream};
use reqwest::header::HeaderMap;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, sleep_until},
};

use support::{app::TestApp, both::TestDb};

const EVENTS: usize = 16_000;
const MERCHANTS: usize = 4;
const PER_SECOND: u32 = 500;
const SECONDS: u32 = 20;

/// When each event arrived, by the id in its header.
type Arrivals = Arc<Mutex<HashMap<String, Instant>>>;

/// Answers everything with 200 and notes when it came.
async fn receiver() -> (SocketAddr, Arrivals) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let arrivals = Arrivals::default();
    let noting = arrivals.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(receive(stream, noting.clone()));
        }
    });
    (address, arrivals)
}

async fn receive(mut stream: TcpStream, arrivals: Arrivals) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut unread: Vec<u8> = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut unread).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(unread.get(..end)?).into_owned();
        let value = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.trim_start_matches(": ").to_owned())
        };
        let length: usize = value("content-length")?.parse().ok()?;
        while unread.len() < end + length {
            stream.read_buf(&mut unread).await.ok()?;
        }
        unread.drain(..end + length);
        if let Some(id) = value("x-webhook-id") {
            arrivals.lock().unwrap().entry(id).or_insert_with(Instant::now);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.ok()?;
    }
}

/// Takes every connection and never answers.
async fn dead() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    address
}

async fn start(db: &TestDb) -> TestApp {
    TestApp::in_real_time(db, |config| {
        config.webhooks.allow_loopback = true;
        config.webhooks.timeout = Duration::from_secs(2);
    })
    .await
}

async fn make(events: &Events, merchant: MerchantId, to: SocketAddr) {
    let target = events.outbound.check(&format!("http://{to}/hooks")).await.unwrap();
    let filter = Filter::read(["*"]).unwrap();
    let metadata = BTreeMap::default();
    let new = NewEndpoint { target, filter, dialect: Dialect::Payouts, metadata };
    endpoints::create(events, merchant, &new).await.unwrap();
}

fn event(number: usize) -> NewEvent {
    let id = format!("pay_{number}");
    let data = json!({ "id": id, "status": "sent", "amount": "100.00", "currency": "USD" });
    NewEvent::new(EventType::PayoutSent, id, &data).unwrap()
}

/// Writes one event; gives its id once it is durable.
async fn happen(app: &TestApp, merchant: MerchantId, number: usize) -> String {
    let event = event(number);
    let written: Result<_> = db::write!(app.ctx.db, merchant, |tx| {
        log::append(tx, &app.ctx, merchant, &event).await
    });
    written.unwrap().to_string()
}

/// The courier with everything due, and the same client alone with as many requests at once.
async fn throughput(db: &TestDb, engine: &str) {
    let app = start(db).await;
    let (address, _) = receiver().await;
    let mut merchants = Vec::new();
    for _ in 0..MERCHANTS {
        let merchant = app.client("webhooks:read").await.merchant;
        make(&app.events, merchant, address).await;
        merchants.push(merchant);
    }
    let courier = Courier::new(app.events.clone());
    let (mut bare, mut delivered) = (0.0_f64, 0.0_f64);
    for _ in 0..3 {
        let writes = (0..EVENTS)
            .map(|number| happen(&app, *merchants.get(number % MERCHANTS).unwrap(), number));
        stream::iter(writes).buffer_unordered(64).count().await;
        let begun = Instant::now();
        courier.run_due().await.unwrap();
        delivered = delivered.max(EVENTS as f64 / begun.elapsed().as_secs_f64());

        let (url, at_once) = (format!("http://{address}/hooks"), app.events.deliveries_at_once);
        let body = Bytes::from(vec![b'x'; 250]);
        let begun = Instant::now();
        let posts = (0..EVENTS).map(|_| {
            let (outbound, body) = (&app.events.outbound, body.clone());
            outbound.post(&url, HeaderMap::new(), body, Duration::from_secs(2))
        });
        stream::iter(posts).buffer_unordered(at_once * MERCHANTS).count().await;
        bare = bare.max(EVENTS as f64 / begun.elapsed().as_secs_f64());
    }
    println!("{engine}, {MERCHANTS} endpoints with {} at once:", app.events.deliveries_at_once);
    println!("  bare requests         {bare:7.0} per second");
    println!(
        "  signed and recorded   {delivered:7.0} per second ({:.2} of them)",
        delivered / bare
    );
    app.stop().await;
}

/// Time from commit to arrival while events come at a steady rate to these merchants.
async fn latency(app: &TestApp, merchants: &[MerchantId], arrivals: &Arrivals, what: &str) {
    let tasks = Tasks::default();
    let courier = Courier::new(app.events.clone());
    tasks.spawn(courier.run(tasks.clone(), Duration::from_secs(1)));
    let count = usize::try_from(PER_SECOND * SECONDS).unwrap();
    let apart = Duration::from_secs(1) / PER_SECOND;
    let begun = Instant::now();
    let writes = (0..count).map(|number| async move {
        sleep_until((begun + apart * u32::try_from(number).unwrap()).into()).await;
        let merchant = *merchants.get(number * 7_919 % merchants.len()).unwrap();
        let id = happen(app, merchant, number).await;
        (id, Instant::now())
    });
    let committed: Vec<_> = stream::iter(writes).buffer_unordered(256).collect().await;
    let wait_until = Instant::now() + Duration::from_mins(1);
    let missing = || {
        let arrivals = arrivals.lock().unwrap();
        committed.iter().filter(|(id, _)| !arrivals.contains_key(id)).count()
    };
    while missing() > 0 && Instant::now() < wait_until {
        sleep(Duration::from_millis(50)).await;
    }
    let mut waits: Vec<Duration> = {
        let arrivals = arrivals.lock().unwrap();
        let wait =
            |(id, at): &(String, Instant)| Some(arrivals.get(id)?.saturating_duration_since(*at));
        committed.iter().filter_map(wait).collect()
    };
    waits.sort_unstable();
    let at = |percent: usize| {
        let index = (waits.len() * percent / 100).min(waits.len().saturating_sub(1));
        waits.get(index).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    println!("  {what:34} p50 {:7.1} ms, p99 {:7.1} ms, {} missing", at(50), at(99), missing());
    tasks.drain(Duration::from_secs(30)).await;
}

/// One endpoint, then thousands that are well, then as many dead ones beside them.
async fn neighbours(db: &TestDb, engine: &str) {
    let endpoints = std::env::var("COUNTERFOIL_BENCH_ENDPOINTS").ok();
    let endpoints: usize = endpoints.and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let app = start(db).await;
    let (address, arrivals) = receiver().await;
    let merchants = stream::iter(0..endpoints / 2).map(|_| async {
        let merchant = app.client("webhooks:read").await.merchant;
        make(&app.events, merchant, address).await;
        merchant
    });
    let merchants: Vec<_> = merchants.buffer_unordered(16).collect().await;
    println!("{engine}, {PER_SECOND} events a second, from commit to arrival:");
    latency(&app, merchants.get(..1).unwrap(), &arrivals, "one merchant").await;
    latency(&app, &merchants, &arrivals, "many, all well").await;
    let dead = dead().await;
    stream::iter(&merchants).for_each_concurrent(16, |one| make(&app.events, *one, dead)).await;
    latency(&app, &merchants, &arrivals, "as many dead ones, first met").await;
    latency(&app, &merchants, &arrivals, "as many dead ones, known").await;
    app.stop().await;
}

/// Everything, one after the other.
fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        throughput(&TestDb::sqlite().await, "SQLite").await;
        throughput(&TestDb::postgres().await, "PostgreSQL").await;
        neighbours(&TestDb::postgres().await, "PostgreSQL").await;
    });
}
