//! `counterfoil payout list`.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Output, Setup};
use crate::base::failure::Result;
use crate::payouts::payout::desk;
use crate::payouts::payout::{Payout, PayoutBody, PayoutStatus};

/// How many are shown at once; what is older comes first, and makes room when it is done.
const MOST: usize = 500;

/// Which ones.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Args {
    /// Those that wait to be approved or rejected
    #[arg(long)]
    waiting: bool,
    /// Those that were handed to a rail and have not arrived; with the manual rail, those to send
    #[arg(long)]
    at_rail: bool,
}

#[derive(Serialize)]
struct Listed {
    payouts: Vec<Line>,
    has_more: bool,
}

#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    payout: PayoutBody,
    digest: String,
}

/// Does it.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    use PayoutStatus as S;
    let states: &[S] = if args.at_rail {
        &[S::Processing, S::Sent]
    } else {
        &[S::PendingApproval, S::PendingEngineReview, S::ManualReview]
    };
    let ctx = setup.open().await?;
    let found = desk::queue(&ctx, states, MOST + 1).await;
    ctx.db.close().await;
    let mut found = found?;
    let has_more = found.len() > MOST;
    found.truncate(MOST);
    let line =
        |payout: &Payout| Ok(Line { payout: PayoutBody::of(payout)?, digest: payout.digest() });
    let payouts = found.iter().map(line).collect::<Result<_>>()?;
    output.answer(&Listed { payouts, has_more }, &text(&found, has_more))
}

fn text(found: &[Payout], has_more: bool) -> String {
    let mut text = String::new();
    for payout in found {
        let amount = payout.amounts.source;
        _ = writeln!(
            text,
            "{}  {:21} {:>16} {}  since {}",
            payout.id,
            payout.status.as_str(),
            amount.render(),
            amount.currency(),
            payout.updated_at
        );
    }
    text.push_str(match (found.is_empty(), has_more) {
        (true, _) => "There are none.",
        (_, true) => "There are more.",
        _ => "These are all.",
    });
    text
}
