//! Registering, changing and loading credentials.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    base::{
        environment::Environment,
        failure::{Code, Failure, Result},
        ids::MerchantId,
        secret::Secret,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, DbError, Owner, Tx, Unwitnessed, Witness},
    oauth::{
        jose::{Jkt, PublicJwk},
        merchants,
        secrets::Hasher,
    },
};

use super::{
    Client, ClientId, Credential, CredentialStatus, LastUses, NewCredential,
    model::{MAX_KEYS, make_secret},
    possession, store,
};

/// How long a registration challenge is open.
const CHALLENGE_LIFE: Duration = Duration::from_mins(10);

/// Why we believe that whoever registers a public key holds the private one. Without that, a
/// merchant could register a stranger's key and keep its owner from ever doing so.
#[derive(Clone, Copy, Debug)]
pub enum Possession<'a> {
    /// The operator, at the command line, has made it or seen to it.
    Vouched,
    /// A compact JWS by the new key whose payload is an open challenge of [`challenge`].
    Signed(&'a str),
}

/// A credential as it is shown once.
#[derive(Debug)]
pub struct Registered {
    /// The public half.
    pub credential: Credential,
    /// Shown now and never again; only its hash is kept.
    pub secret: Secret<String>,
    /// The thumbprint of its first key.
    pub jkt: Jkt,
}

/// Makes a credential with its first key and secret.
pub async fn register(
    ctx: &Ctx,
    hasher: &Hasher,
    environment: Environment,
    new: &NewCredential,
    possession: Possession<'_>,
) -> Result<Registered> {
    register_before(&Unwitnessed, ctx, hasher, environment, new, possession).await
}

/// The same before a witness.
pub async fn register_before(
    witness: &dyn Witness<ClientId>,
    ctx: &Ctx,
    hasher: &Hasher,
    environment: Environment,
    new: &NewCredential,
    possession: Possession<'_>,
) -> Result<Registered> {
    let secret = make_secret(environment, &ctx.random);
    let hash = hasher.hash(&secret, &ctx.random).await?;
    let now = ctx.now();
    let credential = Credential {
        merchant_id: new.merchant_id,
        client_id: ClientId::make(environment, &ctx.random),
        label: new.label.clone(),
        status: CredentialStatus::Active,
        scopes: new.scopes.clone(),
        addresses: new.addresses.clone(),
        version: 1,
        created_at: now,
    };
    db::write!(ctx.db, new.merchant_id, |tx| {
        merchants::find(tx, new.merchant_id).await?;
        store::claim_name(tx, credential.client_id.as_str(), new.merchant_id).await?;
        store::insert(tx, &credential).await?;
        store::insert_secret(tx, &credential, &hash, now).await?;
        admit_key(tx, &credential, &new.key, possession, now).await?;
        witness.note(tx, &credential.client_id).await
    })?;
    tracing::info!(client = %credential.client_id, "A credential was registered.");
    Ok(Registered { jkt: new.key.thumbprint(), credential, secret })
}

/// Ends a credential for good; its tokens and proofs are refused from now on.
pub async fn revoke(ctx: &Ctx, client_id: &ClientId) -> Result<Credential> {
    revoke_before(&Unwitnessed, ctx, client_id).await
}

/// The same before a witness, who hears of it only if it was not revoked already.
pub async fn revoke_before(
    witness: &dyn Witness<ClientId>,
    ctx: &Ctx,
    client_id: &ClientId,
) -> Result<Credential> {
    let now = ctx.now();
    let mut credential = owned(ctx, client_id).await?.credential;
    let revoked = db::write!(ctx.db, credential.merchant_id, |tx| {
        let revoked = store::revoke(tx, credential.merchant_id, client_id, now).await?;
        store::next_generation(tx).await?;
        if revoked {
            witness.note(tx, client_id).await?;
        }
        Ok(revoked)
    })?;
    if revoked {
        credential.status = CredentialStatus::Revoked { at: now };
        tracing::info!(client = %client_id, "A credential was revoked.");
    }
    Ok(credential)
}

/// Makes a new secret; the old one works for `overlap` more, which may be nothing.
pub async fn rotate_secret(
    ctx: &Ctx,
    hasher: &Hasher,
    environment: Environment,
    client_id: &ClientId,
    overlap: Duration,
) -> Result<Secret<String>> {
    rotate_secret_before(&Unwitnessed, ctx, hasher, environment, client_id, overlap).await
}

/// The same before a witness.
pub async fn rotate_secret_before(
    witness: &dyn Witness<ClientId>,
    ctx: &Ctx,
    hasher: &Hasher,
    environment: Environment,
    client_id: &ClientId,
    overlap: Duration,
) -> Result<Secret<String>> {
    let secret = make_secret(environment, &ctx.random);
    let hash = hasher.hash(&secret, &ctx.random).await?;
    let now = ctx.now();
    let credential = active(ctx, client_id).await?;
    db::write!(ctx.db, credential.merchant_id, |tx| {
        store::bump(tx, credential.merchant_id, client_id).await?;
        store::expire_secrets(tx, &credential, now.plus(overlap)).await?;
        store::insert_secret(tx, &credential, &hash, now).await?;
        store::next_generation(tx).await?;
        witness.note(tx, client_id).await
    })?;
    tracing::info!(client = %client_id, "A client secret was rotated.");
    Ok(secret)
}

/// Adds a key to a credential.
pub async fn add_key(
    ctx: &Ctx,
    client_id: &ClientId,
    key: &PublicJwk,
    possession: Possession<'_>,
) -> Result<Jkt> {
    add_key_before(&Unwitnessed, ctx, client_id, key, possession).await
}

/// The same before a witness.
pub async fn add_key_before(
    witness: &dyn Witness<ClientId>,
    ctx: &Ctx,
    client_id: &ClientId,
    key: &PublicJwk,
    possession: Possession<'_>,
) -> Result<Jkt> {
    let now = ctx.now();
    let credential = active(ctx, client_id).await?;
    db::write!(ctx.db, credential.merchant_id, |tx| {
        let client = store::load(tx, credential.merchant_id, client_id).await?;
        let active = client.map_or(0, |client| {
            client.keys.iter().filter(|key| client.key(&key.jkt).is_some()).count()
        });
        if active >= MAX_KEYS {
            return Err(Failure::because(
                Code::InvalidState,
                format!("a credential has at most {MAX_KEYS} active keys; retire one first"),
            ));
        }
        store::bump(tx, credential.merchant_id, client_id).await?;
        admit_key(tx, &credential, key, possession, now).await?;
        store::next_generation(tx).await?;
        witness.note(tx, client_id).await
    })?;
    Ok(key.thumbprint())
}

/// Retires a key; its proofs and the tokens bound to it are refused from now on.
pub async fn revoke_key(ctx: &Ctx, client_id: &ClientId, jkt: &Jkt) -> Result<()> {
    revoke_key_before(&Unwitnessed, ctx, client_id, jkt).await
}

/// The same before a witness.
pub async fn revoke_key_before(
    witness: &dyn Witness<ClientId>,
    ctx: &Ctx,
    client_id: &ClientId,
    jkt: &Jkt,
) -> Result<()> {
    let now = ctx.now();
    let credential = active(ctx, client_id).await?;
    db::write!(ctx.db, credential.merchant_id, |tx| {
        if !store::revoke_key(tx, &credential, jkt, now).await? {
            return Err(Failure::because(Code::NotFound, "this credential has no such active key"));
        }
        store::bump(tx, credential.merchant_id, client_id).await?;
        store::next_generation(tx).await?;
        witness.note(tx, client_id).await
    })
}

/// A challenge for [`Possession::Signed`]: random, this merchant's only, usable once.
pub async fn challenge(ctx: &Ctx, merchant: MerchantId) -> Result<String> {
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(ctx.random.bytes::<32>());
    let expires_at = ctx.now().plus(CHALLENGE_LIFE);
    db::write!(ctx.db, merchant, |tx| {
        Ok(store::insert_challenge(tx, merchant, &challenge, expires_at).await?)
    })?;
    Ok(challenge)
}

/// Drops challenges that nobody has answered in time.
pub async fn forget_challenges(ctx: &Ctx) -> Result<u64> {
    let now = ctx.now();
    db::write!(ctx.db, Owner::House, |tx| Ok(store::forget_challenges(tx, now).await?))
}

/// Everything about a client, by the id it presents; `None` when there is no such client.
pub async fn load(ctx: &Ctx, client_id: &ClientId) -> Result<Option<Client>> {
    db::read!(ctx.db, |tx| {
        match store::owner(tx, client_id.as_str()).await? {
            Some(merchant) => Ok(store::load(tx, merchant, client_id).await?),
            None => Ok(None),
        }
    })
}

/// The client of this merchant that a key was registered with, whether it still counts or not. What
/// another merchant has registered is nobody's here.
pub async fn holder(ctx: &Ctx, merchant: MerchantId, jkt: &Jkt) -> Result<Option<Client>> {
    db::read!(ctx.db, |tx| {
        let found = store::holder(tx, merchant, jkt).await?;
        match found.as_deref().and_then(ClientId::presented) {
            Some(client) => Ok(store::load(tx, merchant, &client).await?),
            None => Ok(None),
        }
    })
}

/// A merchant's credentials, oldest first.
pub async fn list(ctx: &Ctx, merchant: MerchantId) -> Result<Vec<Credential>> {
    db::read!(ctx.db, |tx| Ok(store::list(tx, merchant).await?))
}

/// The same, each with its last uses: two questions, however many there are.
pub async fn list_with_uses(
    ctx: &Ctx,
    merchant: MerchantId,
) -> Result<Vec<(Credential, LastUses)>> {
    db::read!(ctx.db, |tx| {
        let mut all = store::all_uses(tx, merchant).await?;
        let of = |credential: Credential| {
            let used = all.remove(credential.client_id.as_str()).unwrap_or_default();
            (credential, used)
        };
        Ok(store::list(tx, merchant).await?.into_iter().map(of).collect())
    })
}

/// Notes the last use of a credential and its key; callers do this seldom, and a lost note costs
/// nothing.
pub async fn mark_used(ctx: &Ctx, credential: &Credential, jkt: &Jkt) -> Result<()> {
    let now = ctx.now();
    db::write!(ctx.db, credential.merchant_id, |tx| {
        let Credential { merchant_id, client_id, .. } = credential;
        Ok(store::mark_used(tx, *merchant_id, client_id, jkt, now).await?)
    })
}

/// When a credential and its keys were last used.
pub async fn last_uses(ctx: &Ctx, credential: &Credential) -> Result<LastUses> {
    let Credential { merchant_id, client_id, .. } = credential;
    db::read!(ctx.db, |tx| Ok(store::last_uses(tx, *merchant_id, client_id).await?))
}

/// Tells every replica, once the caller's transaction is committed, that caches about access are void.
pub async fn access_changed(tx: &mut Tx) -> Result<()> {
    Ok(store::next_generation(tx).await?)
}

/// The count of changes to anybody's access; caches of an older count are void.
pub async fn generation(ctx: &Ctx) -> Result<i64> {
    db::read!(ctx.db, |tx| Ok(store::generation(tx).await?))
}

/// For auditors: whether every key can be read, has the thumbprint it is stored under, and has its
/// name claimed. Gives how many were looked at, and what is wrong.
pub async fn verify(ctx: &Ctx) -> Result<(u64, Vec<String>)> {
    let unclaimed = db::read!(ctx.db, |tx| Ok(store::unclaimed(tx).await?))?;
    let mut faults: Vec<String> = unclaimed
        .into_iter()
        .map(|(client, jkt)| format!("{client}: key {jkt} or the client is not in the directory"))
        .collect();
    let (mut looked_at, mut after) = (0, store::After::default());
    loop {
        let keys = db::read!(ctx.db, |tx| Ok(store::each_key(tx, &after).await?))?;
        let Some((last, _)) = keys.last() else { return Ok((looked_at, faults)) };
        after = last.clone();
        for ((_, client, jkt), fault) in keys {
            looked_at += 1;
            faults.extend(fault.map(|fault| format!("{client}: key {jkt}: {fault}")));
        }
    }
}

async fn owned(ctx: &Ctx, client_id: &ClientId) -> Result<Client> {
    load(ctx, client_id)
        .await?
        .ok_or_else(|| Failure::because(Code::NotFound, "there is no credential with this id"))
}

async fn active(ctx: &Ctx, client_id: &ClientId) -> Result<Credential> {
    match owned(ctx, client_id).await? {
        client if client.is_active() => Ok(client.credential),
        _ => Err(Failure::because(Code::InvalidState, "this credential has been revoked")),
    }
}

/// Stores a key after possession of its private half is shown; one key, one credential, ever.
async fn admit_key(
    tx: &mut Tx,
    credential: &Credential,
    key: &PublicJwk,
    possession: Possession<'_>,
    now: Timestamp,
) -> Result<()> {
    if let Possession::Signed(jws) = possession {
        let challenge = possession::proven_text(jws, key).ok_or_else(not_proven)?;
        if !store::take_challenge(tx, credential.merchant_id, &challenge, now).await? {
            return Err(not_proven());
        }
    }
    let jkt = key.thumbprint();
    store::claim_name(tx, jkt.as_str(), credential.merchant_id).await.map_err(in_use)?;
    Ok(store::insert_key(tx, credential, key, now).await?)
}

fn in_use(error: DbError) -> Failure {
    if error.is_taken() {
        Failure::because(Code::AlreadyExists, "this key is registered already; make a new one")
    } else {
        error.into()
    }
}

fn not_proven() -> Failure {
    Failure::because(
        Code::InvalidParameter,
        "sign an open challenge with the new key: this one is unknown, used, expired or not signed by it",
    )
}
