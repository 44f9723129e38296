//! `counterfoil keys`: list, rotate and remove the keys that sign access tokens, and make data keys.
//!
//! Every running server notices a change by itself; `keys/README.md` tells operators when to do what.

use std::fmt::Write as _;

use serde_json::json;

use super::{Output, Setup};
use crate::app;
use crate::base::failure::{Code, Failure, Result};
use crate::oauth::keys::{Ring, RingKey, Stage};
use crate::vault;

const NONE_YET: &str = "there are no signing keys yet; the first start of the server makes one";

/// What to do with signing keys.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show each key and what it is for now
    List,
    /// Publish a new key now; it signs when every verifier can know it
    Rotate {
        /// Let it sign at once: verifiers with a copy of the old JWKS refuse its tokens for a while
        #[arg(long, conflicts_with = "data")]
        now: bool,
        /// Make a new data key instead: it seals what is personal from now on, older values stay readable
        #[arg(long)]
        data: bool,
    },
    /// Take a stolen key out at once: its tokens are refused from now on
    Remove {
        /// The name of the key, as `keys list` shows it
        // A thumbprint may start with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

/// Does it.
pub(super) async fn run(args: Args, setup: &Setup, output: Output) -> Result<()> {
    // To look, or to take away, must not make a key: a server elsewhere would then have another one.
    if !matches!(args.action, Action::Rotate { .. }) && !Ring::is_kept_in(&setup.config.keys_dir) {
        return match args.action {
            Action::List => output.answer(&json!({ "keys": [] }), NONE_YET),
            _ => Err(Failure::because(Code::NotFound, NONE_YET)),
        };
    }
    if let Action::Rotate { data: true, .. } = args.action {
        return rotate_data(setup, output).await;
    }
    let ring = app::ring(&setup.config, &setup.clock, &setup.random)?;
    match args.action {
        Action::List => {
            let keys = ring.list()?;
            let mut lines: Vec<String> = keys.iter().map(line).collect();
            let data_keys = data_keys(setup).await;
            match &data_keys {
                Some(keys) => lines.extend(keys.iter().map(data_line)),
                None => lines
                    .push("The database does not answer: its data keys are not shown.".to_owned()),
            }
            output.answer(&json!({ "keys": keys, "data_keys": data_keys }), &lines.join("\n"))
        }
        Action::Rotate { now, .. } => {
            let key = ring.rotate(now)?;
            let text = match key.stage {
                Stage::Next => {
                    format!("Key {} is published and signs from {}.", key.kid, key.active_from)
                }
                Stage::Active | Stage::Retiring => format!("Key {} signs from now on.", key.kid),
            };
            output.answer(&key, &text)
        }
        Action::Remove { kid } => {
            let key = ring.remove(&kid)?;
            let text = format!("Key {} is gone; tokens that it signed are refused.", key.kid);
            output.answer(&key, &text)
        }
    }
}

/// Nothing when the database cannot be asked: who looks for a stolen signing key must see it even then.
async fn data_keys(setup: &Setup) -> Option<Vec<vault::DataKey>> {
    let ctx = setup.open().await.ok()?;
    let keys = vault::data_keys(&ctx).await;
    ctx.db.close().await;
    keys.ok()
}

async fn rotate_data(setup: &Setup, output: Output) -> Result<()> {
    let ctx = setup.open().await?;
    let rotated = match app::vault(&setup.config, &ctx).await {
        Ok(vault) => vault.rotate().await,
        Err(failure) => Err(failure),
    };
    ctx.db.close().await;
    let id = rotated?;
    let text = format!(
        "Data key {id} seals from now on; running servers take it up as soon as they meet it, at the latest when they restart."
    );
    output.answer(&json!({ "data_key_id": id }), &text)
}

fn data_line(key: &vault::DataKey) -> String {
    let word = if key.seals { "seals" } else { "opens" };
    let vault::DataKey { id, purpose, sealed_by, made_at, .. } = key;
    format!("{id}  {purpose}  {word}  from {made_at}  sealed with {sealed_by}")
}

fn line(key: &RingKey) -> String {
    let stage = match key.stage {
        Stage::Next => "next",
        Stage::Active => "active",
        Stage::Retiring => "retiring",
    };
    let mut line = format!("{}  {:8}  {:7}  from {}", key.kid, stage, key.alg, key.active_from);
    if let Some(gone_at) = key.gone_at {
        let _ = write!(line, "  until {gone_at}");
    }
    line
}
