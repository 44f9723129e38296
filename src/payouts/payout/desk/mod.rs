//! The operator's desk: payouts of every merchant, by their id alone, and what people do with them.

mod store;

use std::collections::BTreeSet;

use super::{
    Actor, Decision, Payout, PayoutStatus, Transition,
    advance::record,
    service::{find, history},
    store as payouts,
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
    },
    ctx::Ctx,
    db,
    payouts::{
        PayoutId, beneficiaries,
        instruments::{self, Instrument},
        rails::{Manual, Rail},
    },
};

pub use store::STATEMENTS;
pub(super) use store::insert_decision;

/// A payout as somebody sees it who has to decide about it.
#[derive(Debug)]
pub struct Seen {
    /// It.
    pub payout: Payout,
    /// What happened to it.
    pub steps: Vec<Transition>,
    /// What people have said about it.
    pub decisions: Vec<Decision>,
    /// The name of who is paid, deleted meanwhile or not.
    pub payee: Option<String>,
    /// Through what, masked.
    pub instrument: Instrument,
}

/// Whose payout it is. Operators know payouts by their id; merchants never get here.
pub async fn owner(ctx: &Ctx, id: PayoutId) -> Result<MerchantId> {
    let owner = db::read!(ctx.db, |tx| Ok(store::owner(tx, id).await?))?;
    owner.ok_or_else(|| Failure::because(Code::NotFound, "there is no payout with this id"))
}

/// Everything that one should know before deciding.
pub async fn see(ctx: &Ctx, id: PayoutId) -> Result<Seen> {
    let merchant = owner(ctx, id).await?;
    db::read!(ctx.db, |tx| {
        tx.snapshot().await?;
        let payout = find(tx, merchant, id).await?;
        let payee = beneficiaries::find_ever(tx, merchant, payout.beneficiary).await?;
        let instrument = instruments::find_ever(tx, merchant, payout.instrument).await?;
        Ok(Seen {
            steps: history(tx, merchant, id).await?,
            decisions: store::decisions(tx, merchant, id).await?,
            payee: payee.map(|payee| payee.display_name),
            instrument: instrument
                .ok_or_else(|| Failure::internal(format!("{id} has no instrument")))?,
            payout,
        })
    })
}

/// Some payouts in these states, of all merchants, the oldest first; at most so many.
pub async fn queue(ctx: &Ctx, states: &[PayoutStatus], most: usize) -> Result<Vec<Payout>> {
    let mut found = BTreeSet::new();
    let mut after = None;
    while let Some(merchant) = db::read!(ctx.db, |tx| Ok(payouts::next_merchant(tx, after).await?))?
    {
        after = Some(merchant);
        for state in states {
            let limit = i64::try_from(most).map_err(Failure::internal)?;
            let ids = db::read!(ctx.db, |tx| {
                Ok(store::of_status(tx, merchant, *state, limit).await?)
            })?;
            // An id begins with its time, so the order of ids is that of age.
            found.extend(ids.into_iter().map(|id| (id.to_string(), id, merchant)));
            while found.len() > most {
                found.pop_last();
            }
        }
    }
    let mut payouts = Vec::new();
    for (_, id, merchant) in found {
        payouts.push(db::read!(ctx.db, |tx| find(tx, merchant, id).await)?);
    }
    Ok(payouts)
}

/// What somebody says who has sent the money by hand.
#[derive(Clone, Debug)]
pub struct Word {
    /// Where the payout is.
    pub goal: PayoutStatus,
    /// The bank's name for it.
    pub reference: Option<String>,
    /// Who says so.
    pub by: Actor,
    /// In words.
    pub cause: String,
}

/// Writes down what became of a payout that people have sent. A rail that reports by itself is not
/// contradicted: an operator who guesses could give money back that is on its way.
pub async fn settle(ctx: &Ctx, id: PayoutId, word: Word) -> Result<Payout> {
    let merchant = owner(ctx, id).await?;
    let payout = db::read!(ctx.db, |tx| find(tx, merchant, id).await)?;
    let why = match payout.railed.provider.as_deref() {
        Some(rail) if rail == Manual.name() => None,
        Some(rail) => Some(format!("the payout is with the {rail} rail, which reports by itself")),
        None => {
            let status = payout.status.as_str();
            Some(format!("the payout is {status} and was not handed to a rail"))
        }
    };
    if let Some(why) = why {
        return Err(Failure::because(Code::InvalidState, why));
    }
    let Word { goal, reference, by, cause } = word;
    record(ctx, (merchant, id), goal, reference, (by, &cause)).await?;
    db::read!(ctx.db, |tx| find(tx, merchant, id).await)
}
