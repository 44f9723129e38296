//! The job that drops old lines.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{LineId, store};
use crate::{
    base::{failure::Result, ids},
    ctx::Ctx,
    db::{self, Owner},
    jobs::{Handler, Job, Next},
};

/// How many lines one transaction drops: others want to write meanwhile.
const STRIDE: u32 = 1_000;
/// How many transactions there are at most at a time, for there may be other work to do.
const STRIDES: usize = 100;

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

    /// Drops what is old, merchant by merchant; whether that was all of it. Merchants who have nothing old
    /// cost a look and no write, and nobody else's turn.
    async fn forget(&self, ctx: &Ctx) -> Result<bool> {
        let first_kept = format!("{}{}", LineId::PREFIX, ids::first_at(ctx.now().minus(self.kept)));
        let (mut strides, mut merchant) = (0, None);
        loop {
            let next = db::read!(ctx.db, |tx| Ok(store::oldest(tx, merchant).await?))?;
            let Some((owner, oldest)) = next else { return Ok(true) };
            merchant = Some(owner);
            let mut is_old = oldest.to_string() < first_kept;
            while is_old {
                if strides == STRIDES {
                    return Ok(false);
                }
                strides += 1;
                let gone = db::write_one!(ctx.db, Owner::Passing, |tx| {
                    Ok(store::forget(tx, owner, &first_kept, STRIDE).await?)
                })?;
                is_old = gone == u64::from(STRIDE);
            }
        }
    }
}

impl Handler for Housekeeping {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, _: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            let all = self.forget(ctx).await?;
            tracing::debug!(all, "Old lines of the request log were dropped.");
            Ok(Next::swept(ctx.now(), all))
        })
    }
}
