//! What stands between a payout and its rail: names, limits, risk, a second pair of eyes.
//!
//! In this order, and the first that objects decides: a name on a list is worse than a limit, and
//! nobody is asked to approve what may not go out anyway.

mod screening;
mod store;

use crate::{
    base::failure::Result,
    db::{self, Tx},
    payouts::{
        Payouts, People, beneficiaries, limits,
        payout::{self, Payout, PayoutStatus},
        rails::Scenario,
    },
};

pub use screening::{Hit, List, Listed, Screening, import, lists, read_list};
pub use store::STATEMENTS;

/// Where a payout goes from its checks, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// There.
    pub to: PayoutStatus,
    /// In words.
    pub cause: String,
}

impl Verdict {
    fn new(to: PayoutStatus, cause: impl Into<String>) -> Self {
        Self { to, cause: cause.into() }
    }
}

/// What the names of a payout came to, before its transaction begins.
#[derive(Clone, Debug)]
pub struct Names {
    hit: Option<Hit>,
}

/// Compares the beneficiary's name with the lists.
pub async fn names(room: &Payouts, payout: &Payout) -> Result<Names> {
    let ctx = &room.ctx;
    let found = db::read!(ctx.db, |tx| {
        // Deleted meanwhile or not: otherwise deleting somebody would be a way around the lists.
        Ok(beneficiaries::find_ever(tx, payout.merchant, payout.beneficiary).await?)
    })?;
    let Some(payee) = found else { return Ok(Names { hit: None }) };
    // The name that is sealed, and not only the one that lists show: that one the merchant can change.
    let people = People { ctx: ctx.clone(), vault: room.vault.clone() };
    let sealed = beneficiaries::disclose(&people, &payee).await?.display_name();
    for name in [&sealed, &payee.display_name] {
        if let Some(hit) = room.screening.check(ctx, name).await? {
            return Ok(Names { hit: Some(hit) });
        }
    }
    Ok(Names { hit: None })
}

/// Judges a payout inside the transaction that acts on it.
pub async fn judge(tx: &mut Tx, room: &Payouts, payout: &Payout, names: &Names) -> Result<Verdict> {
    let policy = &room.policy;
    let asked = |scenario| policy.sandbox && payout.scenario() == Some(scenario);
    if let Some(hit) = &names.hit {
        let Hit { list, entry, score } = hit;
        let id = payout.id;
        tracing::warn!(payout = %id, list, entry, score, "A name is on a screening list.");
        // The merchant is told that there is a match, and nothing by which somebody could be tipped off.
        let cause = "a name is on a screening list; the operator knows more";
        return Ok(Verdict::new(PayoutStatus::ScreeningFailed, cause));
    }
    if asked(Scenario::ScreeningHit) {
        return Ok(Verdict::new(PayoutStatus::ScreeningFailed, "asked for by its reference"));
    }
    let (currency, at) = (payout.amounts.source.currency(), payout.created_at);
    let over = limits::exceeded(tx, &policy.caps, payout.merchant, currency, at).await?;
    if let Some(cause) = over {
        return Ok(Verdict::new(PayoutStatus::VelocityBlocked, cause));
    }
    for (scenario, to) in [
        (Scenario::VelocityBlocked, PayoutStatus::VelocityBlocked),
        (Scenario::EngineReview, PayoutStatus::PendingEngineReview),
        (Scenario::ManualReview, PayoutStatus::ManualReview),
        (Scenario::Approval, PayoutStatus::PendingApproval),
    ] {
        if asked(scenario) {
            return Ok(Verdict::new(to, "asked for by its reference"));
        }
    }
    if payout.reaches(&policy.review_new_from) && payout::is_first(tx, payout).await? {
        let cause = "a large payout through an instrument that was never paid before";
        return Ok(Verdict::new(PayoutStatus::PendingEngineReview, cause));
    }
    if payout.reaches(&policy.approval_from) {
        return Ok(Verdict::new(PayoutStatus::PendingApproval, "its amount needs an approval"));
    }
    Ok(Verdict::new(PayoutStatus::Approved, "every check has passed"))
}
