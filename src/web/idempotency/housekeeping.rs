//! The job that drops old answers.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::store;
use crate::{
    base::failure::Result,
    ctx::Ctx,
    db::{self, Owner},
    jobs::{Handler, Job, Next},
};

/// How long an answer can be replayed. The key itself refuses to act twice for ever.
pub const KEPT: Duration = Duration::from_hours(30 * 24);
/// How many answers one transaction drops: others want to write meanwhile.
const STRIDE: i64 = 1_000;
/// How many transactions there are at most at a time: what is left waits for the next.
const STRIDES: usize = 100;

/// Drops the answers that are older than thirty days, once an hour.
#[derive(Debug)]
pub struct ForgetAnswers;

impl ForgetAnswers {
    /// The job's kind and unique name.
    pub const KIND: &'static str = "idempotency.forget_answers";
}

impl Handler for ForgetAnswers {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, _: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            let before = ctx.now().minus(KEPT);
            let mut all = false;
            for _ in 0..STRIDES {
                let gone = db::write!(ctx.db, Owner::House, |tx| {
                    Ok(store::forget_answers(tx, before, STRIDE).await?)
                })?;
                all = gone == 0;
                if all {
                    break;
                }
            }
            tracing::debug!(all, "Old answers were dropped; their keys stay.");
            Ok(Next::swept(ctx.now(), all))
        })
    }
}
