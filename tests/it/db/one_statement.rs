//! The door for one statement: alone it is a transaction by itself, in a crowd it shares a commit, and either way
//! its caller is told the truth.

use std::time::Duration;

use counterfoil::{
    base::{
        clock::Clock,
        failure::{Code, Result},
        ids::MerchantId,
        random::Random,
    },
    db::{self, Db, Options},
};
use tokio::task::JoinSet;

use super::{HOUSE, count, goes_on, insert, insert_in, is_there};
use crate::support::{
    both::{SHORT_PATIENCE, TestDb, both},
    postgres,
};

fn fresh() -> MerchantId {
    MerchantId::make(&Clock::system(), &Random::system())
}

async fn insert_one(db: &Db, id: MerchantId) -> Result<()> {
    // One lane, whoever it is about.
    db::write_one!(db, HOUSE, |tx| insert_in(tx, id).await)
}

both! {
    /// Neither engine allows VACUUM inside a transaction.
    async fn alone_it_needs_no_transaction_around_it(test: TestDb) {
        let db = test.open().await;
        insert(&db, fresh()).await.unwrap();
        let wrapped: Result<u64> = db::write!(db, HOUSE, |tx| Ok(db::exec!(tx, "VACUUM")?));
        assert_eq!(wrapped.unwrap_err().code(), Code::Internal);
        let alone: Result<u64> = db::write_one!(db, HOUSE, |tx| Ok(db::exec!(tx, "VACUUM")?));
        alone.unwrap();
        insert(&db, fresh()).await.unwrap();
        assert_eq!(count(&db).await, 2);
    }

    async fn what_it_was_told_is_there_for_others(test: TestDb) {
        let (db, other) = (test.open().await, test.open().await);
        for expected in 1..=20 {
            insert_one(&db, fresh()).await.unwrap();
            assert_eq!(count(&other).await, expected);
        }
    }

    async fn in_a_crowd_of_both_kinds_everybody_gets_theirs(test: TestDb) {
        let db = test.open().await;
        let taken = fresh();
        insert(&db, taken).await.unwrap();
        let mut writes = JoinSet::new();
        for number in 0..300 {
            let db = db.clone();
            writes.spawn(async move {
                match number % 3 {
                    0 => insert_one(&db, fresh()).await.is_ok(),
                    1 => insert(&db, fresh()).await.is_ok(),
                    _ => insert_one(&db, taken).await.is_err(),
                }
            });
        }
        assert!(writes.join_all().await.into_iter().all(|as_expected| as_expected));
        assert_eq!(count(&db).await, 201);
    }

    /// The first would be durable whatever became of the second.
    async fn a_second_statement_is_refused(test: TestDb) {
        let db = test.open().await;
        let (first, second) = (fresh(), fresh());
        let refused: Result<()> = db::write_one!(db, HOUSE, |tx| {
            insert_in(tx, first).await?;
            insert_in(tx, second).await
        });
        // Nor may the caller be told that nothing was done.
        assert_eq!(refused.unwrap_err().code(), Code::OutcomeUnknown);
        assert!(is_there(&db, first).await && !is_there(&db, second).await);
        insert(&db, second).await.unwrap();
        let both = "DELETE FROM merchants; DELETE FROM merchants";
        let refused: Result<u64> = db::write_one!(db, HOUSE, |tx| Ok(db::exec!(tx, both)?));
        assert_eq!(refused.unwrap_err().code(), Code::Internal);
        assert_eq!(count(&db).await, 2);
    }

    async fn a_fault_that_the_body_hides_is_not_called_durable(test: TestDb) {
        let db = test.open().await;
        let id = fresh();
        insert(&db, id).await.unwrap();
        let hidden: Result<()> = db::write_one!(db, HOUSE, |tx| {
            insert_in(tx, id).await.unwrap_err();
            Ok(())
        });
        assert_eq!(hidden.unwrap_err().code(), Code::OutcomeUnknown);
        insert_one(&db, fresh()).await.unwrap();
        assert_eq!(count(&db).await, 2);
    }

    /// Who takes one row does not wait for the end of the statement, which is the commit.
    async fn a_statement_whose_end_nobody_awaits_is_refused(test: TestDb) {
        let db = test.open().await;
        let sql = "UPDATE merchants SET name = 'Another' RETURNING id";
        insert(&db, fresh()).await.unwrap();
        let refused: Result<Option<(MerchantId,)>> =
            db::write_one!(db, HOUSE, |tx| Ok(db::optional!(tx, (MerchantId,), sql)?));
        assert_eq!(refused.unwrap_err().code(), Code::Internal);
        let all: Result<Vec<(MerchantId,)>> =
            db::write_one!(db, HOUSE, |tx| Ok(db::all!(tx, (MerchantId,), sql)?));
        assert_eq!(all.unwrap().len(), 1);
    }

    /// It has done what it was told, though nobody can read what it says of it.
    async fn an_answer_that_cannot_be_read_is_no_failure_of_the_statement(test: TestDb) {
        let db = test.open().await;
        let id = fresh();
        insert(&db, id).await.unwrap();
        let sql = "UPDATE merchants SET name = 'Renamed' WHERE id = $1 RETURNING name";
        let unread: Result<Vec<(i64,)>> =
            db::write_one!(db, HOUSE, |tx| Ok(db::all!(tx, (i64,), sql, id)?));
        assert_eq!(unread.unwrap_err().code(), Code::OutcomeUnknown);
        let renamed: Result<(i64,)> = db::read!(db, |tx| Ok(db::one!(
            tx,
            (i64,),
            "SELECT COUNT(*) FROM merchants WHERE name = 'Renamed'"
        )?));
        assert_eq!(renamed.unwrap(), (1,));
    }

    /// At whatever step its caller goes away, those who come next find the door as it should be.
    async fn a_caller_may_go_away_at_any_step(test: TestDb) {
        let db = test.open().await;
        for steps in 1.. {
            let mut leaver = Box::pin(insert_one(&db, fresh()));
            let stayed = goes_on(leaver.as_mut(), steps).await;
            drop(leaver);
            let (one, more) = (fresh(), fresh());
            insert_one(&db, one).await.unwrap();
            insert(&db, more).await.unwrap();
            assert!(is_there(&db, one).await && is_there(&db, more).await, "left at step {steps}");
            if stayed {
                break;
            }
        }
    }
}

/// A statement may have been committed although its answer is lost; running it again by ourselves could do it
/// twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_an_unknown_outcome() {
    let (test, line) = TestDb::postgres_on_a_line().await;
    let options =
        Options { patience: SHORT_PATIENCE, fresh: Duration::from_hours(1), ..Options::default() };
    let db = Db::connect(&test.url, &options).await.unwrap();
    insert_one(&db, fresh()).await.unwrap();
    line.cut();
    let lost = insert_one(&db, fresh()).await.unwrap_err();
    assert_eq!(lost.code(), Code::OutcomeUnknown, "{:?}", lost.cause_chain());
    assert_eq!(insert_one(&db, fresh()).await.unwrap_err().code(), Code::Unavailable);
    line.mend();
    let recovered = async {
        while insert_one(&db, fresh()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), recovered).await.unwrap();
    assert_eq!(count(&db).await, 2);
}

/// A connection that has rested is asked first, by a `BEGIN` whose loss loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_restarted_meanwhile_is_not_noticed() {
    let mut server = postgres::Server::start(&postgres::Options::default());
    let options = Options { fresh: Duration::ZERO, ..Options::default() };
    let db = Db::connect(&server.url("postgres"), &options).await.unwrap();
    db.migrate().await.unwrap();
    insert_one(&db, fresh()).await.unwrap();
    server.stop();
    server.start_again();
    insert_one(&db, fresh()).await.unwrap();
    assert_eq!(count(&db).await, 2);
}
