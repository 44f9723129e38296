//! Writing the trail and reading it.

use std::fmt::Display;

use futures_util::future::BoxFuture;

use super::{Action, Line, TrailId, Who, store};
use crate::{
    base::{
        failure::Result,
        ids::MerchantId,
        pagination::{Page, PageRequest},
    },
    ctx::Ctx,
    db::{self, Tx, Witness},
};

/// Writes a line in the transaction of what it tells, so that neither is there without the other.
pub async fn record(
    tx: &mut Tx,
    ctx: &Ctx,
    who: &Who,
    action: Action,
    subject: &str,
    note: &str,
) -> Result<()> {
    let line = Line {
        id: TrailId::make(&ctx.clock, &ctx.random),
        at: ctx.now(),
        email: who.email.clone(),
        action,
        subject: subject.to_owned(),
        note: note.to_owned(),
        address: who.address.clone(),
    };
    Ok(store::insert(tx, who, &line).await?)
}

/// A line for a service of another room, to be written with whatever that service changes.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The world.
    pub ctx: &'a Ctx,
    /// Whoever acts.
    pub who: &'a Who,
    /// What they do.
    pub action: Action,
    /// What else is worth knowing of it.
    pub note: String,
}

impl<T: Display + Sync + ?Sized> Witness<T> for Entry<'_> {
    fn note<'a>(&'a self, tx: &'a mut Tx, about: &'a T) -> BoxFuture<'a, Result<()>> {
        let Entry { ctx, who, action, note } = self;
        Box::pin(async move { record(tx, ctx, who, *action, &about.to_string(), note).await })
    }
}

/// A page of the trail, the newest line first.
pub async fn page(ctx: &Ctx, merchant: MerchantId, request: &PageRequest) -> Result<Page<Line>> {
    let lines = db::read!(ctx.db, |tx| Ok(store::page(tx, merchant, request).await?))?;
    Ok(Page::cut(lines, request, |line| line.id.to_string()))
}

/// Whether somebody has registered this credential or one of its keys, and so could have signed what it
/// has asked for.
pub async fn held_key(tx: &mut Tx, who: &Who, client: &str) -> Result<bool> {
    Ok(store::held_key(tx, who, client).await?)
}
