//! `counterfoil beneficiary`: what compliance decides about who may be paid.

use serde_json::json;

use super::{Output, Setup};
use crate::base::failure::{Code, Failure, Result};
use crate::payouts::BeneficiaryId;
use crate::payouts::beneficiaries::{self, Step, short_text};

/// What to do with beneficiaries.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Stop a beneficiary: nobody can pay it, and its merchant cannot change that
    Block {
        #[arg(value_name = "BENEFICIARY_ID")]
        id: String,
        /// Why, for the record; merchants are not shown it
        #[arg(long)]
        reason: String,
    },
    /// Let a blocked beneficiary go: it is active then
    Unblock {
        #[arg(value_name = "BENEFICIARY_ID")]
        id: String,
    },
}

/// Does it.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    let (id, step, done) = match args.action {
        Action::Block { id, reason } => {
            let refused = |why| Failure::invalid(Vec::new()).field("reason", why);
            let reason = short_text(&reason).map_err(refused)?;
            (id, Step::Block { reason }, "blocked; payouts to it are refused")
        }
        Action::Unblock { id } => (id, Step::Unblock, "active again"),
    };
    let unknown = |_| Failure::because(Code::NotFound, "there is no beneficiary of this id");
    let id: BeneficiaryId = id.parse().map_err(unknown)?;
    let ctx = setup.open().await?;
    let changed = beneficiaries::operate(&ctx, id, &step).await;
    ctx.db.close().await;
    let changed = changed?;
    let document = json!({
        "id": changed.id,
        "merchant_id": changed.merchant,
        "status": changed.status.as_str(),
        "updated_at": changed.updated_at,
    });
    output.answer(&document, &format!("{id} is {done}."))
}
