//! What merchants do with their endpoints.

use std::time::Duration;

use serde_json::json;

use super::{
    Endpoint, Filter, Health, Metadata, Status, model,
    secrets::{open_keys, secret_name},
    store,
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Tx},
    events::{
        By, EndpointId, EventId, Events,
        log::{self, EventType, NewEvent},
        outbound::Target,
        signatures::{Dialect, SigningKey, SigningKeys},
    },
    web::idempotency::{Answer, Request, maybe},
};

/// An endpoint to be made.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// The checked address.
    pub target: Target,
    /// Which events.
    pub filter: Filter,
    /// Whose way of signing and pacing.
    pub dialect: Dialect,
    /// What the merchant writes beside it.
    pub metadata: Metadata,
}

/// What a merchant may change; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Another address.
    pub target: Option<Target>,
    /// Other events.
    pub filter: Option<Filter>,
    /// Other notes, all of them.
    pub metadata: Option<Metadata>,
}

/// A rotation that was made.
#[derive(Clone, Copy, Debug)]
pub struct Rotated {
    /// Until when the old secret signs as well.
    pub old_ends: Timestamp,
}

/// An endpoint that is about to be written, with its secret.
struct Made {
    endpoint: Endpoint,
    sealed: Vec<u8>,
}

impl Made {
    fn of(room: &Events, new: &NewEndpoint) -> Result<Self> {
        let ctx = &room.ctx;
        let id = EndpointId::make(&ctx.clock, &ctx.random);
        let key = SigningKey::make(&ctx.random);
        let sealed = room.vault.seal(&secret_name(id), key.to_stored().expose())?;
        let now = ctx.now();
        let endpoint = Endpoint {
            id,
            url: new.target.to_string(),
            filter: new.filter.clone(),
            dialect: new.dialect,
            version: model::VERSION.to_owned(),
            metadata: new.metadata.clone(),
            status: Status::Active,
            because: None,
            failing_since: None,
            warned_at: None,
            created_at: now,
            updated_at: now,
        };
        Ok(Self { endpoint, sealed })
    }

    async fn write(&self, tx: &mut Tx, by: &By<'_>) -> Result<()> {
        model::room_for_one_more(store::count(tx, by.merchant).await?)?;
        store::insert(tx, by.merchant, &self.endpoint, &self.sealed).await?;
        by.note(tx, &self.endpoint.id.to_string()).await
    }

    fn tell(&self, merchant: MerchantId, replayed: bool) {
        let id = self.endpoint.id;
        tracing::info!(%merchant, endpoint = %id, replayed, "A webhook endpoint was made.");
    }
}

/// Makes an endpoint with a secret of its own.
pub async fn create(room: &Events, by: impl Into<By<'_>>, new: &NewEndpoint) -> Result<Endpoint> {
    let (by, made) = (by.into(), Made::of(room, new)?);
    db::write!(room.ctx.db, by.merchant, |tx| made.write(tx, &by).await)?;
    made.tell(by.merchant, false);
    Ok(made.endpoint)
}

/// The same for a program, which may repeat it. The answer that is kept for a repetition does not hold
/// the secret: what is stored for idempotency is not sealed.
pub async fn create_once(
    room: &Events,
    merchant: MerchantId,
    new: &NewEndpoint,
    request: Option<&Request>,
    answer: impl Fn(&Endpoint) -> Result<Answer> + Sync,
) -> Result<Answer> {
    let (ctx, made) = (&room.ctx, Made::of(room, new)?);
    let name = made.endpoint.id.to_string();
    let answered = db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        if let Some(earlier) = maybe::claim(tx, request, &name, now).await? {
            return Ok(earlier);
        }
        made.write(tx, &merchant.into()).await?;
        maybe::keep(tx, request, answer(&made.endpoint)?, now).await
    })?;
    made.tell(merchant, answered.replayed);
    Ok(answered)
}

/// One endpoint.
pub async fn find(ctx: &Ctx, merchant: MerchantId, id: EndpointId) -> Result<Endpoint> {
    db::read!(ctx.db, |tx| found(tx, merchant, id).await)
}

/// All of a merchant's endpoints, the oldest first.
pub async fn list(ctx: &Ctx, merchant: MerchantId) -> Result<Vec<Endpoint>> {
    db::read!(ctx.db, |tx| Ok(store::list(tx, merchant).await?))
}

/// How each of a merchant's endpoints is doing.
pub async fn health(ctx: &Ctx, merchant: MerchantId) -> Result<Vec<Health>> {
    db::read!(ctx.db, |tx| Ok(store::health(tx, merchant).await?))
}

/// Changes what is given.
pub async fn update(
    ctx: &Ctx,
    by: impl Into<By<'_>>,
    id: EndpointId,
    changes: &Changes,
) -> Result<Endpoint> {
    let by = by.into();
    let merchant = by.merchant;
    db::write!(ctx.db, merchant, |tx| {
        let mut endpoint = found(tx, merchant, id).await?;
        let Changes { target, filter, metadata } = changes.clone();
        endpoint.url = target.map_or(endpoint.url, |target| target.to_string());
        endpoint.filter = filter.unwrap_or(endpoint.filter);
        endpoint.metadata = metadata.unwrap_or(endpoint.metadata);
        endpoint.updated_at = ctx.now();
        store::update(tx, merchant, &endpoint).await?;
        by.note(tx, &id.to_string()).await?;
        tx.wake_courier_after_commit(merchant);
        Ok(endpoint)
    })
}

/// Switches an endpoint off; what happens meanwhile waits in the log.
pub async fn deactivate(ctx: &Ctx, by: impl Into<By<'_>>, id: EndpointId) -> Result<Endpoint> {
    let by = by.into();
    let merchant = by.merchant;
    db::write!(ctx.db, merchant, |tx| {
        if store::deactivate(tx, merchant, id, ctx.now()).await? == 1 {
            by.note(tx, &id.to_string()).await?;
        }
        found(tx, merchant, id).await
    })
}

/// Switches an endpoint on: it goes on where it stopped, or with what happens from now on.
pub async fn reactivate(
    ctx: &Ctx,
    by: impl Into<By<'_>>,
    id: EndpointId,
    skip_missed: bool,
) -> Result<Endpoint> {
    let by = by.into();
    let merchant = by.merchant;
    db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        if store::reactivate(tx, merchant, id, now).await? == 1 {
            if skip_missed {
                store::skip_missed(tx, merchant, id, now).await?;
            }
            by.note(tx, &id.to_string()).await?;
        }
        tx.wake_courier_after_commit(merchant);
        found(tx, merchant, id).await
    })
}

/// Takes an endpoint away.
pub async fn delete(ctx: &Ctx, by: impl Into<By<'_>>, id: EndpointId) -> Result<()> {
    let by = by.into();
    let merchant = by.merchant;
    let deleted = db::write!(ctx.db, merchant, |tx| {
        let deleted = store::delete(tx, merchant, id, ctx.now()).await?;
        if deleted == 1 {
            by.note(tx, &id.to_string()).await?;
        }
        Ok(deleted)
    })?;
    if deleted == 1 { Ok(()) } else { Err(Failure::new(Code::NotFound)) }
}

/// The keys that are good now.
pub async fn secret(room: &Events, merchant: MerchantId, id: EndpointId) -> Result<SigningKeys> {
    let sealed = db::read!(room.ctx.db, |tx| Ok(store::sealed(tx, merchant, id).await?))?;
    let sealed = sealed.ok_or_else(|| Failure::new(Code::NotFound))?;
    open_keys(&room.vault, id, &sealed, room.ctx.now()).await
}

/// Makes a new secret; the old one signs as well until its grace is over.
pub async fn rotate(
    room: &Events,
    by: impl Into<By<'_>>,
    id: EndpointId,
    grace: Duration,
) -> Result<Rotated> {
    let (by, sealed) = (by.into(), new_secret(room, id)?);
    let rotated = db::write!(room.ctx.db, by.merchant, |tx| {
        replace(tx, &by, id, &sealed, (room.ctx.now(), grace)).await
    })?;
    tell_rotated(by.merchant, id, false);
    Ok(rotated)
}

/// The same for a program, which may repeat it.
pub async fn rotate_once(
    room: &Events,
    merchant: MerchantId,
    id: EndpointId,
    grace: Duration,
    request: Option<&Request>,
    answer: impl Fn(Rotated) -> Result<Answer> + Sync,
) -> Result<Answer> {
    let sealed = new_secret(room, id)?;
    let (name, now) = (id.to_string(), room.ctx.now());
    let answered = db::write!(room.ctx.db, merchant, |tx| {
        if let Some(earlier) = maybe::claim(tx, request, &name, now).await? {
            return Ok(earlier);
        }
        let rotated = replace(tx, &merchant.into(), id, &sealed, (now, grace)).await?;
        maybe::keep(tx, request, answer(rotated)?, now).await
    })?;
    tell_rotated(merchant, id, answered.replayed);
    Ok(answered)
}

fn new_secret(room: &Events, id: EndpointId) -> Result<Vec<u8>> {
    let key = SigningKey::make(&room.ctx.random);
    room.vault.seal(&secret_name(id), key.to_stored().expose())
}

async fn replace(
    tx: &mut Tx,
    by: &By<'_>,
    id: EndpointId,
    sealed: &[u8],
    (now, grace): (Timestamp, Duration),
) -> Result<Rotated> {
    let old_ends = now.plus(grace);
    if store::rotate(tx, by.merchant, id, sealed, (old_ends, now)).await? != 1 {
        return Err(Failure::new(Code::NotFound));
    }
    by.note(tx, &id.to_string()).await?;
    Ok(Rotated { old_ends })
}

fn tell_rotated(merchant: MerchantId, endpoint: EndpointId, replayed: bool) {
    tracing::info!(%merchant, %endpoint, replayed, "A webhook secret was rotated.");
}

/// Writes a test event, which goes to this endpoint only, whatever it asked for.
pub async fn test(ctx: &Ctx, by: impl Into<By<'_>>, id: EndpointId) -> Result<EventId> {
    let by = by.into();
    db::write!(ctx.db, by.merchant, |tx| write_test(tx, ctx, &by, id).await)
}

/// The same for a program, which may repeat it.
pub async fn test_once(
    ctx: &Ctx,
    merchant: MerchantId,
    id: EndpointId,
    request: Option<&Request>,
    answer: impl Fn(EventId) -> Result<Answer> + Sync,
) -> Result<Answer> {
    let (name, now) = (id.to_string(), ctx.now());
    db::write!(ctx.db, merchant, |tx| {
        if let Some(earlier) = maybe::claim(tx, request, &name, now).await? {
            return Ok(earlier);
        }
        let event = write_test(tx, ctx, &merchant.into(), id).await?;
        maybe::keep(tx, request, answer(event)?, now).await
    })
}

async fn write_test(tx: &mut Tx, ctx: &Ctx, by: &By<'_>, id: EndpointId) -> Result<EventId> {
    let name = id.to_string();
    let event = NewEvent::new(EventType::Test, &name, &json!({ "webhook_id": name }))
        .map_err(Failure::internal)?;
    found(tx, by.merchant, id).await?.must_be_active()?;
    let event = log::append(tx, ctx, by.merchant, &event).await?;
    by.note(tx, &name).await?;
    Ok(event)
}

async fn found(tx: &mut Tx, merchant: MerchantId, id: EndpointId) -> Result<Endpoint> {
    store::find(tx, merchant, id).await?.ok_or_else(|| Failure::new(Code::NotFound))
}
