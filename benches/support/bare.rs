//! The statements of one payout, sent by a client that does nothing else: the floor.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, Connection, PgConnection, SqliteConnection, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use tokio::sync::Mutex;

use crate::{
    Shop,
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

macro_rules! all {
    ($c:expr, $sql:literal, $($bind:expr),* $(,)?) => {
        sqlx::query($sql)$(.bind($bind))*.execute(&mut *$c).await.unwrap()
    };
}

macro_rules! see {
    ($c:expr, $sql:literal, $($bind:expr),* $(,)?) => {
        sqlx::query($sql)$(.bind($bind))*.fetch_optional(&mut *$c).await.unwrap()
    };
}

macro_rules! one_payout {
    ($connection:expr, $one:expr, $begin:literal) => {{
        let (c, one) = ($connection, $one);
        let now = 1_900_000_000_000_000_i64;
        let (payout, entry, hold, event) = (id("pay"), id("txn"), id("hld"), id("evt"));
        let key = scratch::random_hex();
        let (hash, job, body) = ([b'x'; 32], [b'x'; 100], [b'x'; 900]);
        see!(c, "SELECT k.request_hash, k.resource_id, a.status, a.body FROM idempotency_keys k LEFT JOIN idempotency_answers a ON a.merchant_id = k.merchant_id AND a.operation = k.operation AND a.key = k.key WHERE k.merchant_id = $1 AND k.operation = $2 AND k.key = $3", &one.merchant, "payouts.create", &key);
        for _ in 0..2 {
            see!(c, "SELECT * FROM beneficiaries WHERE merchant_id = $1 AND id = $2 AND deleted_at_us IS NULL", &one.merchant, &one.payee);
            see!(c, "SELECT i.* FROM instruments i JOIN beneficiaries b ON b.merchant_id = i.merchant_id AND b.id = i.beneficiary_id WHERE i.merchant_id = $1 AND i.id = $2 AND i.deleted_at_us IS NULL AND b.deleted_at_us IS NULL", &one.merchant, &one.account);
        }
        sqlx::raw_sql($begin).execute(&mut *c).await.unwrap();
        all!(c, "INSERT INTO idempotency_keys (merchant_id, operation, key, request_hash, resource_id, created_at_us) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING", &one.merchant, "payouts.create", &key, &hash[..], &payout, now);
        see!(c, "SELECT * FROM quotes WHERE merchant_id = $1 AND id = $2", &one.merchant, &one.quote);
        all!(c, "UPDATE quotes SET state = 'consumed', consumed_at_us = $3, consumed_by = $4 WHERE merchant_id = $1 AND id = $2 AND state = 'open'", &one.merchant, &one.quote, now, &payout);
        all!(c, "INSERT INTO monthly_volumes (merchant_id, month, currency, plan_id, minor) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (merchant_id, month, currency, plan_id) DO UPDATE SET minor = monthly_volumes.minor + excluded.minor", &one.merchant, "2026-11", "EUR", "bare", 1000_i64);
        all!(c, "INSERT INTO ledger_entries (merchant_id, id, kind, cause, reverses, created_at_us) VALUES ($1, $2, $3, $4, NULL, $5)", &one.merchant, &entry, "hold", &payout, now);
        for (kind, minor) in [("available", -1025_i64), ("pending", 1025)] {
            let moved: (i64, i64) = sqlx::query_as("UPDATE ledger_accounts SET balance_minor = balance_minor + $4, version = version + 1, updated_at_us = $5 WHERE merchant_id = $1 AND currency = $2 AND kind = $3 RETURNING balance_minor, version")
                .bind(&one.merchant).bind("EUR").bind(kind).bind(minor).bind(now).fetch_one(&mut *c).await.unwrap();
            all!(c, "INSERT INTO ledger_postings (merchant_id, currency, kind, version, entry_id, change_minor, balance_minor, created_at_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", &one.merchant, "EUR", kind, moved.1, &entry, minor, moved.0, now);
        }
        all!(c, "INSERT INTO ledger_holds (merchant_id, id, currency, amount_minor, cause, state, created_at_us, expires_at_us) VALUES ($1, $2, $3, $4, $5, 'held', $6, NULL)", &one.merchant, &hold, "EUR", 1025_i64, &payout, now);
        all!(c, "INSERT INTO payout_volumes (merchant_id, day, currency, count, minor) VALUES ($1, $2, $3, 1, $4) ON CONFLICT (merchant_id, day, currency) DO UPDATE SET count = payout_volumes.count + excluded.count, minor = payout_volumes.minor + excluded.minor", &one.merchant, "2026-11-21", "EUR", 1000_i64);
        all!(c, "INSERT INTO payouts (merchant_id, id, beneficiary_id, instrument_id, quote_id, plan_id, source_currency, source_minor, dest_currency, dest_minor, fee_currency, fee_minor, fee_bearer, fixed_side, buffer_minor, margin_minor, method, rail_type, purpose, reference, metadata, made_by, hold_id, status, steps, created_at_us, updated_at_us) VALUES ($1, $2, $3, $4, $5, 'bare', 'EUR', 1000, 'EUR', 1000, 'EUR', 25, 'merchant', 'fixed_dest', 0, 0, 'sepa', 'fiat', 'supplier_payment', 'invoice 7', '{}', 'house', $6, 'created', 1, $7, $7)", &one.merchant, &payout, &one.payee, &one.account, &one.quote, &hold, now);
        all!(c, "INSERT INTO payout_transitions (merchant_id, payout_id, number, from_status, to_status, actor, cause, at_us) VALUES ($1, $2, 1, NULL, 'created', 'house', 'asked for through the API', $3)", &one.merchant, &payout, now);
        let (sequence,): (i64,) = sqlx::query_as("INSERT INTO event_sequences (merchant_id, last) VALUES ($1, 1) ON CONFLICT (merchant_id) DO UPDATE SET last = event_sequences.last + 1 RETURNING last")
            .bind(&one.merchant).fetch_one(&mut *c).await.unwrap();
        all!(c, "INSERT INTO events (merchant_id, sequence, id, kind, about, body, created_at_us) VALUES ($1, $2, $3, $4, $5, $6, $7)", &one.merchant, sequence, &event, "payout.created", &payout, &body[..], now);
        all!(c, "INSERT INTO jobs (id, kind, unique_key, payload, state, run_at_us, attempts, created_at_us) VALUES ($1, 'bare', $1, $2, 'due', $3, 0, $3) ON CONFLICT (unique_key) DO NOTHING", &payout, &job[..], now);
        all!(c, "INSERT INTO idempotency_answers (merchant_id, operation, key, status, body, created_at_us) VALUES ($1, $2, $3, 201, $4, $5)", &one.merchant, "payouts.create", &key, &body[..], now);
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
    let begun = Instant::now();
    for one in &wanted {
        one_payout!(&mut connection, one, "BEGIN IMMEDIATE");
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
                loop {
                    let Some(one) = queue.lock().await.pop() else { break };
                    one_payout!(&mut connection, &one, "BEGIN");
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
