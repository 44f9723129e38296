//! Payouts, compared with everything that must agree with them: their steps, the money set aside for
//! them, their quote, what was handed to a rail, what people have approved, and what was told.

mod rules;
mod store;

use std::collections::HashMap;

use super::store as payouts;
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
    },
    ctx::Ctx,
    db::{self, Tx},
    events::log,
    ledger,
    payouts::PayoutId,
    pricing::quotes,
};
use rules::{Papers, Seen};

pub use store::STATEMENTS;

/// How many payouts one look takes in.
const AT_ONCE: i64 = 200;

/// Compares all payouts of all merchants. Gives how many were looked at, and what differs. Each look
/// sees one moment, so that a server that serves meanwhile disturbs nothing.
pub async fn verify(ctx: &Ctx) -> Result<(u64, Vec<String>)> {
    let (mut looked_at, mut faults, mut after) = (0, Vec::new(), None);
    while let Some(merchant) = db::read!(ctx.db, |tx| Ok(payouts::next_merchant(tx, after).await?))?
    {
        after = Some(merchant);
        let mut last = String::new();
        loop {
            let look = db::read!(ctx.db, |tx| {
                tx.snapshot().await?;
                look(tx, merchant, &last).await
            })?;
            let Some(Look { until, count, found }) = look else { break };
            looked_at += count;
            faults.extend(found);
            last = until;
        }
    }
    Ok((looked_at, faults))
}

struct Look {
    until: String,
    count: u64,
    found: Vec<String>,
}

async fn look(tx: &mut Tx, merchant: MerchantId, after: &str) -> Result<Option<Look>> {
    let page = payouts::each(tx, merchant, after, AT_ONCE).await?;
    let (Some((first, _)), Some((last, _))) = (page.first(), page.last()) else { return Ok(None) };
    let (first, until) = (first.to_string(), last.to_string());
    let mut papers = papers(tx, merchant, &first, &until).await?;
    let kept_after = log::kept_after(tx, merchant).await?;
    let (mut count, mut found) = (0, Vec::new());
    for (id, payout) in page {
        count += 1;
        let name = |fault: String| format!("{merchant} {id}: {fault}");
        let payout = match payout {
            Ok(payout) => payout,
            Err(error) => {
                let cause = Failure::from(error).cause_chain().unwrap_or_default();
                found.push(name(cause));
                continue;
            }
        };
        let papers = papers.remove(&id.to_string()).unwrap_or_default();
        let fee_hold = match payout.fee_hold {
            Some(hold) => ledger::hold(tx, merchant, hold).await?,
            None => None,
        };
        let seen = Seen {
            hold: ledger::hold(tx, merchant, payout.hold).await?,
            fee_hold,
            quote_used_by: quotes::used_by(tx, merchant, payout.quote).await?,
            kept_after,
            payout: &payout,
            papers: &papers,
        };
        found.extend(seen.faults().into_iter().map(name));
    }
    Ok(Some(Look { until, count, found }))
}

/// What is written about each payout between two ids.
async fn papers(
    tx: &mut Tx,
    merchant: MerchantId,
    first: &str,
    last: &str,
) -> Result<HashMap<String, Papers>> {
    let mut all: HashMap<String, Papers> = HashMap::new();
    let key = |id: PayoutId| id.to_string();
    for (id, step) in store::steps(tx, merchant, first, last).await? {
        all.entry(key(id)).or_default().steps.push(step);
    }
    for (id, count) in store::attempts(tx, merchant, first, last).await? {
        all.entry(key(id)).or_default().attempts = count;
    }
    for (id, decision) in store::decisions(tx, merchant, first, last).await? {
        all.entry(key(id)).or_default().decisions.push(decision);
    }
    for (about, kind, count) in log::kinds(tx, merchant, first, last).await? {
        all.entry(about).or_default().told.push((kind, count));
    }
    Ok(all)
}
