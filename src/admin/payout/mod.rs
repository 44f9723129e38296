//! `counterfoil payout`: what operators see of payouts, and what they say about them.
//!
//! `--by` is believed: who may run this command on this machine is for the machine to decide.

mod decide;
mod list;
mod settle;
mod show;

use super::{Output, Setup};
use crate::base::failure::Result;
use crate::payouts::PayoutId;

/// The longest name of an operator.
const LONGEST_NAME: usize = 64;
/// The longest reason, and the longest name of a bank for a payment.
const LONGEST_WORDS: usize = 255;

/// What to do with payouts.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show a payout: its facts, what happened to it, and the digest by which it is approved
    Show {
        /// `pay_…`
        id: PayoutId,
    },
    /// List payouts of every merchant that wait for people, the oldest first
    List(list::Args),
    /// Let a payout through that waits for somebody's word
    Approve(decide::Args),
    /// Refuse a payout that waits for somebody's word: the money goes back to the merchant
    Reject(decide::Args),
    /// Say what became of a payout that was sent by hand
    Settle(settle::Args),
}

/// Does it.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    match args.action {
        Action::Show { id } => show::run(id, setup, output).await,
        Action::List(args) => list::run(args, setup, output).await,
        Action::Approve(args) => decide::approve(args, setup, output).await,
        Action::Reject(args) => decide::reject(args, setup, output).await,
        Action::Settle(args) => settle::run(args, setup, output).await,
    }
}

fn name(text: &str) -> Result<String, String> {
    plain(text, LONGEST_NAME)
}

fn words(text: &str) -> Result<String, String> {
    plain(text, LONGEST_WORDS)
}

fn plain(text: &str, longest: usize) -> Result<String, String> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > longest || text.chars().any(char::is_control) {
        return Err(format!("1 to {longest} characters, and no control characters"));
    }
    Ok(text.to_owned())
}
