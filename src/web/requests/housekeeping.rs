//! The job that drops old lines.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::store;
use crate::{
    base::failure::Result,
    ctx::Ctx,
    db::{self, Owner},
    jobs::{Handler, Job, Next},
};

/// How many lines one transaction drops: others want to write meanwhile.
const STRIDE: i64 = 1_000;
/// How many transactions there are at most at a time: what is left waits for the next.
const STRIDES: usize = 500;

/// Drops the lines that are older than the operator keeps them, once an hour; all of them when the log
/// is switched off.
#[derive(Clone, Copy, Debug)]
pub struct Housekeeping {
    kept: Duration,
}

impl Housekeeping {
    /// The job's kind and unique name.
    pub const KIND: &'static str = "requests.forget_old";

    /// Keeps lines for this long.
    pub const fn new(kept: Duration) -> Self {
        Self { kept }
    }
}

impl Handler for Housekeeping {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, _: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            let before = ctx.now().minus(self.kept);
            let mut dropped = 0;
            for _ in 0..STRIDES {
                let gone = db::write!(ctx.db, Owner::Passing, |tx| {
                    Ok(store::forget(tx, before, STRIDE).await?)
                })?;
                dropped += gone;
                if gone == 0 {
                    break;
                }
            }
            tracing::debug!(dropped, "Old lines of the request log were dropped.");
            Ok(Next::At(ctx.now().plus(Duration::from_hours(1))))
        })
    }
}
