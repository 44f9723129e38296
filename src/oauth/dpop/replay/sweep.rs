//! Dead claims in PostgreSQL are removed by a job; Redis and memory remove their own.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::store;
use crate::{
    base::failure::Result,
    ctx::Ctx,
    db::{self, Owner},
    jobs::{self, Handler, Job, NewJob, Next},
};

const KIND: &str = "replay_sweep";
/// A pause no longer than a life, so that the table holds two lives of claims at most.
const PAUSE: Duration = Duration::from_mins(1);
/// Rows of one statement: short, because claims wait for it in their lane.
const BATCH: i64 = 2_000;
/// Statements of one run; the rest waits for the next one, which then comes at once.
const BATCHES: u32 = 200;

/// Removes claims that no longer count.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sweep;

/// Sees to it that the sweep goes on; one for all replicas.
pub async fn schedule(ctx: &Ctx) -> Result<()> {
    let job = NewJob::new(KIND, ctx.now(), &())?.unique(KIND);
    db::write!(ctx.db, Owner::House, |tx| jobs::enqueue(tx, ctx, &job).await)
}

impl Handler for Sweep {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, _: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            let now = ctx.now();
            for _ in 0..BATCHES {
                let gone = db::write!(ctx.db, Owner::Passing, |tx| {
                    Ok(store::sweep(tx, now, BATCH).await?)
                })?;
                if gone < BATCH.unsigned_abs() {
                    return Ok(Next::At(now.plus(PAUSE)));
                }
            }
            Ok(Next::At(now))
        })
    }
}
