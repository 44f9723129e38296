//! Carrying a payout on: checks, the rail, and whatever the rail says.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Actor, Payout, PayoutStatus,
    desk::insert_decision,
    service::{find, get, reaches, take},
    store,
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        hex,
        ids::MerchantId,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Tx, Unwitnessed, Witness},
    jobs::{self, Job, NewJob, Next},
    payouts::{
        PayoutId, Payouts,
        checks::{self, Verdict},
        instruments,
        rails::{Attempt, AttemptId, NoAnswer, Order, Outcome, Report, Scenario},
    },
};

use PayoutStatus as S;

/// How long after an answer that did not come the rail is asked again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which payout to carry on.
#[derive(Serialize, Deserialize)]
struct Which {
    merchant: MerchantId,
    payout: PayoutId,
}

/// The job of one payout.
#[derive(Debug)]
pub struct Advance(pub Payouts);

impl Advance {
    /// The kind of its job.
    pub const KIND: &'static str = "payouts.advance";
}

/// Queues what comes next for a payout. One job for each step: the job of an earlier one may still be
/// on its way out, and must not keep this one from being queued.
pub(super) fn job(payout: &Payout, at: Timestamp) -> Result<NewJob> {
    let which = Which { merchant: payout.merchant, payout: payout.id };
    let key = format!("{}:{}:{}", Advance::KIND, payout.id, payout.steps);
    Ok(NewJob::new(Advance::KIND, at, &which)?.unique(key))
}

impl jobs::Handler for Advance {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn run<'a>(&'a self, _: &'a Ctx, job: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            let Which { merchant, payout } = job.payload()?;
            carry_on(&self.0, merchant, payout).await
        })
    }
}

/// Goes on until the payout is at an end, waits for somebody, or the rail wants to be asked later.
async fn carry_on(room: &Payouts, merchant: MerchantId, id: PayoutId) -> Result<Next> {
    loop {
        let found = db::read!(room.ctx.db, |tx| Ok(store::find(tx, merchant, id).await?))?;
        // Payouts are never removed, but a sandbox can be started over under them.
        let Some(payout) = found else { return Ok(Next::Done) };
        match payout.status {
            S::Created | S::PendingScreening => check(room, &payout).await?,
            S::Approved => {
                if let Some(payout) = hand_over(room, &payout, room.ctx.now()).await? {
                    return ask_rail(room, &payout, Told::Never).await;
                }
            }
            S::Processing | S::Sent | S::Completed => {
                return ask_rail(room, &payout, Told::Perhaps).await;
            }
            _ => return Ok(Next::Done),
        }
    }
}

/// Carries a play payout on at once, as far as it would be a minute after it was handed over.
pub(in crate::payouts) async fn hurry(
    room: &Payouts,
    merchant: MerchantId,
    id: PayoutId,
) -> Result<()> {
    let outcome = hurry_on(room, merchant, id).await;
    // The runner may be at it at the same time: what it did first is done.
    outcome.or_else(|failure| match failure.code() {
        Code::InvalidState => Ok(()),
        _ => Err(failure),
    })
}

async fn hurry_on(room: &Payouts, merchant: MerchantId, id: PayoutId) -> Result<()> {
    let payout = get(&room.ctx, merchant, id).await?;
    check(room, &payout).await?;
    let payout = get(&room.ctx, merchant, id).await?;
    if payout.status != S::Approved {
        return Ok(());
    }
    let a_minute_ago = room.ctx.now().minus(Duration::from_mins(1));
    if let Some(payout) = hand_over(room, &payout, a_minute_ago).await? {
        ask_rail(room, &payout, Told::Never).await?;
    }
    Ok(())
}

/// Screening, limits and risk, and where that leads.
async fn check(room: &Payouts, payout: &Payout) -> Result<()> {
    let ctx = &room.ctx;
    let names = checks::names(room, payout).await?;
    let (merchant, id) = (payout.merchant, payout.id);
    db::write!(ctx.db, merchant, |tx| {
        let mut payout = find(tx, merchant, id).await?;
        if payout.status == S::Created {
            let cause = "its checks have begun";
            take(tx, ctx, &mut payout, S::PendingScreening, (Actor::House, cause)).await?;
        }
        if payout.status != S::PendingScreening {
            return Ok(());
        }
        let Verdict { to, cause } = checks::judge(tx, room, &payout, &names).await?;
        take(tx, ctx, &mut payout, to, (Actor::House, &cause)).await
    })
}

/// Whether the rail knows of an attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// It was written down a moment ago, by us.
    Never,
    /// Somebody may have told it and died before the answer came.
    Perhaps,
}

/// Writes down that the rail is about to be told, before it is told; nothing, when somebody else did.
async fn hand_over(room: &Payouts, payout: &Payout, at: Timestamp) -> Result<Option<Payout>> {
    let ctx = &room.ctx;
    let (merchant, id) = (payout.merchant, payout.id);
    let attempt = AttemptId::make(&ctx.clock, &ctx.random);
    let rail = room.rail.name();
    db::write!(ctx.db, merchant, |tx| {
        let mut payout = find(tx, merchant, id).await?;
        if payout.status != S::Approved {
            return Ok(None);
        }
        payout.railed.provider = Some(rail.to_owned());
        let cause = format!("handed to the {rail} rail as {attempt}");
        take(tx, ctx, &mut payout, S::Processing, (Actor::House, &cause)).await?;
        let attempt = Attempt { id: attempt, rail: rail.to_owned(), submitted_at: at };
        store::insert_attempt(tx, merchant, id, &attempt).await?;
        Ok(Some(payout))
    })
}

/// Asks the rail what became of the attempt, and catches up with it.
async fn ask_rail(room: &Payouts, payout: &Payout, told: Told) -> Result<Next> {
    let ctx = &room.ctx;
    let (merchant, id) = (payout.merchant, payout.id);
    let (attempt, instrument) = db::read!(ctx.db, |tx| {
        let attempt = store::find_attempt(tx, merchant, id).await?;
        // Deleted meanwhile or not: what was accepted is carried out.
        Ok((attempt, instruments::find_ever(tx, merchant, payout.instrument).await?))
    })?;
    let attempt =
        attempt.ok_or_else(|| Failure::internal(format!("{id} was never handed over")))?;
    let instrument =
        instrument.ok_or_else(|| Failure::internal(format!("{id} has no instrument")))?;
    let credentials = instruments::credentials(&room.vault, &instrument).await?;
    let order = Order {
        attempt: &attempt,
        payout: id,
        amount: payout.amounts.dest,
        method: payout.method,
        rail_type: payout.rail_type,
        network: payout.network.as_deref(),
        reference: payout.reference.as_deref(),
        credentials: credentials.as_slice(),
        now: ctx.now(),
    };
    let later = |pause| Next::At(ctx.now().plus(pause));
    let report = match ask(room, &order, told).await {
        Ok(report) => report,
        Err(NoAnswer(why)) => {
            tracing::warn!(payout = %id, why, "The rail gave no answer; it will be asked again.");
            return Ok(later(PATIENCE));
        }
    };
    record_report(room, payout, &report).await?;
    Ok(report.ask_again.map_or(Next::Done, later))
}

/// What may have been handed over is asked about first. Only what the rail does not know is handed
/// over again, under the same id, so that even its mistake pays nobody twice.
async fn ask(room: &Payouts, order: &Order<'_>, told: Told) -> Result<Report, NoAnswer> {
    if told == Told::Perhaps {
        let report = room.rail.status(order).await?;
        if report.outcome != Outcome::NeverSeen {
            return Ok(report);
        }
    }
    room.rail.submit(order).await
}

async fn record_report(room: &Payouts, payout: &Payout, report: &Report) -> Result<()> {
    let (to, cause) = match &report.outcome {
        Outcome::NeverSeen | Outcome::Accepted => return Ok(()),
        Outcome::Sent => (S::Sent, "the rail has sent it"),
        Outcome::Completed => (S::Completed, "the rail says that it arrived"),
        Outcome::Failed(why) => (S::Failed, why.as_str()),
        Outcome::Returned(why) => (S::Returned, why.as_str()),
    };
    let actor = Actor::Rail(room.rail.name().to_owned());
    let reference = report.reference.clone();
    record(&room.ctx, (payout.merchant, payout.id), to, reference, (actor, cause)).await
}

/// Takes the steps that lead to where a payout is said to be; saying it again changes nothing.
pub async fn record(
    ctx: &Ctx,
    (merchant, id): (MerchantId, PayoutId),
    goal: PayoutStatus,
    reference: Option<String>,
    (actor, cause): (Actor, &str),
) -> Result<()> {
    db::write!(ctx.db, merchant, |tx| {
        let mut payout = find(tx, merchant, id).await?;
        if payout.status == goal {
            return Ok(());
        }
        let way = payout.status.way_to(goal).ok_or_else(|| {
            let (from, to) = (payout.status.as_str(), goal.as_str());
            Failure::because(
                Code::InvalidState,
                format!("the payout is {from}; the way from there does not lead to {to}"),
            )
        })?;
        if reference.is_some() {
            payout.railed.reference.clone_from(&reference);
        }
        for step in way {
            take(tx, ctx, &mut payout, step, (actor.clone(), cause)).await?;
        }
        Ok(())
    })
}

/// Somebody's word on a payout that waits for it, bound to a digest of what they saw: whoever changes
/// a payout after it was approved has to ask again.
pub async fn decide(
    ctx: &Ctx,
    which: (MerchantId, PayoutId),
    digest: &str,
    by: &Actor,
    verdict: Result<&str, &str>,
) -> Result<Payout> {
    decide_before(&Unwitnessed, ctx, which, digest, by, verdict).await
}

/// The same before a witness, who may refuse.
pub async fn decide_before(
    witness: &dyn Witness<Payout>,
    ctx: &Ctx,
    (merchant, id): (MerchantId, PayoutId),
    digest: &str,
    by: &Actor,
    verdict: Result<&str, &str>,
) -> Result<Payout> {
    db::write!(ctx.db, merchant, |tx| {
        let mut payout = find(tx, merchant, id).await?;
        if payout.made_by == *by {
            return Err(Failure::because(Code::Forbidden, "who made a payout may not approve it"));
        }
        if !payout.awaits(by) {
            return Err(waits_for_others(payout.status));
        }
        if payout.digest() != digest {
            return Err(Failure::because(
                Code::InvalidState,
                "the digest is not that of this payout as it is now; look at it again",
            ));
        }
        let (to, cause) = match verdict {
            Ok(cause) => (S::Approved, cause),
            Err(cause) => (S::Cancelled, cause),
        };
        insert_decision(tx, &payout, by, to, digest, cause, ctx.now()).await?;
        take(tx, ctx, &mut payout, to, (by.clone(), cause)).await?;
        if to == S::Approved {
            jobs::enqueue(tx, ctx, &job(&payout, ctx.now())?).await?;
        }
        witness.note(tx, &payout).await?;
        Ok(payout)
    })
}

fn waits_for_others(status: PayoutStatus) -> Failure {
    let for_whom = if status.awaits_decision() {
        "for whoever runs this server, and for nobody else"
    } else {
        "for nobody"
    };
    let why = format!("the payout is {} and waits {for_whom}", status.as_str());
    Failure::because(Code::InvalidState, why)
}

impl Payout {
    /// Names everything that somebody who approves has to see.
    pub fn digest(&self) -> String {
        let amounts = &self.amounts;
        let facts = [
            self.id.to_string(),
            self.merchant.to_string(),
            self.beneficiary.to_string(),
            self.instrument.to_string(),
            format!("{} {}", amounts.source.render(), amounts.source.currency()),
            format!("{} {}", amounts.dest.render(), amounts.dest.currency()),
            format!("{} {}", amounts.fee.render(), amounts.fee.currency()),
            amounts.bearer.as_str().to_owned(),
            self.method.to_string(),
            self.network.clone().unwrap_or_default(),
            self.reference.clone().unwrap_or_default(),
            self.purpose.clone().unwrap_or_default(),
        ];
        let mut digest = Sha256::new();
        for fact in facts {
            digest.update(fact.len().to_be_bytes());
            digest.update(fact);
        }
        hex::encode(&digest.finalize())
    }

    /// What a merchant asks of a sandbox by this payout.
    pub fn scenario(&self) -> Option<Scenario> {
        self.reference.as_deref().and_then(Scenario::parse)
    }

    /// Whether it is large enough for a rule that names amounts.
    pub fn reaches(&self, from: &[crate::money::Amount]) -> bool {
        reaches(self.amounts.source, from)
    }
}

/// Whether anything was ever paid through this instrument.
pub(in crate::payouts) async fn is_first(tx: &mut Tx, payout: &Payout) -> Result<bool> {
    Ok(store::is_first(tx, payout).await?)
}
