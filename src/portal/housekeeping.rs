//! Drops what nobody needs any more, once an hour.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{names, passkeys, sessions};
use crate::{
    base::failure::Result,
    ctx::Ctx,
    db::{self, Owner},
    jobs::{Handler, Job, Next},
};

/// How long ended sessions stay: an address where somebody was signed in is known for so long.
const KEPT: Duration = Duration::from_hours(90 * 24);

/// How many challenges one transaction drops: payments wait for it.
const CHALLENGES: i64 = 10_000;

/// The job.
#[derive(Debug)]
pub struct Housekeeping;

impl Housekeeping {
    /// The job's kind and unique name.
    pub const KIND: &'static str = "portal.forget_sessions";
}

impl Handler for Housekeeping {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, _: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            let now = ctx.now();
            db::write!(ctx.db, Owner::House, |tx| {
                names::forget(tx, now).await?;
                passkeys::forget(tx, now, CHALLENGES).await?;
                Ok(sessions::forget(tx, now.minus(KEPT)).await?)
            })?;
            Ok(Next::At(now.plus(Duration::from_hours(1))))
        })
    }
}
