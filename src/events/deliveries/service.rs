//! Looking at deliveries, and asking for one more.

use super::{
    Delivery, Status, lists,
    store::{self, Planned, Sendable},
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        pagination::{Page, PageRequest},
    },
    ctx::Ctx,
    db::{self, Tx},
    events::{
        By, DeliveryId, EndpointId, EventId,
        endpoints::{self, Endpoint},
        log::{self, EventType},
    },
    web::idempotency::{Answer, Request, maybe},
};

/// How many events one call sends again.
const MOST: i64 = 1_000;

/// What to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// One event, whatever became of it before.
    One(EventId),
    /// The events of the log after one number and up to another, that the endpoint asks for.
    Range {
        /// After this one.
        after: i64,
        /// Up to this one.
        through: i64,
        /// Only those that failed and were never delivered.
        only_failed: bool,
    },
}

/// What was planned again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// How many deliveries.
    pub planned: usize,
    /// The number up to which the log was looked through; where it is less than asked for, go on.
    pub through: i64,
}

/// Every delivery of an event.
pub async fn of_event(ctx: &Ctx, merchant: MerchantId, id: EventId) -> Result<Vec<Delivery>> {
    db::read!(ctx.db, |tx| {
        let event = log::find(tx, merchant, id).await?;
        let event = event.ok_or_else(|| Failure::new(Code::NotFound))?;
        Ok(lists::of_event(tx, merchant, event.sequence).await?)
    })
}

/// How many deliveries [`of_endpoint`] looks at for one page.
const LOOKED_AT: i64 = 2_000;

/// Deliveries to an endpoint, the newest first; with `Failed`, the dead letters. Those in another state are
/// looked for among so many and no more; a page that was not filled has a cursor from which to look further.
pub async fn of_endpoint(
    ctx: &Ctx,
    merchant: MerchantId,
    id: EndpointId,
    status: Option<Status>,
    page: &PageRequest,
) -> Result<Page<Delivery>> {
    of_endpoint_among(ctx, (merchant, id), status, page, LOOKED_AT).await
}

/// The same among so many.
pub async fn of_endpoint_among(
    ctx: &Ctx,
    (merchant, id): (MerchantId, EndpointId),
    status: Option<Status>,
    page: &PageRequest,
    many: i64,
) -> Result<Page<Delivery>> {
    endpoints::find(ctx, merchant, id).await?;
    let (rows, floor) = db::read!(ctx.db, |tx| {
        let floor = match status {
            None | Some(Status::Failed) => None,
            Some(_) => lists::floor(tx, (merchant, id), page, many).await?,
        };
        Ok((lists::of_endpoint(tx, (merchant, id), status, page, floor).await?, floor))
    })?;
    Ok(Page::searched(rows, page, floor, |delivery| delivery.id.to_string()))
}

/// Plans events for an endpoint once more, from the first attempt on. What is on its way already is
/// left alone.
pub async fn redeliver(
    ctx: &Ctx,
    by: impl Into<By<'_>>,
    id: EndpointId,
    which: Which,
) -> Result<Again> {
    let by = by.into();
    let endpoint = endpoints::find(ctx, by.merchant, id).await?;
    db::write!(ctx.db, by.merchant, |tx| plan_again(tx, ctx, &by, &endpoint, which).await)
}

/// The same for a program, which may repeat it.
pub async fn redeliver_once(
    ctx: &Ctx,
    merchant: MerchantId,
    id: EndpointId,
    which: Which,
    request: Option<&Request>,
    answer: impl Fn(Again) -> Result<Answer> + Sync,
) -> Result<Answer> {
    let endpoint = endpoints::find(ctx, merchant, id).await?;
    let name = id.to_string();
    db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        if let Some(earlier) = maybe::claim(tx, request, &name, now).await? {
            return Ok(earlier);
        }
        let again = plan_again(tx, ctx, &merchant.into(), &endpoint, which).await?;
        maybe::keep(tx, request, answer(again)?, now).await
    })
}

async fn plan_again(
    tx: &mut Tx,
    ctx: &Ctx,
    by: &By<'_>,
    endpoint: &Endpoint,
    which: Which,
) -> Result<Again> {
    endpoint.must_be_active()?;
    let (merchant, id, now) = (by.merchant, endpoint.id, ctx.now());
    let (events, again) = chosen(tx, merchant, endpoint, which).await?;
    let planned: Vec<Planned> = events
        .into_iter()
        .map(|event| Planned {
            id: DeliveryId::make(&ctx.clock, &ctx.random),
            sequence: event.sequence,
            event: event.id,
            about: event.about,
        })
        .collect();
    let attempts = endpoint.dialect.schedule().attempts();
    store::plan_again(tx, (merchant, id), &planned, (attempts, now)).await?;
    store::make_due(tx, merchant, id, now).await?;
    by.note(tx, &id.to_string()).await?;
    tx.wake_courier_after_commit(merchant);
    Ok(again)
}

async fn chosen(
    tx: &mut Tx,
    merchant: MerchantId,
    endpoint: &Endpoint,
    which: Which,
) -> Result<(Vec<Sendable>, Again)> {
    let (after, through, only_failed) = match which {
        Which::One(id) => {
            let event = log::find(tx, merchant, id).await?;
            let event = event.ok_or_else(|| Failure::new(Code::NotFound))?;
            (event.sequence.saturating_sub(1), event.sequence, false)
        }
        Which::Range { after, through, only_failed } => (after, through, only_failed),
    };
    let through = through.min(log::last(tx, merchant).await?);
    let whom = (merchant, endpoint.id);
    let mut events = store::again(tx, whom, (after, through), MOST, only_failed).await?;
    let full = i64::try_from(events.len()).is_ok_and(|count| count == MOST);
    let seen = events.last().filter(|_| full).map_or(through, |event| event.sequence);
    if !matches!(which, Which::One(_)) {
        events.retain(|event| event.kind != EventType::Test && endpoint.filter.wants(event.kind));
    }
    let again = Again { planned: events.len(), through: seen.max(after) };
    Ok((events, again))
}
