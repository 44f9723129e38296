//! `counterfoil credential`: register, change, end and list the credentials of integrating servers.

mod change;
mod key_source;
mod list;
mod register;

use super::{Output, Setup};
use crate::base::failure::Result;
use crate::base::ids::MerchantId;

/// What to do with credentials.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a credential and print its secret, once
    Register(register::Args),
    /// End a credential for good
    Revoke {
        #[arg(value_name = "CLIENT_ID")]
        client: String,
    },
    /// Make a new secret; the old one works a while longer
    RotateSecret(change::RotateSecret),
    /// Let another key sign proofs
    AddKey(change::AddKey),
    /// Refuse a key's proofs, and the tokens bound to it, from now on
    RevokeKey {
        #[arg(value_name = "CLIENT_ID")]
        client: String,
        /// The thumbprint of the key
        // A thumbprint may start with a hyphen.
        #[arg(allow_hyphen_values = true)]
        jkt: String,
    },
    /// Show a merchant's credentials and keys
    List {
        /// The merchant
        #[arg(long, value_name = "ID")]
        merchant: MerchantId,
    },
}

/// Does it.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    match args.action {
        Action::Register(args) => register::run(args, setup, output).await,
        Action::Revoke { client } => change::revoke(&client, setup, output).await,
        Action::RotateSecret(args) => change::rotate_secret(args, setup, output).await,
        Action::AddKey(args) => change::add_key(args, setup, output).await,
        Action::RevokeKey { client, jkt } => change::revoke_key(&client, &jkt, setup, output).await,
        Action::List { merchant } => list::run(merchant, setup, output).await,
    }
}
