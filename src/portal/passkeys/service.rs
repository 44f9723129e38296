//! Adding and removing passkeys, and signing in by one.

use serde_json::Value;

use super::{
    Assertion, Key, Listed, MOST, Party, Passkey, PasskeyId, Refusal,
    model::{LIFE, checked_name},
    store,
};
use crate::{
    base::failure::{Code, Failure, Result},
    ctx::Ctx,
    db::{self, Owner, Tx},
    portal::{
        Portal, names,
        trail::{self, Action, Who},
        users::{self, Account, Person},
    },
};

/// The passkeys of somebody, the oldest first.
pub async fn list(ctx: &Ctx, person: &Person) -> Result<Vec<Listed>> {
    db::read!(ctx.db, |tx| Ok(store::list(tx, person.merchant, person.id).await?))
}

/// What a browser makes a passkey with; `ceremony` is what its answer will be found by.
pub async fn begin(room: &Portal, person: &Person, ceremony: &str, name: &str) -> Result<Value> {
    checked_name(name)?;
    let own = list(&room.ctx, person).await?;
    room_for_one(own.len())?;
    let (options, state) = party(room)?.register(person, &own)?;
    keep(&room.ctx, ceremony, &state).await?;
    Ok(options)
}

/// Adds the passkey that a browser has made.
pub async fn add(
    room: &Portal,
    who: &Who,
    ceremony: &str,
    name: &str,
    given: &str,
) -> Result<PasskeyId> {
    let (ctx, name) = (&room.ctx, checked_name(name)?);
    let state = take(ctx, ceremony).await?.ok_or_else(begin_again)?;
    let key = party(room)?.registered(&state, given)?.ok_or_else(begin_again)?;
    let id = PasskeyId::make(&ctx.clock, &ctx.random);
    let (new, now) = (Passkey { id, name: name.to_owned(), key }, ctx.now());
    db::write!(ctx.db, who.merchant, |tx| {
        room_for_one(store::list(tx, who.merchant, who.user).await?.len())?;
        claim(tx, who, &new).await?;
        store::insert(tx, who, &new, now).await?;
        trail::record(tx, ctx, who, Action::PasskeyAdded, &id.to_string(), &new.name).await
    })?;
    Ok(id)
}

/// Stops one credential from opening two accounts: whoever is found by it is one person.
async fn claim(tx: &mut Tx, who: &Who, new: &Passkey) -> Result<()> {
    let name = names::of_passkey(new.key.credential_id());
    let claimed = names::claim(tx, &name, who.merchant, &new.id.to_string(), None).await;
    claimed.map_err(|error| {
        if error.is_taken() {
            Failure::because(Code::AlreadyExists, "this passkey is registered already")
        } else {
            error.into()
        }
    })
}

/// Calls a passkey something else.
pub async fn rename(ctx: &Ctx, who: &Who, id: PasskeyId, name: &str) -> Result<()> {
    let name = checked_name(name)?;
    db::write!(ctx.db, who.merchant, |tx| {
        if !store::rename(tx, who, id, name).await? {
            return Err(missing());
        }
        trail::record(tx, ctx, who, Action::PasskeyRenamed, &id.to_string(), name).await
    })
}

/// Removes a passkey; somebody else's is not found.
pub async fn remove(ctx: &Ctx, who: &Who, id: PasskeyId) -> Result<()> {
    db::write!(ctx.db, who.merchant, |tx| {
        let removed = store::remove(tx, who.merchant, who.user, id).await?;
        let (name, credential_id) = removed.ok_or_else(missing)?;
        names::release(tx, &names::of_passkey(&credential_id)).await?;
        trail::record(tx, ctx, who, Action::PasskeyRemoved, &id.to_string(), &name).await
    })
}

/// Removes whatever somebody had, in the transaction that lets them go.
pub(in crate::portal) async fn drop_all(tx: &mut Tx, person: &Person) -> Result<()> {
    for passkey in store::list(tx, person.merchant, person.id).await? {
        let removed = store::remove(tx, person.merchant, person.id, passkey.id).await?;
        let (_, credential_id) = removed.ok_or_else(missing)?;
        names::release(tx, &names::of_passkey(&credential_id)).await?;
    }
    Ok(())
}

/// A challenge for whoever comes.
pub(in crate::portal) async fn challenge(room: &Portal, ceremony: &str) -> Result<Value> {
    let (options, state) = party(room)?.ask()?;
    keep(&room.ctx, ceremony, &state).await?;
    Ok(options)
}

/// Somebody by what their authenticator says; nothing is proven yet.
#[derive(Debug)]
pub(in crate::portal) struct Found {
    pub(in crate::portal) account: Account,
    pub(in crate::portal) passkey: Passkey,
}

/// Whose passkey this would be, and the challenge that this browser was given. That is used up with the
/// first answer, right or wrong: nothing that was overheard can be sent again.
pub(in crate::portal) async fn find(
    ctx: &Ctx,
    ceremony: &str,
    given: &Assertion,
) -> Result<Option<(String, Found)>> {
    let Some(state) = take(ctx, ceremony).await? else { return Ok(None) };
    let name = names::of_passkey(given.credential_id());
    let found = db::read!(ctx.db, |tx| {
        let Some((merchant, id)) = names::find(tx, &name).await? else { return Ok(None) };
        let id = id.parse().map_err(Failure::internal)?;
        let Some((user, passkey)) = store::find(tx, merchant, id).await? else { return Ok(None) };
        let account = users::load(tx, merchant, user).await?;
        Ok(account.map(|account| (account, id, passkey)))
    })?;
    let found = found.filter(|(account, ..)| given.is_of(account.person.id));
    let Some((account, id, passkey)) = found else { return Ok(None) };
    let Some(passkey) = passkey else {
        tracing::warn!(passkey = %id, "A stored passkey cannot be read: its owner can remove it and add it again.");
        return Ok(None);
    };
    Ok(Some((state, Found { account, passkey })))
}

/// Judges the answer; gives the key with its new counter.
pub(in crate::portal) fn check(
    room: &Portal,
    state: &str,
    given: &Assertion,
    found: &Found,
) -> Result<Result<Key, Refusal>> {
    party(room)?.answered(state, given, &found.passkey.key)
}

/// Writes the new counter, in the transaction that begins the session; false when the passkey was used
/// or removed since it was judged.
pub(in crate::portal) async fn used(
    tx: &mut Tx,
    ctx: &Ctx,
    who: &Who,
    passkey: &Passkey,
    key: &Key,
) -> Result<bool> {
    if !store::note_use(tx, who, passkey.id, (&passkey.key, key), ctx.now()).await? {
        return Ok(false);
    }
    let subject = passkey.id.to_string();
    trail::record(tx, ctx, who, Action::PasskeyUsed, &subject, &passkey.name).await?;
    Ok(true)
}

/// A crash may take a challenge: whoever waits asks for another. Each that is kept drops two that nobody
/// has answered, so that strangers who ask again and again fill no table.
async fn keep(ctx: &Ctx, ceremony: &str, state: &str) -> Result<()> {
    let now = ctx.now();
    db::write!(ctx.db, Owner::Passing, |tx| {
        store::forget(tx, now, 2).await?;
        Ok(store::keep(tx, ceremony, state, now.plus(LIFE)).await?)
    })
}

/// But never bring one back that was used.
async fn take(ctx: &Ctx, ceremony: &str) -> Result<Option<String>> {
    let taken = db::write!(ctx.db, Owner::House, |tx| Ok(store::take(tx, ceremony).await?))?;
    let now = ctx.now();
    Ok(taken.filter(|(_, expires_at)| now < *expires_at).map(|(state, _)| state))
}

fn party(room: &Portal) -> Result<&Party> {
    let why = "passkeys need a name in `public_url`, with https unless it is localhost";
    room.party.as_ref().ok_or_else(|| Failure::because(Code::NotConfigured, why))
}

fn room_for_one(there: usize) -> Result<()> {
    if there < MOST {
        return Ok(());
    }
    let why = "ten passkeys are as many as one person can have; remove one first";
    Err(Failure::because(Code::InvalidState, why))
}

fn begin_again() -> Failure {
    let why = "this passkey was not made for this page, or too late; begin again";
    Failure::because(Code::ValidationError, why)
}

fn missing() -> Failure {
    Failure::because(Code::NotFound, "you have no passkey with this id")
}
