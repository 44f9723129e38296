//! The job that gives back what nobody has used in time.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::expire_holds;
use crate::{
    base::failure::Result,
    ctx::Ctx,
    jobs::{Handler, Job, Next},
};

/// How often holds are looked at; one ends this much too late at most.
const PAUSE: Duration = Duration::from_mins(1);

/// Ends the holds whose time is over.
#[derive(Debug)]
pub struct ExpireHolds;

impl ExpireHolds {
    /// The job's kind and unique name.
    pub const KIND: &'static str = "ledger.expire_holds";
}

impl Handler for ExpireHolds {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, _: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            let expired = expire_holds(ctx).await?;
            tracing::debug!(expired, "Holds whose time was over were given back.");
            Ok(Next::At(ctx.now().plus(PAUSE)))
        })
    }
}
