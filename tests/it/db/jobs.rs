//! The job queue, on both engines.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use counterfoil::{
    base::{
        clock::Clock,
        failure::{Code, Failure, Result},
        random::Random,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db,
    jobs::{self, Handler, Job, NewJob, Next, Retry, Runner},
};
use futures_util::future::BoxFuture;

use super::{HOUSE, ctx};
use crate::support::both::both;

/// Counts its runs; fails the first `failures` of them.
struct Counting {
    runs: Arc<AtomicI64>,
    failures: i64,
    next: Next,
}

impl Handler for Counting {
    fn kind(&self) -> &'static str {
        "count"
    }

    fn retry(&self) -> Retry {
        Retry {
            max_attempts: 3,
            first_pause: Duration::from_secs(10),
            longest_pause: Duration::from_mins(1),
        }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, job: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            assert_eq!(job.payload::<u32>()?, 7);
            if self.runs.fetch_add(1, Ordering::SeqCst) < self.failures {
                return Err(Failure::new(Code::Unavailable));
            }
            if self.next == Next::Finished {
                db::write!(ctx.db, HOUSE, |tx| jobs::finish(tx, job).await)?;
            }
            Ok(match self.next {
                // Counted from now, so that each run is later than the last.
                Next::At(pause) => Next::At(ctx.now().plus(pause.since(Timestamp::from_micros(0)))),
                next => next,
            })
        })
    }
}

/// Writes, and does nothing else, until its lease has been renewed three times.
struct Busy;

impl Handler for Busy {
    fn kind(&self) -> &'static str {
        "busy"
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, job: &'a Job) -> BoxFuture<'a, Result<Next>> {
        const RENEWED: &str =
            "UPDATE jobs SET attempts = attempts WHERE id = $1 RETURNING run_at_us";
        Box::pin(async move {
            let mut seen = BTreeSet::new();
            // Its first end, and three later ones.
            while seen.len() < 4 {
                let until: Result<(i64,)> =
                    db::write!(ctx.db, HOUSE, |tx| Ok(db::one!(tx, (i64,), RENEWED, job.id)?));
                seen.insert(until?.0);
            }
            Ok(Next::Done)
        })
    }
}

fn runner(ctx: &Ctx, failures: i64, next: Next) -> (Runner, Arc<AtomicI64>) {
    let runs = Arc::new(AtomicI64::new(0));
    let handler = Counting { runs: runs.clone(), failures, next };
    (Runner::new(ctx.clone(), vec![Box::new(handler)], 4), runs)
}

async fn enqueue(ctx: &Ctx, new: NewJob) {
    let queued: Result<()> = db::write!(ctx.db, HOUSE, |tx| jobs::enqueue(tx, ctx, &new).await);
    queued.unwrap();
}

async fn left(ctx: &Ctx) -> Vec<(String, i64)> {
    let counted: Result<_> = db::read!(ctx.db, |tx| jobs::count(tx).await);
    counted.unwrap()
}

both! {
    async fn a_due_job_runs_once_and_a_later_one_waits(test: TestDb) {
        let (ctx, clock) = ctx(&test.open().await);
        let (runner, runs) = runner(&ctx, 0, Next::Done);
        let later = ctx.now().plus(Duration::from_mins(1));
        enqueue(&ctx, NewJob::new("count", ctx.now(), &7).unwrap()).await;
        enqueue(&ctx, NewJob::new("count", later, &7).unwrap()).await;
        assert_eq!(runner.run_due_jobs().await.unwrap(), 1);
        clock.advance(Duration::from_mins(1));
        assert_eq!(runner.run_due_jobs().await.unwrap(), 1);
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        assert_eq!(left(&ctx).await, []);
    }

    async fn a_job_that_rolls_back_with_its_cause_never_runs(test: TestDb) {
        let (ctx, _) = ctx(&test.open().await);
        let job = NewJob::new("count", ctx.now(), &7).unwrap();
        let undone: Result<()> = db::write!(ctx.db, HOUSE, |tx| {
            jobs::enqueue(tx, &ctx, &job).await?;
            Err(Failure::new(Code::InvalidState))
        });
        undone.unwrap_err();
        assert_eq!(left(&ctx).await, []);
    }

    async fn a_failing_job_comes_back_later_and_dies_in_the_end(test: TestDb) {
        let (ctx, clock) = ctx(&test.open().await);
        let (runner, runs) = runner(&ctx, 99, Next::Done);
        enqueue(&ctx, NewJob::new("count", ctx.now(), &7).unwrap()).await;
        assert_eq!(runner.run_due_jobs().await.unwrap(), 1);
        assert_eq!(runner.run_due_jobs().await.unwrap(), 0, "not before its pause is over");
        for _ in 0..5 {
            clock.advance(Duration::from_mins(2));
            runner.run_due_jobs().await.unwrap();
        }
        assert_eq!(runs.load(Ordering::SeqCst), 3);
        assert_eq!(left(&ctx).await, [("dead".to_owned(), 1)]);
    }

    /// A job that is busy on the lane of its own heartbeat; each must get its turn.
    async fn a_lease_is_renewed_while_its_job_writes(test: TestDb) {
        let ctx = Ctx {
            db: test.open().await,
            clock: Clock::system(),
            random: Random::system(),
        };
        let runner = Runner::new(ctx.clone(), vec![Box::new(Busy)], 1);
        enqueue(&ctx, NewJob::new("busy", ctx.now(), &7).unwrap()).await;
        let often = runner.beating_every(Duration::from_millis(5));
        let ran = tokio::time::timeout(Duration::from_secs(20), often.run_due_jobs()).await;
        assert_eq!(ran.unwrap().unwrap(), 1);
        assert_eq!(left(&ctx).await, []);
    }

    async fn a_unique_job_is_queued_once_until_it_is_done(test: TestDb) {
        let (ctx, _) = ctx(&test.open().await);
        let (runner, runs) = runner(&ctx, 0, Next::Finished);
        let job = || NewJob::new("count", ctx.now(), &7).unwrap().unique("only");
        enqueue(&ctx, job()).await;
        enqueue(&ctx, job()).await;
        assert_eq!(runner.run_due_jobs().await.unwrap(), 1);
        enqueue(&ctx, job()).await;
        assert_eq!(runner.run_due_jobs().await.unwrap(), 1);
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        assert_eq!(left(&ctx).await, []);
    }

    async fn a_recurring_job_goes_on(test: TestDb) {
        let (ctx, clock) = ctx(&test.open().await);
        let (runner, runs) = runner(&ctx, 0, Next::At(Timestamp::from_unix_seconds(30)));
        enqueue(&ctx, NewJob::new("count", ctx.now(), &7).unwrap()).await;
        assert_eq!(runner.run_due_jobs().await.unwrap(), 1);
        clock.advance(Duration::from_secs(29));
        assert_eq!(runner.run_due_jobs().await.unwrap(), 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(runner.run_due_jobs().await.unwrap(), 1);
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }

    /// Two replicas lease at the same moment; a job belongs to one of them.
    async fn two_replicas_never_have_the_same_job(test: TestDb) {
        let (one, two) = (test.open().await, test.open().await);
        let (one, _) = ctx(&one);
        let two = Ctx { db: two, ..one.clone() };
        for _ in 0..100 {
            enqueue(&one, NewJob::new("count", one.now(), &7).unwrap()).await;
        }
        let (first, first_runs) = runner(&one, 0, Next::Done);
        let (second, second_runs) = runner(&two, 0, Next::Done);
        let (ran, also) = tokio::join!(first.run_due_jobs(), second.run_due_jobs());
        assert_eq!(ran.unwrap() + also.unwrap(), 100);
        let runs = first_runs.load(Ordering::SeqCst) + second_runs.load(Ordering::SeqCst);
        assert_eq!(runs, 100);
        assert_eq!(left(&one).await, []);
    }
}
