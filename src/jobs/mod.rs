//! Durable background work on the same database.
//!
//! [`enqueue`] writes a job inside the transaction that wants it done, so there is no job without
//! its cause and no cause without its job. A [`Runner`] on any replica leases due jobs, keeps the
//! lease alive while the handler works, and deletes the job when it is done. A handler whose effect
//! is a database change calls [`finish`] in the same transaction: then effect and completion are one.
//! A failing job comes back with growing pauses and ends as `dead`, visible and counted.
//!
//! Kept small and our own: no maintained crate enqueues inside our transactions on both engines.

mod model;
mod runner;
mod store;

pub use model::{Job, NewJob, Next, Retry};
pub use runner::{Handler, Runner};
pub use store::STATEMENTS;

use crate::{
    base::{failure::Result, ids::JobId},
    ctx::Ctx,
    db::Tx,
};

/// Queues a job in the caller's transaction; a second one with the same unique key is not queued.
pub async fn enqueue(tx: &mut Tx, ctx: &Ctx, new: &NewJob) -> Result<()> {
    let id = JobId::make(&ctx.clock, &ctx.random);
    store::insert(tx, id, new, ctx.now()).await?;
    tx.wake_runner_after_commit();
    Ok(())
}

/// Ends a leased job in the transaction of its effect.
pub async fn finish(tx: &mut Tx, job: &Job) -> Result<()> {
    Ok(store::delete(tx, job).await?)
}

/// How many jobs are not done, by state; operators watch `dead`, tests want all to be zero.
pub async fn count(tx: &mut Tx) -> Result<Vec<(String, i64)>> {
    Ok(store::count_by_state(tx).await?)
}
