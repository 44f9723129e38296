//! `counterfoil balance credit`: play money for a sandbox.

use serde::Serialize;

use super::{Output, Setup};
use crate::base::failure::{Failure, FieldFault, Result};
use crate::base::ids::MerchantId;
use crate::money::{Amount, Currency};
use crate::payouts::balances;

/// What to do with balances.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Fund a merchant's balance; only a sandbox does
    Credit {
        /// Whose balance
        #[arg(long, value_name = "ID")]
        merchant: MerchantId,
        /// In what
        #[arg(long)]
        currency: String,
        /// How much, as a decimal number
        #[arg(long)]
        amount: String,
    },
}

#[derive(Serialize)]
struct Credited {
    merchant_id: String,
    balance_id: String,
    currency: String,
    available: String,
    pending: String,
}

/// Does it.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    let Action::Credit { merchant, currency, amount } = args.action;
    let at = |field: &str, message: String| {
        Failure::invalid(vec![FieldFault { field: field.to_owned(), message }])
    };
    let currency: Currency =
        currency.parse().map_err(|_| at("currency", "is not a currency we know".to_owned()))?;
    let amount =
        Amount::parse(&amount, currency).map_err(|error| at("amount", error.to_string()))?;
    let ctx = setup.open().await?;
    let credited = balances::credit(&ctx, setup.config.environment, merchant, amount).await;
    ctx.db.close().await;
    let balance = credited?;
    let credited = Credited {
        merchant_id: merchant.to_string(),
        balance_id: balance.id.to_string(),
        currency: currency.code().to_owned(),
        available: balance.available.render(),
        pending: balance.pending.render(),
    };
    let text = format!("{} {} available", credited.available, credited.currency);
    output.answer(&credited, &text)
}
