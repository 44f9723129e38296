//! `counterfoil credential list`.

use std::fmt::Write as _;

use serde::Serialize;

use crate::admin::{Output, Setup};
use crate::base::failure::Result;
use crate::base::ids::MerchantId;
use crate::base::timestamp::Timestamp;
use crate::oauth::credentials::{self, Client, CredentialStatus, KeyStatus, LastUses};

#[derive(Serialize)]
struct Answer {
    credentials: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    client_id: String,
    label: String,
    status: &'static str,
    revoked_at: Option<Timestamp>,
    scopes: String,
    networks: Vec<String>,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    keys: Vec<ShownKey>,
}

#[derive(Serialize)]
struct ShownKey {
    jkt: String,
    status: &'static str,
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

/// Shows them, oldest first, the revoked ones too.
pub(super) async fn run(merchant: MerchantId, setup: &Setup, output: &Output) -> Result<()> {
    let ctx = setup.open().await?;
    let mut answer = Answer { credentials: Vec::new() };
    for (credential, uses) in credentials::list_with_uses(&ctx, merchant).await? {
        let client = credentials::load(&ctx, &credential.client_id).await?;
        answer.credentials.extend(client.map(|client| shown(&client, &uses)));
    }
    ctx.db.close().await;
    let text = text(&answer);
    output.answer(&answer, &text)
}

fn shown(client: &Client, uses: &LastUses) -> Shown {
    let credential = &client.credential;
    let (status, revoked_at) = match credential.status {
        CredentialStatus::Active => ("active", None),
        CredentialStatus::Revoked { at } => ("revoked", Some(at)),
    };
    let key = |key: &credentials::RegisteredKey| {
        let (status, revoked_at) = match key.status {
            KeyStatus::Active => ("active", None),
            KeyStatus::Revoked { at } => ("revoked", Some(at)),
        };
        let (jkt, created_at) = (key.jkt.to_string(), key.created_at);
        let last_used_at = uses.keys.get(&jkt).copied();
        ShownKey { jkt, status, revoked_at, created_at, last_used_at }
    };
    Shown {
        client_id: credential.client_id.to_string(),
        label: credential.label.clone(),
        status,
        revoked_at,
        scopes: credential.scopes.to_string(),
        networks: credential.addresses.iter().map(ToString::to_string).collect(),
        created_at: credential.created_at,
        last_used_at: uses.credential,
        keys: client.keys.iter().map(key).collect(),
    }
}

fn text(answer: &Answer) -> String {
    if answer.credentials.is_empty() {
        return "This merchant has no credentials.".to_owned();
    }
    let mut text = String::new();
    for credential in &answer.credentials {
        let Shown { client_id, label, status, scopes, networks, .. } = credential;
        _ = writeln!(text, "{client_id}  {status}  {label}");
        _ = writeln!(text, "  used    {}", when(credential.last_used_at));
        _ = writeln!(text, "  scopes  {scopes}");
        if !networks.is_empty() {
            _ = writeln!(text, "  from    {}", networks.join(", "));
        }
        for key in &credential.keys {
            let used = when(key.last_used_at);
            _ = writeln!(text, "  key     {}  {}  used {used}", key.jkt, key.status);
        }
    }
    text.trim_end().to_owned()
}

fn when(used: Option<Timestamp>) -> String {
    used.map_or_else(|| "never".to_owned(), |at| at.to_string())
}
