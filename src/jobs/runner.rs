//! Leases due jobs and runs their handlers.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    sync::{Semaphore, oneshot},
    time::{interval, timeout},
};

use super::{Job, Next, Retry, store};
use crate::{
    base::{failure::Result, ids::JobId, tasks::Tasks, timestamp::Timestamp},
    ctx::Ctx,
    db::{self, Owner},
};

/// How long a job belongs to a replica that shows no sign of life.
const LEASE: Duration = Duration::from_mins(1);
/// How often a sign of life is given.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// How many jobs one trip to the database leases.
const BATCH: i64 = 32;

/// What does the jobs of one kind.
pub trait Handler: Send + Sync {
    /// The kind, as in [`super::NewJob::new`].
    fn kind(&self) -> &'static str;

    /// How patient it is.
    fn retry(&self) -> Retry {
        Retry::default()
    }

    /// Does one job. May be called again for the same job: after a crash, or when the lease was lost.
    fn run<'a>(&'a self, ctx: &'a Ctx, job: &'a Job) -> BoxFuture<'a, Result<Next>>;
}

/// Runs jobs on this replica.
#[derive(Clone)]
pub struct Runner {
    ctx: Ctx,
    handlers: Arc<HashMap<&'static str, Box<dyn Handler>>>,
    concurrency: usize,
    heartbeat: Duration,
}

impl Runner {
    /// A runner for these handlers; jobs of other kinds are left for replicas that know them.
    pub fn new(ctx: Ctx, handlers: Vec<Box<dyn Handler>>, concurrency: usize) -> Self {
        let handlers = handlers.into_iter().map(|handler| (handler.kind(), handler)).collect();
        let concurrency = concurrency.max(1);
        Self { ctx, handlers: Arc::new(handlers), concurrency, heartbeat: HEARTBEAT }
    }

    /// How often a lease is renewed; a test has no time to wait for the usual.
    #[must_use]
    pub fn beating_every(self, heartbeat: Duration) -> Self {
        Self { heartbeat, ..self }
    }

    /// Runs jobs until shutdown; polls, and wakes early when the bell rings.
    pub async fn run(self, tasks: Tasks, poll: Duration) {
        let places = Arc::new(Semaphore::new(self.concurrency));
        while !tasks.is_stopping() {
            let leased = match self.lease().await {
                Ok(jobs) => jobs,
                Err(failure) => {
                    let cause = failure.cause_chain();
                    tracing::warn!(cause, "Jobs could not be leased; trying again.");
                    Vec::new()
                }
            };
            let idle = leased.is_empty();
            for job in leased {
                let Ok(place) = places.clone().acquire_owned().await else { return };
                let runner = self.clone();
                tasks.spawn(async move {
                    runner.work(&job).await;
                    drop(place);
                });
            }
            if idle {
                tokio::select! {
                    _ = timeout(poll, self.ctx.db.work_queued()) => {}
                    () = tasks.stopping() => {}
                }
            }
        }
    }

    /// Runs everything that is due by the clock, one after the other, until nothing is; for tests
    /// and for the end of a sandbox command. Gives the number of jobs run.
    pub async fn run_due_jobs(&self) -> Result<usize> {
        let mut ran = 0;
        loop {
            let jobs = self.lease().await?;
            if jobs.is_empty() {
                return Ok(ran);
            }
            for job in jobs {
                self.work(&job).await;
                ran += 1;
            }
        }
    }

    async fn lease(&self) -> Result<Vec<Job>> {
        let now = self.ctx.now();
        let lease_id = JobId::make(&self.ctx.clock, &self.ctx.random).to_string();
        db::write!(self.ctx.db, Owner::House, |tx| {
            Ok(store::lease(tx, now, BATCH, &lease_id, now.plus(LEASE)).await?)
        })
    }

    async fn work(&self, job: &Job) {
        let Some(handler) = self.handlers.get(job.kind.as_str()) else {
            return self.unknown(job).await;
        };
        let outcome = self.with_heartbeat(job, handler.run(&self.ctx, job)).await;
        let label = if outcome.is_ok() { "ok" } else { "failed" };
        metrics::counter!("jobs_run_total", "kind" => handler.kind(), "outcome" => label)
            .increment(1);
        let settled = match outcome {
            Ok(Next::Finished) => Ok(()),
            Ok(Next::Done) => self.delete(job).await,
            Ok(Next::At(at)) => self.put_back(job, Some(at), 0, None).await,
            Err(failure) => {
                let cause = failure.cause_chain().unwrap_or_else(|| failure.to_string());
                let next = handler.retry().next(job.attempts, self.ctx.now(), &self.ctx.random);
                tracing::warn!(
                    job = %job.id, kind = job.kind, attempt = job.attempts, cause,
                    dead = next.is_none(), "A job failed."
                );
                self.put_back(job, next, job.attempts, Some(&cause)).await
            }
        };
        if let Err(failure) = settled {
            // The lease will run out and the job will run again: handlers bear that.
            tracing::warn!(job = %job.id, %failure, "A job's end could not be written.");
        }
    }

    /// Both are polled until the end: work that has the lane, or is next in its line, must not be left lying while the
    /// heartbeat waits for that lane. Nor is a renewal dropped half way, which could break a commit of others.
    async fn with_heartbeat<T>(&self, job: &Job, work: impl Future<Output = T>) -> T {
        let (working, ended) = oneshot::channel();
        let work = async {
            let outcome = work.await;
            drop(working);
            outcome
        };
        tokio::join!(work, self.beat(job, ended)).0
    }

    async fn beat(&self, job: &Job, mut ended: oneshot::Receiver<Infallible>) {
        let mut beat = interval(self.heartbeat);
        beat.tick().await;
        loop {
            tokio::select! {
                biased;
                _ = &mut ended => return,
                _ = beat.tick() => {}
            }
            let until = self.ctx.now().plus(LEASE);
            let renewed: Result<()> = db::write!(self.ctx.db, Owner::House, |tx| {
                Ok(store::renew(tx, job, until).await?)
            });
            if let Err(failure) = renewed {
                tracing::warn!(job = %job.id, %failure, "A job's lease was not renewed.");
            }
        }
    }

    async fn delete(&self, job: &Job) -> Result<()> {
        db::write!(self.ctx.db, Owner::House, |tx| Ok(store::delete(tx, job).await?))
    }

    async fn put_back(
        &self,
        job: &Job,
        at: Option<Timestamp>,
        attempts: i64,
        error: Option<&str>,
    ) -> Result<()> {
        let now = self.ctx.now();
        db::write!(self.ctx.db, Owner::House, |tx| {
            Ok(store::put_back(tx, job, at, attempts, now, error).await?)
        })
    }

    /// A job for a newer program: leave it to a replica that knows it, and look again later.
    async fn unknown(&self, job: &Job) {
        tracing::warn!(job = %job.id, kind = job.kind, "No handler here for this kind of job.");
        let later = self.ctx.now().plus(LEASE);
        _ = self.put_back(job, Some(later), job.attempts.saturating_sub(1), None).await;
    }
}
