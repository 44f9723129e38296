//! Counting on from where the last count ended, and counting again.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::BoxFuture;

use super::{
    store,
    tally::{Count, Tally, day},
};
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Tx},
    events::log::{self, Mark},
    jobs::{Handler, Job, Next},
};

/// How far charts may lag behind.
const EVERY: Duration = Duration::from_mins(1);
/// Events in one transaction: it holds its merchant's lane, so it must not last.
const AT_ONCE: u16 = 200;
/// Merchants that are compared in one go.
const MERCHANTS: u16 = 500;

/// The counts of a merchant, of a moment's day and all days after it.
pub async fn since(ctx: &Ctx, merchant: MerchantId, at: Timestamp) -> Result<Vec<Count>> {
    let first = day(at);
    db::read!(ctx.db, |tx| Ok(store::since(tx, merchant, &first).await?))
}

/// The job that keeps the counts up.
#[derive(Debug)]
pub struct Counting;

impl Counting {
    /// The job's kind and unique name.
    pub const KIND: &'static str = "payouts.count_days";
}

impl Handler for Counting {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, _: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            let mut after = None;
            loop {
                let behind = db::read!(ctx.db, |tx| behind(tx, after).await)?;
                let Some((last, _)) = behind.last() else { break };
                after = Some(*last);
                for (merchant, _) in behind.iter().filter(|(_, is_behind)| *is_behind) {
                    // One merchant's odd row must not stop the others' charts.
                    if let Err(failure) = catch_up(ctx, *merchant).await {
                        let cause = failure.cause_chain();
                        tracing::warn!(%merchant, cause, "A merchant's days were not counted.");
                    }
                }
            }
            Ok(Next::At(ctx.now().plus(EVERY)))
        })
    }
}

/// The next merchants with events, and whether some of them are not counted yet.
async fn behind(tx: &mut Tx, after: Option<MerchantId>) -> Result<Vec<(MerchantId, bool)>> {
    let mut found = Vec::new();
    for (merchant, last) in log::heads(tx, after, MERCHANTS).await? {
        found.push((merchant, store::place(tx, merchant).await? < last));
    }
    Ok(found)
}

async fn catch_up(ctx: &Ctx, merchant: MerchantId) -> Result<()> {
    while db::write!(ctx.db, merchant, |tx| step(tx, merchant).await)? {}
    Ok(())
}

/// Counts some events and moves on, together; gives whether there may be more.
async fn step(tx: &mut Tx, merchant: MerchantId) -> Result<bool> {
    let place = store::place(tx, merchant).await?;
    let marks = log::marks(tx, merchant, place, AT_ONCE).await?;
    let Some(last) = marks.last() else { return Ok(false) };
    let mut tally = Tally::default();
    count(tx, merchant, &marks, &mut tally).await?;
    // Two replicas that count at the same time would count twice: the second finds the place moved.
    if !store::move_on(tx, merchant, place, last.sequence).await? {
        return Err(Failure::internal("another replica counts this merchant's days"));
    }
    for (key, counted) in &tally.0 {
        store::add(tx, merchant, key, *counted).await?;
    }
    Ok(marks.len() == usize::from(AT_ONCE))
}

async fn count(tx: &mut Tx, merchant: MerchantId, marks: &[Mark], tally: &mut Tally) -> Result<()> {
    let ids: BTreeSet<&str> =
        marks.iter().map(|mark| &*mark.about).filter(|id| id.starts_with("pay_")).collect();
    let ids = serde_json::to_string(&ids).map_err(Failure::internal)?;
    let facts = store::facts(tx, merchant, &ids).await?;
    for mark in marks {
        if let Some(facts) = facts.get(&mark.about) {
            tally.count(mark, facts);
        }
    }
    Ok(())
}

/// For auditors: counts again, as far back as events are kept, and compares. Gives how many counts were
/// looked at, and what is wrong.
pub async fn verify(ctx: &Ctx) -> Result<(u64, Vec<String>)> {
    let (mut looked_at, mut faults, mut after) = (0, Vec::new(), None);
    loop {
        let merchants = db::read!(ctx.db, |tx| log::heads(tx, after, MERCHANTS).await)?;
        let Some((last, _)) = merchants.last() else { return Ok((looked_at, faults)) };
        after = Some(*last);
        for (merchant, _) in merchants {
            let (seen, found) = db::read!(ctx.db, |tx| {
                tx.snapshot().await?;
                recount(tx, merchant).await
            })?;
            looked_at += seen;
            faults.extend(found);
        }
    }
}

async fn recount(tx: &mut Tx, merchant: MerchantId) -> Result<(u64, Vec<String>)> {
    let (place, mut at) = (store::place(tx, merchant).await?, 0);
    let Some(kept_after) = log::kept_after(tx, merchant).await? else { return Ok((0, Vec::new())) };
    let mut again = Tally::default();
    while at < place {
        let mut marks = log::marks(tx, merchant, at, AT_ONCE).await?;
        marks.retain(|mark| mark.sequence <= place);
        let Some(last) = marks.last() else { break };
        at = last.sequence;
        count(tx, merchant, &marks, &mut again).await?;
    }
    // The day from which events have been dropped is not whole any more.
    let whole = |counted: &str| kept_after.micros() == 0 || *counted > *day(kept_after);
    let mut kept = Tally::default();
    for row in store::since(tx, merchant, "").await? {
        kept.0.insert((row.day, row.measure, row.name), (row.count, row.total));
    }
    let keys: BTreeSet<_> = kept.0.keys().chain(again.0.keys()).collect();
    let (mut seen, mut faults) = (0, Vec::new());
    for key in keys.into_iter().filter(|key| whole(&key.0)) {
        seen += 1;
        let (have, want) = (kept.0.get(key), again.0.get(key));
        if have != want {
            let ((have, had), (want, wanted)) =
                (have.copied().unwrap_or_default(), want.copied().unwrap_or_default());
            faults.push(format!(
                "{merchant} {} {} {}: {have} payouts of {had} are counted, by the log it is {want} of {wanted}",
                key.0,
                key.1.as_str(),
                key.2,
            ));
        }
    }
    Ok((seen, faults))
}
