//! Group commit: what is acknowledged is there, what failed or went away is not, and nobody hangs.

#![expect(clippy::disallowed_methods, reason = "a test abandons its own tasks on purpose")]

use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::Poll,
    time::Duration,
};

use counterfoil::{
    base::{
        clock::Clock,
        failure::{Code, Failure, Result},
        ids::MerchantId,
        random::Random,
    },
    db::{self, Db, Options, Owner},
};
use tokio::{
    sync::{Barrier, oneshot},
    task::{JoinHandle, JoinSet},
};

use super::{HOUSE, count, goes_on, insert, insert_in, is_there};
use crate::support::both::{TestDb, both};

fn fresh() -> MerchantId {
    MerchantId::make(&Clock::system(), &Random::system())
}

async fn insert_then_fail(db: &Db, id: MerchantId) -> Result<()> {
    db::write!(db, HOUSE, |tx| {
        insert_in(tx, id).await?;
        Err(Failure::new(Code::InvalidState))
    })
}

both! {
    /// Of many writes at once, those that fail leave nothing and disturb nobody.
    async fn a_failing_write_undoes_itself_alone(test: TestDb) {
        let db = test.open().await;
        let mut writes = JoinSet::new();
        for number in 0..300 {
            let db = db.clone();
            writes.spawn(async move {
                let id = fresh();
                match number % 3 {
                    0 => insert_then_fail(&db, id).await.unwrap_err().code() == Code::InvalidState,
                    1 => db::write!(db, HOUSE, |tx| insert_in(tx, id).await).is_ok(),
                    // The same row twice: the statement itself fails, which on PostgreSQL breaks
                    // the transaction back to the savepoint.
                    _ => db::write!(db, HOUSE, |tx| {
                        insert_in(tx, id).await?;
                        insert_in(tx, id).await
                    })
                    .is_err(),
                }
            });
        }
        assert!(writes.join_all().await.into_iter().all(|as_expected| as_expected));
        assert_eq!(count(&db).await, 100);
    }

    /// What a write has been told is done is there for another connection.
    async fn an_acknowledged_write_is_there(test: TestDb) {
        let (db, other) = (test.open().await, test.open().await);
        for expected in 1..=20 {
            insert(&db, fresh()).await.unwrap();
            assert_eq!(count(&other).await, expected);
        }
    }

    /// A caller whose client goes away in the middle of its work leaves no half of it, and those
    /// who share its transaction get theirs.
    async fn a_caller_that_goes_away_is_undone(test: TestDb) {
        let db = test.open().await;
        for _ in 0..30 {
            let (halfway, reached) = oneshot::channel();
            let leaver = tokio::spawn(stuck_halfway(db.clone(), halfway));
            reached.await.unwrap();
            let mut others = JoinSet::new();
            for _ in 0..3 {
                let db = db.clone();
                others.spawn(async move { insert(&db, fresh()).await });
            }
            leaver.abort();
            for other in others.join_all().await {
                other.unwrap();
            }
        }
        assert_eq!(count(&db).await, 90);
    }

    /// One that leaves the queue may have been the one that the last turn left its commit to.
    async fn nobody_waits_for_a_caller_that_left_the_queue(test: TestDb) {
        let db = test.open().await;
        for _ in 0..30 {
            let holder = InTurn::insert(&db, HOUSE, fresh()).await;
            let mut waiter = Box::pin(insert(&db, fresh()));
            poll_once(waiter.as_mut()).await;
            let holder = holder.finish();
            drop(waiter);
            // Without the rescue this would hang until the harness gives up.
            tokio::time::timeout(Duration::from_secs(20), holder).await.unwrap().unwrap().unwrap();
        }
        assert_eq!(count(&db).await, 30);
    }

    /// Whoever is last commits for all who share the transaction, and may go away at any step of that: the
    /// others are told the truth.
    async fn a_commit_outlives_the_caller_that_makes_it(test: TestDb) {
        let db = test.open().await;
        let mut departures = Departures::default();
        while departures.not_all_seen() {
            let first = fresh();
            let writes = InTurn::insert(&db, HOUSE, first).await;
            let mut last = Box::pin(insert_for(&db, HOUSE, fresh()));
            poll_once(last.as_mut()).await;
            let writes = writes.finish();
            let stayed = goes_on(last.as_mut(), departures.steps()).await;
            drop(last);
            let kept = writes.await.unwrap().is_ok();
            assert_eq!(is_there(&db, first).await, kept, "{departures:?}");
            departures.note(stayed, kept);
        }
    }

    /// A body that goes on after a failed statement: PostgreSQL answers its COMMIT with ROLLBACK, and
    /// reports no error.
    async fn what_was_rolled_back_is_never_reported_as_durable(test: TestDb) {
        let db = test.open().await;
        let alone = insert_and_hide_a_fault(&db, fresh()).await;
        assert_eq!(count(&db).await, i64::from(alone.is_ok()), "{alone:?}");
        let mut writes = JoinSet::new();
        for number in 0..60 {
            let db = db.clone();
            writes.spawn(async move {
                match number % 3 {
                    0 => insert_and_hide_a_fault(&db, fresh()).await.is_ok(),
                    _ => insert(&db, fresh()).await.is_ok(),
                }
            });
        }
        let told = writes.join_all().await.into_iter().filter(|done| *done).count();
        let told = told + usize::from(alone.is_ok());
        assert_eq!(usize::try_from(count(&db).await), Ok(told));
    }

    /// A full queue refuses at once instead of letting callers pile up.
    async fn a_full_queue_refuses_at_once(test: TestDb) {
        let options = Options { queue_depth: 2, postgres_lanes: 1, ..Options::default() };
        let db = Db::connect(&test.url, &options).await.unwrap();
        let holder = InTurn::insert(&db, HOUSE, fresh()).await;
        let mut waiter = Box::pin(insert(&db, fresh()));
        poll_once(waiter.as_mut()).await;
        let refused = insert(&db, fresh()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert!(refused.headers().iter().any(|(name, _)| *name == "retry-after"));
        let (first, second) = tokio::join!(holder.finish(), waiter);
        first.unwrap().unwrap();
        second.unwrap();
        assert_eq!(count(&db).await, 2);
    }
}

/// One step in a merchant's row. `meet` is waited for with the row locked.
async fn touch(db: &Db, id: MerchantId, meet: Option<&Barrier>, runs: &AtomicUsize) -> Result<()> {
    const TOUCH: &str = "UPDATE merchants SET name = name WHERE id = $1";
    db::write!(db, id, |tx| {
        db::exec!(tx, TOUCH, id)?;
        if let (0 | 1, Some(meet)) = (runs.fetch_add(1, Ordering::SeqCst), meet) {
            meet.wait().await;
        }
        Ok(())
    })
}

/// Each with one lane.
async fn two_replicas() -> (TestDb, Db, Db) {
    let test = TestDb::postgres().await;
    let options = Options { postgres_lanes: 1, ..Options::default() };
    let here = Db::connect(&test.url, &options).await.unwrap();
    let there = Db::connect(&test.url, &options).await.unwrap();
    (test, here, there)
}

/// On two replicas one lane each has a merchant's row and the other's merchant waiting behind: a lane that
/// waited there with the row in its hands would wait for the other one for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_of_two_replicas_do_not_wait_for_each_other() {
    let (_test, here, there) = two_replicas().await;
    let (one, two) = (fresh(), fresh());
    insert(&here, one).await.unwrap();
    insert(&here, two).await.unwrap();
    let (meet, runs) = (Barrier::new(2), AtomicUsize::new(0));
    let (a, b, c, d) = tokio::join!(
        touch(&here, one, Some(&meet), &runs),
        touch(&here, two, None, &runs),
        touch(&there, two, Some(&meet), &runs),
        touch(&there, one, None, &runs),
    );
    for done in [a, b, c, d] {
        done.unwrap();
    }
    assert_eq!(runs.into_inner(), 4, "nobody had to run again");
}

/// A merchant who is busy on another replica makes this one commit what is open before it waits. Whoever came for
/// that merchant may go away at any step: it was only the messenger of that commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_for_a_busy_merchant_outlives_its_caller() {
    let (_test, here, there) = two_replicas().await;
    let mut departures = Departures::default();
    while departures.not_all_seen() {
        let (first, busy) = (fresh(), fresh());
        let elsewhere = InTurn::insert(&there, busy, busy).await;
        let writes = InTurn::insert(&here, HOUSE, first).await;
        let mut last = Box::pin(insert_for(&here, busy, fresh()));
        poll_once(last.as_mut()).await;
        let writes = writes.finish();
        let steps = departures.steps();
        let comes_and_goes = async move { goes_on(last.as_mut(), steps).await };
        let (stayed, kept) = tokio::join!(comes_and_goes, async {
            let kept = writes.await.unwrap().is_ok();
            elsewhere.finish().await.unwrap().unwrap();
            kept
        });
        assert_eq!(is_there(&here, first).await, kept, "{departures:?}");
        departures.note(stayed, kept);
    }
}

/// The steps at which a caller has left, a step later each time, until it stays; and from the first step on again
/// where answers came so quickly that steps were left out.
#[derive(Debug, Default)]
struct Departures {
    left: usize,
    rounds: usize,
    /// One has left the work of others in a transaction that nobody could trust any more, and undone it.
    undid: bool,
    /// And a later one no longer has.
    survived: bool,
}

impl Departures {
    fn steps(&self) -> usize {
        self.left + 1
    }

    fn note(&mut self, stayed: bool, kept: bool) {
        if stayed {
            assert!(kept, "{self:?}");
            (self.left, self.undid) = (0, false);
            self.rounds += 1;
        } else {
            self.left += 1;
            self.survived |= self.undid && kept;
            self.undid |= !kept;
        }
    }

    fn not_all_seen(&self) -> bool {
        assert!(self.rounds < 50 || self.survived, "no departure was survived: {self:?}");
        self.rounds == 0 || !self.survived
    }
}

async fn insert_and_hide_a_fault(db: &Db, id: MerchantId) -> Result<()> {
    db::write!(db, HOUSE, |tx| {
        insert_in(tx, id).await?;
        insert_in(tx, id).await.unwrap_err();
        Ok(())
    })
}

async fn stuck_halfway(db: Db, halfway: oneshot::Sender<()>) -> Result<()> {
    let mut halfway = Some(halfway);
    db::write!(db, HOUSE, |tx| {
        insert_in(tx, fresh()).await?;
        if let Some(halfway) = halfway.take() {
            halfway.send(()).unwrap();
        }
        std::future::pending().await
    })
}

async fn insert_for(db: &Db, owner: impl Into<Owner>, id: MerchantId) -> Result<()> {
    db::write!(db, owner, |tx| insert_in(tx, id).await)
}

/// A writer who has its turn, and keeps it until it is told to finish.
struct InTurn {
    writer: JoinHandle<Result<()>>,
    finish: oneshot::Sender<()>,
}

impl InTurn {
    async fn insert(db: &Db, owner: impl Into<Owner>, id: MerchantId) -> Self {
        let (in_turn, reached) = oneshot::channel();
        let (finish, finished) = oneshot::channel();
        let (db, owner) = (db.clone(), owner.into());
        let mut wait = Some((in_turn, finished));
        let writer = tokio::spawn(async move {
            db::write!(db, owner, |tx| {
                if let Some((in_turn, finished)) = wait.take() {
                    in_turn.send(()).unwrap();
                    finished.await.unwrap();
                }
                insert_in(tx, id).await
            })
        });
        reached.await.unwrap();
        Self { writer, finish }
    }

    fn finish(self) -> JoinHandle<Result<()>> {
        self.finish.send(()).unwrap();
        self.writer
    }
}

async fn poll_once<F: Future + Unpin>(future: F) {
    let mut future = pin!(future);
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}
