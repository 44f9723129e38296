//! Forgetting what is old enough.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::store;
use crate::{
    base::failure::Result,
    ctx::Ctx,
    db::{self, Owner},
    jobs::{Handler, Job, Next},
};

/// How many rows one transaction drops.
const STRIDE: i64 = 1_000;
/// How many transactions there are at most at a time, for there may be other work to do.
const STRIDES: usize = 100;

/// Drops deliveries and events that are older than the retention, once an hour.
#[derive(Clone, Copy, Debug)]
pub struct Housekeeping {
    retention: Duration,
}

impl Housekeeping {
    /// The job's kind and unique name.
    pub const KIND: &'static str = "events.forget_old";

    /// Keeps everything for this long.
    pub const fn new(retention: Duration) -> Self {
        Self { retention }
    }

    /// Drops what is old; whether that was all of it.
    async fn forget(&self, ctx: &Ctx) -> Result<bool> {
        let before = ctx.now().minus(self.retention);
        for _ in 0..STRIDES {
            let gone = db::write!(ctx.db, Owner::House, |tx| {
                let deliveries = store::forget(tx, before, STRIDE).await?;
                // An event is dropped after its deliveries.
                Ok(deliveries + store::forget_events(tx, before, STRIDE).await?)
            })?;
            if gone == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Handler for Housekeeping {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, _: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            let all = self.forget(ctx).await?;
            tracing::debug!(all, "Old events and deliveries were dropped.");
            Ok(Next::swept(ctx.now(), all))
        })
    }
}
