//! Importing plans, and the book that every quote reads.

use std::{sync::Arc, time::Duration};

use crate::{
    base::{
        failure::{Code, Failure, FieldFault, Result},
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Owner, Tx},
    oauth::merchants,
    pricing::{
        PlanId,
        cache::{Cached, Counter, FRESH},
    },
};

use super::{Change, ChangeKind, Draft, Format, Plan, PlanBook, SANDBOX, compare, read, store};

/// What an import takes effect after, unless its file says when: longer than any replica may hold
/// an old book, so that no quote is given by a version that was superseded a moment before.
pub const LEAD: Duration = FRESH.saturating_mul(2);

/// The book, kept in memory.
#[derive(Clone, Debug, Default)]
pub struct Plans(Arc<Cached<PlanBook>>);

impl Plans {
    /// Every plan with every version, at most a second old.
    pub async fn book(&self, ctx: &Ctx) -> Result<Arc<PlanBook>> {
        self.0.get(ctx.now(), || Box::pin(count(ctx)), || Box::pin(load(ctx))).await
    }

    /// Imports through this server, whose quotes know the new book at once.
    pub async fn import(&self, ctx: &Ctx, drafts: &[Draft]) -> Result<Vec<Change>> {
        let changes = import(ctx, drafts).await;
        self.0.forget();
        changes
    }
}

async fn count(ctx: &Ctx) -> Result<i64> {
    db::read!(ctx.db, |tx| Counter::Plans.read(tx).await)
}

async fn load(ctx: &Ctx) -> Result<(i64, PlanBook)> {
    db::read!(ctx.db, |tx| {
        tx.snapshot().await?;
        let count = Counter::Plans.read(tx).await?;
        Ok((count, PlanBook::new(store::all(tx).await?)))
    })
}

/// Reads a file of plans; every fault of it is told.
pub fn drafts(text: &str, format: Format) -> Result<Vec<Draft>> {
    read(text, format).map_err(Failure::invalid)
}

/// What an import would change; changes nothing.
pub async fn preview(ctx: &Ctx, drafts: &[Draft]) -> Result<Vec<Change>> {
    let now = ctx.now();
    db::read!(ctx.db, |tx| {
        tx.snapshot().await?;
        changes(tx, drafts, now).await
    })
}

/// Imports plans: all of them, or none and every fault.
pub async fn import(ctx: &Ctx, drafts: &[Draft]) -> Result<Vec<Change>> {
    let changes = db::write!(ctx.db, Owner::House, |tx| {
        Counter::Plans.grow(tx).await?;
        save(tx, ctx, drafts).await
    })?;
    let made = changes.iter().filter(|change| change.kind != ChangeKind::Unchanged).count();
    tracing::info!(plans = changes.len(), made, "Plans were imported.");
    Ok(changes)
}

/// Gives a fresh sandbox its plans; an operator's own plans are left alone. True if it did.
pub async fn ensure_sandbox(ctx: &Ctx) -> Result<bool> {
    let drafts = drafts(SANDBOX, Format::Toml)?;
    db::write!(ctx.db, Owner::House, |tx| {
        if !store::all(tx).await?.is_empty() {
            return Ok(false);
        }
        Counter::Plans.grow(tx).await?;
        // Again, because another replica may have been at it while this one waited for the counter.
        if !store::all(tx).await?.is_empty() {
            return Ok(false);
        }
        save(tx, ctx, &drafts).await.map(|_| true)
    })
}

async fn save(tx: &mut Tx, ctx: &Ctx, drafts: &[Draft]) -> Result<Vec<Change>> {
    let now = ctx.now();
    let changes = changes(tx, drafts, now).await?;
    let book = store::all(tx).await?;
    for change in &changes {
        let id = match &change.kind {
            ChangeKind::Unchanged => continue,
            ChangeKind::NewVersion(_) => id_of(&book, &change.key)?,
            ChangeKind::New => {
                let plan = Plan {
                    id: PlanId::make(&ctx.clock, &ctx.random),
                    key: change.key.clone(),
                    merchant: change.merchant,
                    created_at: now,
                    versions: Vec::new(),
                };
                store::insert_plan(tx, &plan).await?;
                plan.id
            }
        };
        store::insert_version(tx, id, &change.version, now).await?;
    }
    Ok(changes)
}

fn id_of(book: &[Plan], key: &str) -> Result<PlanId> {
    let plan = book.iter().find(|plan| plan.key == key);
    plan.map(|plan| plan.id).ok_or_else(|| Failure::internal("a plan to be changed is gone"))
}

async fn changes(tx: &mut Tx, drafts: &[Draft], now: Timestamp) -> Result<Vec<Change>> {
    let plans = store::all(tx).await?;
    // Nobody can have been quoted by the plans before the first ones.
    let earliest = if plans.is_empty() { now } else { now.plus(LEAD) };
    let mut faults = strangers(tx, drafts).await?;
    match compare(&PlanBook::new(plans), drafts, earliest) {
        Ok(changes) if faults.is_empty() => Ok(changes),
        Ok(_) => Err(Failure::invalid(faults)),
        Err(others) => {
            faults.extend(others);
            Err(Failure::invalid(faults))
        }
    }
}

/// A plan for a merchant that does not exist would price nobody, and nobody would notice.
async fn strangers(tx: &mut Tx, drafts: &[Draft]) -> Result<Vec<FieldFault>> {
    let mut faults = Vec::new();
    for (place, draft) in drafts.iter().enumerate() {
        let Some(merchant) = draft.merchant else { continue };
        match merchants::find(tx, merchant).await {
            Ok(_) => {}
            Err(failure) if failure.code() == Code::NotFound => faults.push(FieldFault {
                field: format!("plans.{place}.merchant"),
                message: "is not a merchant of this installation".to_owned(),
            }),
            Err(failure) => return Err(failure),
        }
    }
    Ok(faults)
}
