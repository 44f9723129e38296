//! `counterfoil payout approve` and `reject`.

use serde_json::json;

use super::{Output, Setup, name, words};
use crate::base::failure::Result;
use crate::payouts::PayoutId;
use crate::payouts::payout::{self, Actor, desk};

/// Which payout, and who says so.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// `pay_…`
    id: PayoutId,
    /// What you have seen, as `payout show` names it
    #[arg(long)]
    digest: String,
    /// Your name
    #[arg(long, value_name = "NAME", value_parser = name)]
    by: String,
    /// Why; the merchant reads it when a payout is rejected
    #[arg(long, value_parser = words)]
    reason: Option<String>,
}

/// Lets it through.
pub(super) async fn approve(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    let reason = args.reason.clone().unwrap_or_else(|| "approved".to_owned());
    decide(args, Ok(&reason), setup, output).await
}

/// Sends it back.
pub(super) async fn reject(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    let reason = args.reason.clone().unwrap_or_else(|| "rejected by the operator".to_owned());
    decide(args, Err(&reason), setup, output).await
}

async fn decide(
    args: Args,
    verdict: Result<&str, &str>,
    setup: &Setup,
    output: &Output,
) -> Result<()> {
    let Args { id, digest, by, .. } = args;
    let ctx = setup.open().await?;
    let decided = async {
        let merchant = desk::owner(&ctx, id).await?;
        let actor = Actor::Operator(by.clone());
        payout::decide(&ctx, (merchant, id), &digest, &actor, verdict).await
    };
    let decided = decided.await;
    ctx.db.close().await;
    let status = decided?.status.as_str();
    let document = json!({ "payout_id": id, "status": status, "by": by });
    output.answer(&document, &format!("{id} is {status}."))
}
