//! Writing down what a visit knows.

use serde_json::json;

use super::{
    book::Bundle,
    health::Health,
    store::{self, Leased},
};
use crate::{
    base::failure::{Failure, Result},
    db,
    events::{
        Events, deliveries,
        endpoints::Because,
        log::{self, EventType, NewEvent},
    },
};

/// Whether the visit goes on after this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It does: the lease is renewed.
    Stay,
    /// It ends: the endpoint is free again.
    Leave,
}

/// What the merchant is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It has failed for a day.
    Failing,
    /// It is switched off.
    Disabled(Because),
}

/// Whose the endpoint was when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrote {
    /// Ours. After leaving: whether there is more in its log already.
    Ours { more: bool },
    /// Another's, or switched off: what had no row yet is not written, and is attempted again.
    Lost,
}

/// Writes outcomes, the place in the log and the state of the endpoint in one transaction.
pub(super) async fn write(
    room: &Events,
    leased: &Leased,
    bundle: Bundle,
    health: Health,
    (then, news): (Then, Option<News>),
) -> Result<Wrote> {
    let ctx = &room.ctx;
    let attempts = leased.dialect.schedule().attempts();
    let event = news.map(|news| event(leased, &health, news)).transpose()?;
    let next = bundle.fresh.iter().filter_map(|row| row.last.next).min();
    let wrote = db::write!(ctx.db, leased.merchant, |tx| {
        let now = ctx.now();
        if !bundle.recorded.is_empty() {
            deliveries::record(tx, leased.merchant, &bundle.recorded, now).await?;
        }
        let stretch = (bundle.from, bundle.through);
        let wrote = match then {
            Then::Stay => {
                let until = now.plus(room.lease);
                store::keep(tx, leased, stretch, &health, (until, next)).await?
            }
            Then::Leave => store::leave(tx, leased, stretch, &health, (now, next)).await?,
        };
        if wrote == Wrote::Lost {
            return Ok(wrote);
        }
        if !bundle.fresh.is_empty() {
            let whom = (leased.merchant, leased.id);
            deliveries::write(tx, whom, &bundle.fresh, (attempts, now)).await?;
        }
        let tell = match news {
            Some(News::Disabled(because)) => store::disable(tx, leased, because, now).await?,
            _ => true,
        };
        if let (Some(event), true) = (&event, tell) {
            log::append(tx, ctx, leased.merchant, event).await?;
        }
        Ok(wrote)
    })?;
    if let (Some(News::Disabled(because)), Wrote::Ours { .. }) = (news, wrote) {
        let (endpoint, because) = (leased.id, because.as_str());
        tracing::warn!(%endpoint, because, "A webhook endpoint was switched off.");
    }
    Ok(wrote)
}

fn event(leased: &Leased, health: &Health, news: News) -> Result<NewEvent> {
    let id = leased.id.to_string();
    let mut data = json!({
        "id": id,
        "url": leased.url,
        "status": "active",
        "failing_since": health.failing_since,
    });
    let kind = match news {
        News::Failing => EventType::WebhookFailing,
        News::Disabled(because) => {
            if let Some(data) = data.as_object_mut() {
                data.insert("status".to_owned(), "disabled".into());
                data.insert("disabled_reason".to_owned(), because.as_str().into());
            }
            EventType::WebhookDisabled
        }
    };
    NewEvent::new(kind, id, &data).map_err(Failure::internal)
}
