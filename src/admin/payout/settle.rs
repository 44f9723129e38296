//! `counterfoil payout settle`: people are the rail, and say what became of the money.

use serde_json::json;

use super::{Output, Setup, name, words};
use crate::base::failure::Result;
use crate::payouts::PayoutId;
use crate::payouts::payout::desk::{self, Word};
use crate::payouts::payout::{Actor, PayoutStatus};

/// Which payout, what became of it, and who says so.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// `pay_…`
    id: PayoutId,
    #[command(flatten)]
    outcome: Outcome,
    /// The bank's name for the payment
    #[arg(long, value_parser = words)]
    reference: Option<String>,
    /// Your name
    #[arg(long, value_name = "NAME", value_parser = name)]
    by: String,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Outcome {
    /// The money has left
    #[arg(long)]
    sent: bool,
    /// It has arrived
    #[arg(long)]
    completed: bool,
    /// It will not arrive; everything goes back to the merchant
    #[arg(long, value_name = "REASON", value_parser = words)]
    failed: Option<String>,
    /// It came back, before it arrived or after; the fee stays
    #[arg(long, value_name = "REASON", value_parser = words)]
    returned: Option<String>,
}

/// Does it.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    let Args { id, outcome, reference, by } = args;
    let (goal, cause) = match outcome {
        Outcome { failed: Some(why), .. } => (PayoutStatus::Failed, why),
        Outcome { returned: Some(why), .. } => (PayoutStatus::Returned, why),
        Outcome { sent: true, .. } => (PayoutStatus::Sent, "sent by hand".to_owned()),
        _ => (PayoutStatus::Completed, "it has arrived".to_owned()),
    };
    let ctx = setup.open().await?;
    let word = Word { goal, reference, by: Actor::Operator(by.clone()), cause };
    let settled = desk::settle(&ctx, id, word).await;
    ctx.db.close().await;
    let payout = settled?;
    let status = payout.status.as_str();
    let document = json!({
        "payout_id": id, "status": status, "by": by, "rail_reference": payout.railed.reference,
    });
    output.answer(&document, &format!("{id} is {status}."))
}
