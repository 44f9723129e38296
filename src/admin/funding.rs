//! `counterfoil funding receive`: a credit that an operator has seen at the bank.

use serde::Serialize;

use super::{Output, Setup};
use crate::base::failure::{Failure, FieldFault, Result};
use crate::base::ids::MerchantId;
use crate::money::{Amount, Currency};
use crate::payouts::funding::{self, Incoming};

/// What to do with money that comes in.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Book a credit that has arrived at the bank; told twice, it is booked once
    Receive {
        /// Whose money it is
        #[arg(long, value_name = "ID")]
        merchant: MerchantId,
        /// In what
        #[arg(long)]
        currency: String,
        /// How much, as a decimal number
        #[arg(long)]
        amount: String,
        /// The bank's own name for the credit, such as its transaction id
        #[arg(long)]
        reference: String,
        /// Who sent it
        #[arg(long)]
        counterparty: Option<String>,
    },
}

#[derive(Serialize)]
struct Booked {
    merchant_id: String,
    deposit_id: String,
    reference: String,
    amount: String,
    currency: &'static str,
    available: String,
    repeated: bool,
}

/// Does it.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    let Action::Receive { merchant, currency, amount, reference, counterparty } = args.action;
    let at = |field: &str, message: String| {
        Failure::invalid(vec![FieldFault { field: field.to_owned(), message }])
    };
    let currency: Currency =
        currency.parse().map_err(|_| at("currency", "is not a currency we know".to_owned()))?;
    let amount =
        Amount::parse(&amount, currency).map_err(|error| at("amount", error.to_string()))?;
    let incoming = Incoming::check(amount, &reference, counterparty.as_deref())?;
    let ctx = setup.open().await?;
    let received = funding::receive(&ctx, merchant, &incoming).await;
    ctx.db.close().await;
    let received = received?;
    let booked = Booked {
        merchant_id: merchant.to_string(),
        deposit_id: received.deposit.id.to_string(),
        reference,
        amount: amount.render(),
        currency: currency.code(),
        available: received.balance.available.render(),
        repeated: received.repeated,
    };
    let word = if booked.repeated { "Booked before" } else { "Booked" };
    let text = format!("{word}; {} {} available", booked.available, booked.currency);
    output.answer(&booked, &text)
}
