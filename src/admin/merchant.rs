//! `counterfoil merchant create`: a new tenant and the first password of its owner.

use serde::Serialize;

use super::{Output, Setup};
use crate::app;
use crate::base::failure::Result;
use crate::oauth::merchants::{self, NewMerchant};

/// What to do with merchants.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a merchant and print its owner's first password, once
    Create {
        /// As shown to people
        #[arg(long)]
        name: String,
        /// Where the owner signs in
        #[arg(long)]
        email: String,
    },
}

#[derive(Serialize)]
struct Created {
    merchant_id: String,
    email: String,
    password: String,
}

/// Does it.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    let Action::Create { name, email } = args.action;
    let new = NewMerchant::check(&name, &email)?;
    let ctx = setup.open().await?;
    let hasher = app::hasher(&setup.config, &ctx.random)?;
    let (merchant, password) = merchants::create(&ctx, &hasher, &new).await?;
    ctx.db.close().await;
    let created = Created {
        merchant_id: merchant.id.to_string(),
        email: merchant.email,
        password: password.expose().clone(),
    };
    let text = format!(
        "Merchant {}\n  e-mail    {}\n  password  {}\n\nThe password is not shown again.",
        created.merchant_id, created.email, created.password
    );
    output.answer(&created, &text)
}
