//! The database goes away, hangs or fills up: clean refusals, and all is well when it is back.

use std::time::Duration;

use counterfoil::{
    base::failure::Code,
    db::{Db, Options},
};

use super::{count, insert};
use crate::support::{
    both::{SHORT_PATIENCE, TestDb},
    postgres,
};

fn fresh() -> counterfoil::base::ids::MerchantId {
    use counterfoil::base::{clock::Clock, ids::MerchantId, random::Random};
    MerchantId::make(&Clock::system(), &Random::system())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_server_is_a_clean_refusal_and_comes_back_by_itself() {
    let (test, line) = TestDb::postgres_on_a_line().await;
    let options = Options { patience: SHORT_PATIENCE, ..Options::default() };
    let db = Db::connect(&test.url, &options).await.unwrap();
    insert(&db, fresh()).await.unwrap();
    line.cut();
    for _ in 0..3 {
        let refused = insert(&db, fresh()).await.unwrap_err();
        assert!(matches!(refused.code(), Code::Unavailable | Code::OutcomeUnknown), "{refused:?}");
        assert_eq!(db.ping().await.unwrap_err().code(), Code::Unavailable);
    }
    line.mend();
    let recovered = async {
        while insert(&db, fresh()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), recovered).await.unwrap();
    assert_eq!(count(&db).await, 2);
}

/// After a restart of the server the first caller must not pay for the stale connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_not_noticed() {
    let mut server = postgres::Server::start(&postgres::Options::default());
    let db = Db::connect(&server.url("postgres"), &Options::default()).await.unwrap();
    db.migrate().await.unwrap();
    insert(&db, fresh()).await.unwrap();
    assert_eq!(count(&db).await, 1);
    server.stop();
    server.start_again();
    insert(&db, fresh()).await.unwrap();
    assert_eq!(count(&db).await, 2);
}

/// A slow statement is cancelled, and its caller may try again: nothing was done.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_a_clean_refusal() {
    let test = TestDb::postgres().await;
    let options = Options { statement_timeout: Duration::from_millis(50), ..Options::default() };
    let db = Db::connect(&test.url, &options).await.unwrap();
    // It counts for ever: only the time limit ends it.
    let slow = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT 1 FROM numbers)
        SELECT COUNT(*) FROM numbers";
    let refused: counterfoil::base::failure::Result<()> =
        counterfoil::db::write!(db, super::HOUSE, |tx| {
            super::insert_in(tx, fresh()).await?;
            counterfoil::db::optional!(tx, (i64,), slow)?;
            Ok(())
        });
    assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
    assert_eq!(count(&db).await, 0);
    insert(&db, fresh()).await.unwrap();
}

/// What no repetition can mend is never called unavailable: 22021, a NUL, was once taken for a locked file.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_server_refuses_is_no_reason_to_try_again() {
    let test = TestDb::postgres().await;
    let db = test.open().await;
    for (sql, value) in [
        ("SELECT CAST($1 AS TEXT)", "a\0b"),
        ("SELECT CAST(CAST(CAST($1 AS TEXT) AS BIGINT) AS TEXT)", "ten"),
        ("SELECT CAST(CAST(CAST($1 AS TEXT) AS BIGINT) AS TEXT)", "9999999999999999999999"),
        ("SELECT CAST(1 / LENGTH(CAST($1 AS TEXT)) AS TEXT)", ""),
    ] {
        let refused: counterfoil::base::failure::Result<Option<(String,)>> = counterfoil::db::read!(
            db,
            |tx| Ok(counterfoil::db::optional!(tx, (String,), sql, value)?)
        );
        assert_eq!(refused.unwrap_err().code(), Code::Internal, "{sql} of {value:?}");
    }
}

/// A disk that is full refuses writes and goes on answering questions.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_file_refuses_writes_and_recovers() {
    let test = TestDb::sqlite().await;
    let db = test.open().await;
    insert(&db, fresh()).await.unwrap();
    set_max_pages(&db, 1).await;
    let refused = loop {
        if let Err(refused) = insert(&db, fresh()).await {
            break refused;
        }
    };
    assert!(matches!(refused.code(), Code::Unavailable | Code::OutcomeUnknown), "{refused:?}");
    let before = count(&db).await;
    set_max_pages(&db, 1_000_000).await;
    insert(&db, fresh()).await.unwrap();
    assert_eq!(count(&db).await, before + 1);
}

/// SQLite never goes below the present size, so one page means "no more pages".
async fn set_max_pages(db: &Db, pages: u32) {
    let sql =
        if pages == 1 { "PRAGMA max_page_count = 1" } else { "PRAGMA max_page_count = 1000000" };
    let set: counterfoil::base::failure::Result<()> =
        counterfoil::db::write!(db, super::HOUSE, |tx| {
            counterfoil::db::optional!(tx, (i64,), sql)?;
            Ok(())
        });
    set.unwrap();
}
