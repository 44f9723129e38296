//! The statements of one payout, sent by a client that does nothing else: the floor.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{
    db::{Engine, Statement},
    events::log,
    jobs, ledger,
    payouts::{beneficiaries, instruments, limits, payout},
    pricing::quotes,
    web::idempotency,
};
use sqlx::{
    ConnectOptions, Connection, PgConnection, SqliteConnection, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use tokio::sync::Mutex;

use crate::{
    shop::Shop,
    support::{both::TestDb, scratch},
};

/// How many clients a server is asked by at once: the best of these.
const CLIENTS: [usize; 3] = [8, 16, 32];

/// What one payout writes, as in the server, with the values that the statements need.
struct One {
    merchant: String,
    payee: String,
    account: String,
    quote: String,
}

fn id(prefix: &str) -> String {
    format!(
        "{prefix}_{}",
        scratch::random_hex().to_uppercase().chars().take(26).collect::<String>()
    )
}

/// The server's own statements, each found by how it begins: the floor must not become another house's.
struct Texts {
    recall: &'static str,
    payee: &'static str,
    account: &'static str,
    quote: &'static str,
    key: &'static str,
    consume: &'static str,
    entry: &'static str,
    post: &'static str,
    hold: &'static str,
    volume: &'static str,
    payout: &'static str,
    sequence: &'static str,
    event: &'static str,
    job: &'static str,
    answer: &'static str,
}

impl Texts {
    fn on(engine: Engine) -> Self {
        let text = |of: &[Statement], begins: &str, holds: &str| {
            let fits = |one: &&Statement| {
                let words = one.sqlite.split_whitespace().collect::<Vec<_>>().join(" ");
                words.starts_with(begins) && words.ends_with(holds)
            };
            of.iter().find(fits).unwrap().on(engine)
        };
        Self {
            recall: text(idempotency::STATEMENTS, "SELECT k.request_hash", ""),
            payee: text(beneficiaries::STATEMENTS, "SELECT", "id = $2 AND deleted_at_us IS NULL"),
            account: text(instruments::STATEMENTS, "SELECT", "AND i.id = $2"),
            quote: text(quotes::STATEMENTS, "SELECT merchant_id, id, state", "id = $2"),
            key: text(idempotency::STATEMENTS, "INSERT INTO idempotency_keys", ""),
            consume: text(quotes::STATEMENTS, "UPDATE quotes SET state = 'consumed'", ""),
            entry: text(ledger::STATEMENTS, "INSERT INTO ledger_entries", ""),
            post: text(ledger::STATEMENTS, "UPDATE ledger_accounts SET balance_minor", ""),
            hold: text(ledger::STATEMENTS, "INSERT INTO ledger_holds", ""),
            volume: text(limits::STATEMENTS, "INSERT INTO payout_volumes", ""),
            payout: text(payout::STATEMENTS, "INSERT INTO payouts", ""),
            sequence: text(log::STATEMENTS, "INSERT INTO event_sequences", ""),
            event: text(log::STATEMENTS, "INSERT INTO events", ""),
            job: text(jobs::STATEMENTS, "INSERT INTO jobs", ""),
            answer: text(idempotency::STATEMENTS, "INSERT INTO idempotency_answers", ""),
        }
    }
}

macro_rules! all {
    ($c:expr, $sql:expr, $($bind:expr),* $(,)?) => {
        sqlx::query($sql)$(.bind($bind))*.execute(&mut *$c).await.unwrap()
    };
}

macro_rules! see {
    ($c:expr, $sql:expr, $($bind:expr),* $(,)?) => {
        sqlx::query($sql)$(.bind($bind))*.fetch_optional(&mut *$c).await.unwrap()
    };
}

macro_rules! one_payout {
    ($connection:expr, $texts:expr, $one:expr, $begin:literal) => {{
        let (c, texts, one) = ($connection, $texts, $one);
        let now = 1_900_000_000_000_000_i64;
        let (payout, entry, hold, event) = (id("pay"), id("txn"), id("hld"), id("evt"));
        let key = scratch::random_hex();
        let (hash, job, body) = ([b'x'; 32], [b'x'; 100], [b'x'; 900]);
        let (none, none_us) = (None::<String>, None::<i64>);
        see!(c, texts.recall, &one.merchant, "payouts.create", &key);
        see!(c, texts.payee, &one.merchant, &one.payee);
        see!(c, texts.account, &one.merchant, &one.account);
        see!(c, texts.quote, &one.merchant, &one.quote);
        sqlx::raw_sql($begin).execute(&mut *c).await.unwrap();
        all!(c, texts.key, &one.merchant, "payouts.create", &key, &hash[..], &payout, now);
        see!(c, texts.payee, &one.merchant, &one.payee);
        see!(c, texts.account, &one.merchant, &one.account);
        // Long before the quote's end, and after nothing: its own clock is of no matter here.
        all!(
            c,
            texts.consume,
            &one.merchant,
            &one.quote,
            0_i64,
            &payout,
            "2026-11",
            "EUR",
            "bare",
            1000_i64
        );
        all!(c, texts.entry, &one.merchant, &entry, "hold", &payout, &none, now);
        for (kind, minor) in [("available", -1025_i64), ("pending", 1025)] {
            all!(
                c,
                texts.post,
                &one.merchant,
                "EUR",
                kind,
                minor,
                now,
                0_i64,
                i64::MAX / 2,
                &entry
            );
        }
        all!(c, texts.hold, &one.merchant, &hold, "EUR", 1025_i64, &payout, now, none_us);
        all!(c, texts.volume, &one.merchant, "2026-11-21", "EUR", 1_i64, 1000_i64);
        sqlx::query(texts.payout)
            .bind(&one.merchant)
            .bind(&payout)
            .bind(&one.payee)
            .bind(&one.account)
            .bind(&one.quote)
            .bind("bare")
            .bind("EUR")
            .bind(1000_i64)
            .bind("EUR")
            .bind(1000_i64)
            .bind("EUR")
            .bind(25_i64)
            .bind("merchant")
            .bind("fixed_dest")
            .bind(0_i64)
            .bind(0_i64)
            .bind(&none)
            .bind("sepa")
            .bind("fiat")
            .bind(&none)
            .bind("supplier_payment")
            .bind("invoice 7")
            .bind("{}")
            .bind("house")
            .bind(&hold)
            .bind(&none)
            .bind("created")
            .bind(1_i64)
            .bind(now)
            .bind("asked for through the API")
            .execute(&mut *c)
            .await
            .unwrap();
        let (sequence,): (i64,) =
            sqlx::query_as(texts.sequence).bind(&one.merchant).fetch_one(&mut *c).await.unwrap();
        all!(
            c,
            texts.event,
            &one.merchant,
            sequence,
            &event,
            "payout.created",
            &payout,
            &body[..],
            now
        );
        all!(c, texts.job, &payout, "bare", &payout, &job[..], now, now);
        all!(c, texts.answer, &one.merchant, "payouts.create", &key, 201_i64, &body[..], now);
        sqlx::raw_sql("COMMIT").execute(&mut *c).await.unwrap();
    }};
}

/// Payouts a second, with one commit each.
pub(crate) async fn run(db: &TestDb, shops: &[Shop], quotes: &[(usize, String)]) -> f64 {
    let one = |(shop, quote): &(usize, String)| {
        let shop = shops.get(*shop).unwrap();
        One {
            merchant: shop.caller.merchant.to_string(),
            payee: shop.payee.clone(),
            account: shop.account.clone(),
            quote: quote.clone(),
        }
    };
    let wanted: Vec<One> = quotes.iter().map(one).collect();
    if db.url.starts_with("sqlite") { sqlite(db, wanted).await } else { postgres(db, wanted).await }
}

/// One connection: more of them would only wait for each other.
async fn sqlite(db: &TestDb, wanted: Vec<One>) -> f64 {
    let options: SqliteConnectOptions = db.url.parse().unwrap();
    let options = options
        .pragma("synchronous", "FULL")
        .pragma("foreign_keys", "ON")
        .busy_timeout(Duration::from_secs(10));
    let mut connection: SqliteConnection = options.connect().await.unwrap();
    let texts = Texts::on(Engine::Sqlite);
    let begun = Instant::now();
    for one in &wanted {
        one_payout!(&mut connection, &texts, one, "BEGIN IMMEDIATE");
    }
    wanted.len() as f64 / begun.elapsed().as_secs_f64()
}

async fn postgres(db: &TestDb, wanted: Vec<One>) -> f64 {
    let count = wanted.len();
    let mut shares = wanted.into_iter();
    let mut best = 0.0_f64;
    for clients in CLIENTS {
        let share: Vec<One> = shares.by_ref().take(count / CLIENTS.len()).collect();
        let size = share.len();
        let queue = Arc::new(Mutex::new(share));
        let mut connections = Vec::new();
        for _ in 0..clients {
            let options: PgConnectOptions = db.url.parse().unwrap();
            connections.push(options.connect().await.unwrap());
        }
        let begun = Instant::now();
        let callers = connections.into_iter().map(|mut connection: PgConnection| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let texts = Texts::on(Engine::Postgres);
                loop {
                    let Some(one) = queue.lock().await.pop() else { break };
                    one_payout!(&mut connection, &texts, &one, "BEGIN");
                }
                connection.close().await.unwrap();
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.unwrap();
        }
        best = best.max(size as f64 / begun.elapsed().as_secs_f64());
    }
    best
}
