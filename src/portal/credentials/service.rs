//! What can be done to a credential, by somebody of the merchant it belongs to.

use std::time::Duration;

use crate::{
    base::{
        failure::{Code, Failure, FieldFault, Result},
        ids::MerchantId,
        secret::Secret,
    },
    ctx::Ctx,
    oauth::{
        credentials::{
            self, Client, ClientId, Credential, LastUses, NewCredential, Possession, Registered,
        },
        jose::{Jkt, PublicJwk},
        scopes::{Scope, Scopes},
    },
    portal::{
        Portal,
        trail::{Action, Entry, Who},
    },
};

const LONGEST_LABEL: usize = 100;
/// How long an old secret may go on: the choices of the form, in hours.
pub(super) const OVERLAPS: [(u64, &str); 4] = [
    (0, "not at all: it is refused from now on"),
    (1, "for an hour"),
    (24, "for a day"),
    (168, "for a week"),
];

/// A credential with everything that its page shows.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) client: Client,
    pub(super) uses: LastUses,
}

/// The credentials of a merchant, each with its last use, the active and newest first.
pub(super) async fn list(ctx: &Ctx, merchant: MerchantId) -> Result<Vec<(Credential, LastUses)>> {
    let mut seen = credentials::list_with_uses(ctx, merchant).await?;
    seen.sort_by_key(|(credential, _)| {
        let revoked = credential.status != credentials::CredentialStatus::Active;
        (revoked, std::cmp::Reverse(credential.created_at))
    });
    Ok(seen)
}

/// One credential of this merchant. Somebody else's is not found, in the same words as one that never
/// was: nobody learns which ids exist.
pub(super) async fn own(ctx: &Ctx, merchant: MerchantId, id: &str) -> Result<Seen> {
    let missing = || Failure::because(Code::NotFound, "you have no credential with this id");
    let id = ClientId::presented(id).ok_or_else(missing)?;
    let client = credentials::load(ctx, &id).await?;
    let client = client.filter(|client| client.credential.merchant_id == merchant);
    let client = client.ok_or_else(missing)?;
    let uses = credentials::last_uses(ctx, &client.credential).await?;
    Ok(Seen { client, uses })
}

/// What somebody has filled in.
#[derive(Debug, Default)]
pub(super) struct Wish<'a> {
    pub(super) label: &'a str,
    pub(super) scopes: Vec<&'a str>,
    pub(super) jwk: &'a str,
    pub(super) proof: &'a str,
}

impl Wish<'_> {
    fn checked(&self, merchant: MerchantId) -> Result<NewCredential> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: &str| {
            faults.push(FieldFault { field: field.to_owned(), message: message.to_owned() });
        };
        let label = self.label.trim();
        if label.is_empty()
            || label.chars().count() > LONGEST_LABEL
            || label.chars().any(char::is_control)
        {
            fault("label", "must be 1 to 100 printable characters");
        }
        let word = |word: &&str| Scope::ALL.iter().copied().find(|scope| scope.as_str() == *word);
        let scopes: Option<Scopes> = self.scopes.iter().map(word).collect();
        let scopes = scopes.filter(|scopes| !scopes.is_empty());
        if scopes.is_none() {
            fault("scopes", "must name one right or more");
        }
        let key = key(self.jwk);
        if let Err(message) = &key {
            fault("jwk", message);
        }
        match (scopes, key) {
            (Some(scopes), Ok(key)) if faults.is_empty() => Ok(NewCredential {
                merchant_id: merchant,
                label: label.to_owned(),
                scopes,
                addresses: Vec::new(),
                key,
            }),
            _ => Err(Failure::invalid(faults)),
        }
    }
}

fn key(jwk: &str) -> Result<PublicJwk, String> {
    if jwk.is_empty() {
        return Err("must be made first: press “Make the key pair”".to_owned());
    }
    PublicJwk::parse(jwk.as_bytes()).map_err(|fault| fault.to_string())
}

/// Registers a credential after its key has signed an open challenge.
pub(super) async fn register(room: &Portal, who: &Who, wish: &Wish<'_>) -> Result<Registered> {
    let new = wish.checked(who.merchant)?;
    let note = format!("{} · key {}", new.label, new.key.thumbprint());
    let trail = Entry { ctx: &room.ctx, who, action: Action::CredentialRegistered, note };
    let hasher = room.authority.hasher();
    let signed = Possession::Signed(wish.proof);
    let (ctx, world) = (&room.ctx, room.environment);
    let made = credentials::register_before(&trail, ctx, hasher, world, &new, signed).await?;
    room.authority.access_changed().await?;
    Ok(made)
}

/// One more key, after it has signed an open challenge.
pub(super) async fn add_key(
    room: &Portal,
    who: &Who,
    seen: &Seen,
    jwk: &str,
    proof: &str,
) -> Result<Jkt> {
    let fault = |message: String| Failure::invalid(Vec::new()).field("jwk", message);
    let key = key(jwk).map_err(fault)?;
    let note = format!("key {}", key.thumbprint());
    let trail = Entry { ctx: &room.ctx, who, action: Action::KeyAdded, note };
    let (id, signed) = (&seen.client.credential.client_id, Possession::Signed(proof));
    let jkt = credentials::add_key_before(&trail, &room.ctx, id, &key, signed).await?;
    room.authority.access_changed().await?;
    Ok(jkt)
}

/// Retires a key of this credential.
pub(super) async fn retire_key(room: &Portal, who: &Who, seen: &Seen, jkt: &str) -> Result<()> {
    let found = seen.client.keys.iter().find(|key| key.jkt.as_str() == jkt);
    let missing = || Failure::because(Code::NotFound, "this credential has no such active key");
    let jkt = found.ok_or_else(missing)?.jkt;
    let note = format!("key {jkt}");
    let trail = Entry { ctx: &room.ctx, who, action: Action::KeyRetired, note };
    let id = &seen.client.credential.client_id;
    credentials::revoke_key_before(&trail, &room.ctx, id, &jkt).await?;
    room.authority.access_changed().await
}

/// A new secret; the old one goes on for one of [`OVERLAPS`].
pub(super) async fn rotate(
    room: &Portal,
    who: &Who,
    seen: &Seen,
    hours: &str,
) -> Result<Secret<String>> {
    let known = OVERLAPS.iter().find(|(known, _)| known.to_string() == hours);
    let (hours, _) = known.ok_or_else(|| {
        Failure::invalid(Vec::new()).field("overlap", "must be one of the choices")
    })?;
    let note = format!("the old one goes on for {hours} h");
    let trail = Entry { ctx: &room.ctx, who, action: Action::SecretRotated, note };
    let (hasher, id) = (room.authority.hasher(), &seen.client.credential.client_id);
    let (ctx, world, overlap) = (&room.ctx, room.environment, Duration::from_hours(*hours));
    let made = credentials::rotate_secret_before(&trail, ctx, hasher, world, id, overlap).await?;
    room.authority.access_changed().await?;
    Ok(made)
}

/// Ends a credential for good, from the next call on.
pub(super) async fn revoke(room: &Portal, who: &Who, seen: &Seen) -> Result<()> {
    let Credential { client_id, label, .. } = &seen.client.credential;
    let trail =
        Entry { ctx: &room.ctx, who, action: Action::CredentialRevoked, note: label.clone() };
    credentials::revoke_before(&trail, &room.ctx, client_id).await?;
    room.authority.access_changed().await
}
