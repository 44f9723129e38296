//! Backup and restore as `docs/operations.md` describes them, while writes go on.

use std::{
    path::Path,
    process::{Command, Output},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use counterfoil::{
    base::{clock::Clock, failure::Result, ids::MerchantId, random::Random},
    db::{self, Db, Engine, Options},
};
use sqlx::{Connection, SqliteConnection};
use tokio::task::JoinSet;

use super::{count, insert_in};
use crate::support::{
    both::{TestDb, both},
    postgres, scratch,
};

/// Callers that write for as long as the backup runs.
const WRITERS: usize = 8;
/// Merchants that must be there before the backup begins.
const EARLIER: usize = 200;

both! {
    /// Every write acknowledged before the backup began is in it, whole, and none is there by half.
    async fn a_backup_holds_what_was_acknowledged_before_it(test: TestDb) {
        let db = test.open().await;
        let (acknowledged, stop) = (Arc::<Mutex<Vec<MerchantId>>>::default(), Arc::default());
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            writers.spawn(keep_writing(db.clone(), acknowledged.clone(), Arc::clone(&stop)));
        }
        let told = || acknowledged.lock().unwrap().clone();
        while told().len() < EARLIER {
            tokio::task::yield_now().await;
        }
        let before = told();
        let restored = back_up_and_restore(&test).await;
        while told().len() <= before.len() {
            tokio::task::yield_now().await;
        }
        stop.store(true, Ordering::SeqCst);
        for outcome in writers.join_all().await {
            outcome.expect("a backup refuses no write");
        }

        let copy = restored.open().await;
        copy.check_version().await.expect("the copy is at this program's version");
        assert_eq!(copy.check_integrity().await.unwrap(), Vec::<String>::new());
        for id in before {
            assert!(is_whole(&copy, id).await, "{id} was acknowledged before the backup began");
        }
        assert_eq!(count(&copy).await, names(&copy).await, "a write is there by half");
        write_one(&copy).await.expect("the copy takes writes");
        copy.close().await;
    }
}

async fn keep_writing(
    db: Db,
    acknowledged: Arc<Mutex<Vec<MerchantId>>>,
    stop: Arc<AtomicBool>,
) -> Result<()> {
    while !stop.load(Ordering::SeqCst) {
        let id = write_one(&db).await?;
        acknowledged.lock().unwrap().push(id);
    }
    Ok(())
}

/// A merchant and its name: two rows, so that half of a write would show.
async fn write_one(db: &Db) -> Result<MerchantId> {
    let id = MerchantId::make(&Clock::system(), &Random::system());
    db::write!(db, id, |tx| {
        insert_in(tx, id).await?;
        let insert = "INSERT INTO directory (name, merchant_id) VALUES ($1, $2)";
        db::exec!(tx, insert, id.to_string(), id)?;
        Ok(id)
    })
}

async fn is_whole(db: &Db, id: MerchantId) -> bool {
    let find = "SELECT m.id FROM merchants m JOIN directory d ON d.merchant_id = m.id
        WHERE m.id = $1 AND d.name = $2";
    let found: Result<Option<(String,)>> =
        db::read!(db, |tx| Ok(db::optional!(tx, (String,), find, id, id.to_string())?));
    found.unwrap().is_some()
}

async fn names(db: &Db) -> i64 {
    let counted: Result<i64> =
        db::read!(db, |tx| Ok(db::one!(tx, (i64,), "SELECT COUNT(*) FROM directory")?.0));
    counted.unwrap()
}

/// A database made from a backup and nothing else.
struct Restored {
    url: String,
    _server: Option<postgres::Database>,
}

impl Restored {
    async fn open(&self) -> Db {
        Db::connect(&self.url, &Options::default()).await.expect("the copy opens")
    }
}

async fn back_up_and_restore(test: &TestDb) -> Restored {
    let directory = scratch::directory("backup");
    match test.engine {
        Engine::Sqlite => {
            let file = directory.join("counterfoil.db").display().to_string();
            let mut source = SqliteConnection::connect(&test.url).await.unwrap();
            sqlx::query("VACUUM INTO $1").bind(&file).execute(&mut source).await.unwrap();
            source.close().await.unwrap();
            Restored { url: format!("sqlite://{file}"), _server: None }
        }
        Engine::Postgres => {
            let (source, file) = (test.url.clone(), directory.join("counterfoil.dump"));
            let empty = postgres::empty_database().await;
            let target = empty.url.clone();
            let work = move || {
                dump(&source, &file);
                restore(&file, &target);
            };
            tokio::task::spawn_blocking(work).await.unwrap();
            Restored { url: empty.url.clone(), _server: Some(empty) }
        }
    }
}

fn dump(source: &str, file: &Path) {
    let mut command = Command::new(postgres::tool("pg_dump"));
    command.args(["--format=custom", "--dbname", source, "--file"]).arg(file);
    expect_success("pg_dump", &command.output().unwrap());
}

fn restore(file: &Path, target: &str) {
    let mut command = Command::new(postgres::tool("pg_restore"));
    command.args(["--exit-on-error", "--single-transaction", "--no-owner"]);
    command.args(["--dbname", target]).arg(file);
    expect_success("pg_restore", &command.output().unwrap());
}

fn expect_success(what: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}");
}
