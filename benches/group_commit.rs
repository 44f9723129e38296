//! What sharing a commit is worth: single-row inserts through the write door, and through the one for a single
//! statement, beside one commit per insert on the same file or server, in one run.
//!
//! `make bench` runs it on the disk as it is, `make bench-slow-disk` with a flush that takes a
//! millisecond, as on a disk that keeps its promises (`benches/support/slow_flush.c`).

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
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use counterfoil::{
    base::{clock::Clock, failure::Failure, ids::MerchantId, random::Random},
    db::{self, Db, DbError, Options},
};
use sqlx::{PgPool, SqlitePool, pool::PoolOptions, sqlite::SqliteConnectOptions};

const CALLERS: [usize; 4] = [1, 8, 64, 256];
const INSERT: &str = "INSERT INTO bench (id, body) VALUES ($1, $2)";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS bench (id BIGINT PRIMARY KEY, body TEXT NOT NULL)";
const BODY: &str =
    "a row of the size that an event or a quote has, more or less: 0123456789 0123456789";

/// One commit per insert, with the same settings as the door uses.
#[derive(Clone)]
enum Bare {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Bare {
    async fn insert(&self, id: i64) {
        match self {
            Self::Sqlite(pool) => {
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
                sqlx::query(INSERT).bind(id).bind(BODY).execute(&mut *tx).await.unwrap();
                tx.commit().await.unwrap();
            }
            Self::Postgres(pool) => {
                let mut tx = pool.begin().await.unwrap();
                sqlx::query(INSERT).bind(id).bind(BODY).execute(&mut *tx).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
    }
}

async fn door(db: &Db, merchant: MerchantId, id: i64) {
    let done: Result<(), Failure> = db::write!(db, merchant, |tx| {
        db::exec!(tx, INSERT, id, BODY)?;
        Ok(())
    });
    done.unwrap();
}

async fn door_for_one(db: &Db, merchant: MerchantId, id: i64) {
    let done: Result<u64, Failure> =
        db::write_one!(db, merchant, |tx| Ok(db::exec!(tx, INSERT, id, BODY)?));
    assert_eq!(done.unwrap(), 1);
}

/// Inserts per second, and the median of one insert in microseconds.
async fn measure<F, W>(callers: usize, ids: &Arc<AtomicI64>, insert: F) -> (f64, f64)
where
    F: Fn(usize, i64) -> W + Clone + Send + 'static,
    W: Future<Output = ()> + Send,
{
    let until = Instant::now() + Duration::from_millis(run_millis());
    let begun = Instant::now();
    let mut running = Vec::new();
    for caller in 0..callers {
        let (insert, ids) = (insert.clone(), ids.clone());
        running.push(tokio::spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < until {
                let id = ids.fetch_add(1, Ordering::Relaxed);
                let begun = Instant::now();
                insert(caller, id).await;
                took.push(u64::try_from(begun.elapsed().as_micros()).unwrap());
            }
            took
        }));
    }
    let mut all = Vec::new();
    for caller in running {
        all.extend(caller.await.unwrap());
    }
    all.sort_unstable();
    let median = all.get(all.len() / 2).copied().unwrap_or(0);
    (all.len() as f64 / begun.elapsed().as_secs_f64(), median as f64)
}

fn run_millis() -> u64 {
    std::env::var("BENCH_MILLIS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

async fn compare(engine: &str, db: &Db, bares: &[(&str, Bare)]) {
    let ids = Arc::new(AtomicI64::new(1));
    let merchants: Arc<Vec<MerchantId>> =
        Arc::new((0..256).map(|_| MerchantId::make(&Clock::system(), &Random::system())).collect());
    for callers in CALLERS {
        let through = async |for_one: bool| {
            let (db, merchants) = (db.clone(), merchants.clone());
            measure(callers, &ids, move |caller, id| {
                let (db, merchant) = (db.clone(), merchants.get(caller).copied().unwrap());
                async move {
                    if for_one {
                        door_for_one(&db, merchant, id).await;
                    } else {
                        door(&db, merchant, id).await;
                    }
                }
            })
            .await
        };
        let doors = [("door", through(false).await), ("door for one", through(true).await)];
        for (label, bare) in bares {
            let bare = bare.clone();
            let (bare_rate, bare_median) = measure(callers, &ids, move |_, id| {
                let bare = bare.clone();
                async move { bare.insert(id).await }
            })
            .await;
            for (door, (rate, median)) in doors {
                println!(
                    "{engine:9} {callers:4} callers: {door:12} {rate:8.0}/s ({median:6.0} us), {label} \
                     {bare_rate:8.0}/s ({bare_median:6.0} us): rate x{:.2}, latency x{:.2}",
                    rate / bare_rate,
                    median / bare_median,
                );
            }
        }
    }
}

async fn sqlite() -> Result<(), DbError> {
    let folder = support::scratch::directory("bench");
    let url = format!("sqlite://{}/bench.db", folder.display());
    let db = Db::connect(&url, &Options::default()).await.unwrap();
    let file: SqliteConnectOptions = url.parse()?;
    let file = file
        .foreign_keys(true)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .busy_timeout(Duration::from_mins(1));
    let pool = PoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_mins(1))
        .connect_with(file)
        .await?;
    sqlx::query(TABLE).execute(&pool).await?;
    compare("SQLite", &db, &[("bare", Bare::Sqlite(pool))]).await;
    db.close().await;
    _ = std::fs::remove_dir_all(folder);
    Ok(())
}

async fn postgres() -> Result<(), DbError> {
    let server = support::postgres::Server::start(&support::postgres::Options::for_bench());
    let url = server.url("postgres");
    let db = Db::connect(&url, &Options::default()).await.unwrap();
    let mut bares = Vec::new();
    for (label, size) in [("bare, same connections", 4), ("bare, one each", 256)] {
        let pool = PoolOptions::new()
            .max_connections(size)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_mins(1))
            .connect(&url)
            .await?;
        bares.push((label, Bare::Postgres(pool)));
    }
    if let Some((_, Bare::Postgres(pool))) = bares.first() {
        sqlx::query(TABLE).execute(pool).await?;
    }
    compare("PostgreSQL", &db, &bares).await;
    db.close().await;
    Ok(())
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        sqlite().await.unwrap();
        postgres().await.unwrap();
    });
}
