//! Changes to a credential that exists.

use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::json;

use super::key_source::KeySource;
use crate::admin::{Output, Setup};
use crate::app;
use crate::base::failure::{Code, Failure, Result};
use crate::base::timestamp::Timestamp;
use crate::config;
use crate::oauth::credentials::{self, ClientId, CredentialStatus, Possession};
use crate::oauth::jose::Jkt;

/// Longer, and a leaked secret would outlive every reason to rotate it.
const OVERLAPS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(30 * 24);

/// Which secret, and how long the old one works.
#[derive(Debug, clap::Args)]
pub(super) struct RotateSecret {
    #[arg(value_name = "CLIENT_ID")]
    client: String,
    /// How long the old secret works beside the new one; 0s after a leak
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = overlap)]
    overlap: Duration,
}

/// Which credential, and the key.
#[derive(Debug, clap::Args)]
pub(super) struct AddKey {
    #[arg(value_name = "CLIENT_ID")]
    client: String,
    #[command(flatten)]
    key: KeySource,
}

/// Ends a credential.
pub(super) async fn revoke(client: &str, setup: &Setup, output: &Output) -> Result<()> {
    let id = named(client)?;
    let ctx = setup.open().await?;
    let revoked = credentials::revoke(&ctx, &id).await;
    ctx.db.close().await;
    let revoked = revoked?;
    let at: Option<Timestamp> = match revoked.status {
        CredentialStatus::Revoked { at } => Some(at),
        CredentialStatus::Active => None,
    };
    let document = json!({ "client_id": client, "status": "revoked", "revoked_at": at });
    output.answer(&document, &format!("{client} is revoked; its tokens are refused."))
}

/// Makes a new secret.
pub(super) async fn rotate_secret(
    args: RotateSecret,
    setup: &Setup,
    output: &Output,
) -> Result<()> {
    let (client, environment) = (named(&args.client)?, setup.config.environment);
    let ctx = setup.open().await?;
    let hasher = app::hasher(&setup.config, &ctx.random)?;
    let secret =
        credentials::rotate_secret(&ctx, &hasher, environment, &client, args.overlap).await;
    ctx.db.close().await;
    let secret = secret?;
    let until = ctx.now().plus(args.overlap);
    let document = json!({
        "client_id": args.client,
        "client_secret": secret.expose(),
        "old_secret_ends_at": until,
    });
    let text = format!(
        "New secret of {client}\n  {}\n\nIt is not shown again. The old one works until {until}.",
        secret.expose()
    );
    output.answer(&document, &text)
}

/// Adds a key.
pub(super) async fn add_key(args: AddKey, setup: &Setup, output: &Output) -> Result<()> {
    let client = named(&args.client)?;
    let key = args.key.key(&setup.random)?;
    let ctx = setup.open().await?;
    let added = credentials::add_key(&ctx, &client, &key.public, Possession::Vouched).await;
    ctx.db.close().await;
    let jkt = added?;
    let mut text = format!("Key {jkt} of {client} may sign proofs.");
    if let Some(file) = key.save()? {
        _ = write!(text, "\n  private key  {}", file.display());
    }
    output.answer(&json!({ "client_id": args.client, "jkt": jkt }), &text)
}

/// Retires a key.
pub(super) async fn revoke_key(
    client: &str,
    jkt: &str,
    setup: &Setup,
    output: &Output,
) -> Result<()> {
    let jkt: Jkt = jkt.parse().map_err(|fault| {
        Failure::because(Code::InvalidParameter, format!("{fault}; `credential list` shows them"))
    })?;
    let id = named(client)?;
    let ctx = setup.open().await?;
    let revoked = credentials::revoke_key(&ctx, &id, &jkt).await;
    ctx.db.close().await;
    revoked?;
    let document = json!({ "client_id": client, "jkt": jkt, "status": "revoked" });
    output.answer(&document, &format!("Key {jkt} of {client} is revoked."))
}

fn named(client: &str) -> Result<ClientId> {
    ClientId::presented(client).ok_or_else(|| {
        let message = "there is no credential with this id; `credential list` shows them";
        Failure::because(Code::NotFound, message)
    })
}

fn overlap(text: &str) -> Result<Duration, String> {
    config::duration(text, OVERLAPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_is_nothing_to_thirty_days() {
        assert_eq!(overlap("0s"), Ok(Duration::ZERO));
        assert_eq!(overlap("24h"), Ok(Duration::from_hours(24)));
        for wrong in ["31d", "24", "-1h", ""] {
            assert!(overlap(wrong).is_err(), "{wrong}");
        }
    }
}
