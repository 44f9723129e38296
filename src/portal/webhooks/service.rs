//! What can be done to an endpoint, by somebody of the merchant it belongs to.

use std::time::Duration;

use super::form::Wish;
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
    },
    ctx::Ctx,
    events::{
        By, EndpointId, EventId,
        endpoints::{self, Changes, Endpoint, Health, Metadata, NewEndpoint},
        signatures::SigningKeys,
    },
    portal::{
        Portal,
        trail::{Action, Entry, Who},
    },
    web::rate_limit::Quota,
};

/// How long an old secret may sign beside the new one: the choices of the form, in hours.
pub(super) const OVERLAPS: [(u64, &str); 3] = [
    (24, "for a day: your servers take both meanwhile"),
    (1, "for an hour"),
    (0, "not at all: others have seen it"),
];

/// An endpoint and how it is doing.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) endpoint: Endpoint,
    pub(super) health: Health,
}

/// The endpoints of a merchant, the newest first.
pub(super) async fn list(ctx: &Ctx, merchant: MerchantId) -> Result<Vec<Seen>> {
    let mut health = endpoints::health(ctx, merchant).await?;
    let mut found = endpoints::list(ctx, merchant).await?;
    found.reverse();
    let seen = found.into_iter().filter_map(|endpoint| {
        let place = health.iter().position(|health| health.endpoint == endpoint.id)?;
        Some(Seen { health: health.swap_remove(place), endpoint })
    });
    Ok(seen.collect())
}

/// One endpoint of this merchant.
pub(super) async fn own(ctx: &Ctx, merchant: MerchantId, id: &str) -> Result<Seen> {
    let missing = || Failure::because(Code::NotFound, "you have no webhook endpoint with this id");
    let id: EndpointId = id.parse().map_err(|_| missing())?;
    let seen = list(ctx, merchant).await?.into_iter().find(|seen| seen.endpoint.id == id);
    seen.ok_or_else(missing)
}

/// Makes an endpoint; gives it with what its deliveries are signed with.
pub(super) async fn create(
    room: &Portal,
    who: &Who,
    wish: &Wish<'_>,
) -> Result<(Seen, SigningKeys)> {
    let events = &room.rooms.events;
    let dialect = wish.chosen()?;
    let (target, filter) = wish.checked(&events.outbound).await?;
    let note = target.to_string();
    let trail = Entry { ctx: &room.ctx, who, action: Action::WebhookCreated, note };
    let new = NewEndpoint { target, filter, dialect, metadata: Metadata::new() };
    let by = By::before(who.merchant, &trail);
    let made = endpoints::create(events, by, &new).await?;
    let seen = own(&room.ctx, who.merchant, &made.id.to_string()).await?;
    let keys = endpoints::secret(events, who.merchant, seen.endpoint.id).await?;
    Ok((seen, keys))
}

/// Another address, another filter.
pub(super) async fn change(room: &Portal, who: &Who, seen: &Seen, wish: &Wish<'_>) -> Result<()> {
    let (target, filter) = wish.checked(&room.rooms.events.outbound).await?;
    let note = format!("{target} · {}", filter.words().join(" "));
    let trail = Entry { ctx: &room.ctx, who, action: Action::WebhookChanged, note };
    let changes = Changes { target: Some(target), filter: Some(filter), metadata: None };
    let by = By::before(who.merchant, &trail);
    endpoints::update(&room.ctx, by, seen.endpoint.id, &changes).await?;
    Ok(())
}

/// What is done to an endpoint without further words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    SwitchOff,
    SwitchOn { skip_missed: bool },
    Delete,
}

/// Does it.
pub(super) async fn act(room: &Portal, who: &Who, seen: &Seen, deed: Deed) -> Result<()> {
    let (ctx, id, url) = (&room.ctx, seen.endpoint.id, seen.endpoint.url.clone());
    let (action, note) = match deed {
        Deed::SwitchOff => (Action::WebhookSwitchedOff, url),
        Deed::SwitchOn { skip_missed: false } => (Action::WebhookSwitchedOn, url),
        Deed::SwitchOn { skip_missed: true } => {
            (Action::WebhookSwitchedOn, format!("{url} · without what was missed"))
        }
        Deed::Delete => (Action::WebhookDeleted, url),
    };
    let trail = Entry { ctx, who, action, note };
    let by = By::before(who.merchant, &trail);
    match deed {
        Deed::SwitchOff => endpoints::deactivate(ctx, by, id).await.map(|_| ()),
        Deed::SwitchOn { skip_missed } => {
            endpoints::reactivate(ctx, by, id, skip_missed).await.map(|_| ())
        }
        Deed::Delete => endpoints::delete(ctx, by, id).await,
    }
}

/// Sends a test event; gives its id. Counted with the calls of the API that do the same.
pub(super) async fn test(room: &Portal, who: &Who, seen: &Seen) -> Result<EventId> {
    let events = &room.rooms.events;
    let calls = events.sensitive_per_minute;
    let quota = Quota { name: "sensitive", calls, window: Duration::from_mins(1) };
    events.limiter.check(quota, &who.merchant.to_string()).await?;
    let note = seen.endpoint.url.clone();
    let trail = Entry { ctx: &room.ctx, who, action: Action::WebhookTested, note };
    let by = By::before(who.merchant, &trail);
    endpoints::test(&room.ctx, by, seen.endpoint.id).await
}

/// A new secret; the old one signs beside it for one of [`OVERLAPS`].
pub(super) async fn rotate(
    room: &Portal,
    who: &Who,
    seen: &Seen,
    hours: &str,
) -> Result<SigningKeys> {
    let known = OVERLAPS.iter().find(|(known, _)| known.to_string() == hours);
    let (hours, _) = known.ok_or_else(|| {
        Failure::invalid(Vec::new()).field("overlap", "must be one of the choices")
    })?;
    let note = format!("{} · the old one goes on for {hours} h", seen.endpoint.url);
    let trail = Entry { ctx: &room.ctx, who, action: Action::WebhookSecretRotated, note };
    let (events, id) = (&room.rooms.events, seen.endpoint.id);
    let by = By::before(who.merchant, &trail);
    let grace = Duration::from_hours(*hours);
    endpoints::rotate(events, by, id, grace).await?;
    endpoints::secret(events, who.merchant, id).await
}
