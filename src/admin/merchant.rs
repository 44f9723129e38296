//! `counterfoil merchant`: a new tenant with the first password of its owner; its suspension.

use serde::Serialize;
use serde_json::json;

use super::{Output, Setup};
use crate::app;
use crate::base::failure::{Code, Failure, Result};
use crate::base::ids::MerchantId;
use crate::oauth::merchants::{self, Merchant, NewMerchant};
use crate::portal::links;
use crate::portal::users::{self, UserStatus};

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
    /// Print a link that signs somebody in at the portal, once, within 15 minutes
    SignInLink {
        /// Where they sign in
        #[arg(long)]
        email: String,
    },
    /// Refuse its tokens and mint no new ones, until it is resumed
    Suspend {
        #[arg(value_name = "MERCHANT_ID")]
        merchant: MerchantId,
    },
    /// Let a suspended merchant go on
    Resume {
        #[arg(value_name = "MERCHANT_ID")]
        merchant: MerchantId,
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
    match args.action {
        Action::Create { name, email } => create(&name, &email, setup, output).await,
        Action::SignInLink { email } => sign_in_link(&email, setup, *output).await,
        Action::Suspend { merchant } => {
            let ctx = setup.open().await?;
            let merchant = merchants::suspend(&ctx, merchant).await;
            ctx.db.close().await;
            let merchant = merchant?;
            let told = format!(
                "Merchant {} is suspended: its tokens are refused, and it gets no new ones.",
                merchant.id
            );
            answer(&merchant, &told, *output)
        }
        Action::Resume { merchant } => {
            let ctx = setup.open().await?;
            let merchant = merchants::resume(&ctx, merchant).await;
            ctx.db.close().await;
            let merchant = merchant?;
            answer(&merchant, &format!("Merchant {} may act.", merchant.id), *output)
        }
    }
}

fn answer(merchant: &Merchant, text: &str, output: Output) -> Result<()> {
    let Merchant { id, name, email, status, .. } = merchant;
    let document =
        json!({ "merchant_id": id, "name": name, "email": email, "status": status.as_str() });
    output.answer(&document, text)
}

async fn sign_in_link(email: &str, setup: &Setup, output: Output) -> Result<()> {
    let ctx = setup.open().await?;
    let account = users::by_email(&ctx, email).await?;
    let active = account.filter(|account| account.person.status == UserStatus::Active);
    let Some(account) = active else {
        let why = "nobody signs in with this address; `counterfoil merchant create` makes an owner";
        return Err(Failure::because(Code::NotFound, why));
    };
    let origin = setup.config.public_url.as_str();
    let link = links::sign_in_link(&ctx, &account.person, origin).await;
    ctx.db.close().await;
    let link = link?;
    let text = format!("{link}\n\nIt works once, within 15 minutes. Hand it to {email} only.");
    output.answer(&json!({ "sign_in_link": link }), &text)
}

async fn create(name: &str, email: &str, setup: &Setup, output: &Output) -> Result<()> {
    let new = NewMerchant::check(name, email)?;
    let ctx = setup.open().await?;
    let hasher = app::hasher(&setup.config, &ctx.random)?;
    let (merchant, password) = users::found(&ctx, &hasher, &new).await?;
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
