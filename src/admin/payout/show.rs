//! `counterfoil payout show`.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Output, Setup};
use crate::base::failure::Result;
use crate::base::timestamp::Timestamp;
use crate::money::Amount;
use crate::payouts::PayoutId;
use crate::payouts::instruments::InstrumentBody;
use crate::payouts::payout::desk::{self, Seen};
use crate::payouts::payout::{Decision, FeeBearer, PayoutBody, StepBody};

#[derive(Serialize)]
struct Shown {
    payout: PayoutBody,
    made_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    beneficiary: Option<String>,
    instrument: InstrumentBody,
    /// What an approval has to name.
    digest: String,
    waiting: bool,
    timeline: Vec<StepBody>,
    decisions: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    decision: &'static str,
    by: String,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    at: Timestamp,
}

/// Does it.
pub(super) async fn run(id: PayoutId, setup: &Setup, output: &Output) -> Result<()> {
    let ctx = setup.open().await?;
    let seen = desk::see(&ctx, id).await;
    ctx.db.close().await;
    let seen = seen?;
    let shown = Shown {
        payout: PayoutBody::of(&seen.payout)?,
        made_by: seen.payout.made_by.to_string(),
        beneficiary: seen.payee.clone(),
        instrument: InstrumentBody::from(&seen.instrument),
        digest: seen.payout.digest(),
        waiting: seen.payout.status.awaits_decision(),
        timeline: seen.steps.iter().map(StepBody::from).collect(),
        decisions: seen.decisions.iter().map(line).collect(),
    };
    output.answer(&shown, &text(&seen))
}

fn line(decision: &Decision) -> Line {
    Line {
        decision: word(decision),
        by: decision.actor.to_string(),
        digest: decision.digest.clone(),
        reason: decision.reason.clone(),
        at: decision.at,
    }
}

fn word(decision: &Decision) -> &'static str {
    if decision.approved { "approve" } else { "reject" }
}

fn money(amount: Amount) -> String {
    format!("{} {}", amount.render(), amount.currency())
}

fn text(seen: &Seen) -> String {
    let payout = &seen.payout;
    let amounts = &payout.amounts;
    let mut text = String::new();
    let mut line = |name: &str, what: String| _ = writeln!(text, "{name:12} {what}");
    line("payout", format!("{} is {}", payout.id, payout.status.as_str()));
    line("merchant", payout.merchant.to_string());
    line("made by", format!("{} at {}", payout.made_by, payout.created_at));
    let payee = seen.payee.as_deref().unwrap_or("-");
    line("beneficiary", format!("{payee} ({})", payout.beneficiary));
    let masked = seen.instrument.shown.masked.as_deref().unwrap_or_default();
    line(
        "instrument",
        format!("{masked} ({}, {})", seen.instrument.method.word, payout.instrument),
    );
    line("source", money(amounts.source));
    line("arrives", format!("{} by {}", money(amounts.dest), payout.method));
    let bearer = match amounts.bearer {
        FeeBearer::Merchant => "on top",
        FeeBearer::Beneficiary => "taken from what arrives",
    };
    line("fee", format!("{}, {bearer}", money(amounts.fee)));
    for (name, words) in [("reference", &payout.reference), ("purpose", &payout.purpose)] {
        if let Some(words) = words {
            line(name, words.clone());
        }
    }
    for step in &seen.steps {
        let what = format!("{} {} by {}: {}", step.at, step.to.as_str(), step.actor, step.cause);
        line(&format!("step {}", step.number), what);
    }
    for decision in &seen.decisions {
        let reason = decision.reason.as_deref().unwrap_or_default();
        line(word(decision), format!("{} by {}: {reason}", decision.at, decision.actor));
    }
    line("digest", payout.digest());
    let end = if payout.status.awaits_decision() {
        "It waits for somebody's word: payout approve, or payout reject, with this digest."
    } else {
        "It waits for nobody's word."
    };
    text.push_str(end);
    text
}
