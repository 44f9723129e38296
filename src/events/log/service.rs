//! Writing an event with its cause, and reading on from a number.

use super::{Event, EventType, Mark, Narrowed, NewEvent, store};
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
        pagination::{Page, PageRequest},
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Tx},
    events::EventId,
};

/// How many numbers back one statement looks for events of a kind, and how many such statements a page
/// may take: a few milliseconds, whatever the log holds.
const STRIDE_BACK: i64 = 1_000;
const STRIDES_BACK: usize = 5;
/// How many rows are read in one go when only some kinds are wanted.
const STRIDE: i64 = 500;

/// Writes an event in the transaction of its cause: there is none without the other.
pub async fn append(
    tx: &mut Tx,
    ctx: &Ctx,
    merchant: MerchantId,
    event: &NewEvent,
) -> Result<EventId> {
    let (id, at) = (EventId::make(&ctx.clock, &ctx.random), ctx.now());
    let sequence = store::next(tx, merchant).await?;
    let body = event.envelope(id, sequence, at).map_err(Failure::internal)?;
    store::insert(tx, merchant, (id, sequence, at), event, &body).await?;
    tx.wake_courier_after_commit(merchant);
    Ok(id)
}

/// Some events after a number, in order, and the number up to which the log has been looked through:
/// with a filter it can lie beyond the last event given, and the reader goes on from there.
pub async fn after(
    tx: &mut Tx,
    merchant: MerchantId,
    sequence: i64,
    kinds: &[EventType],
    limit: u16,
) -> Result<(Vec<Event>, i64)> {
    if kinds.is_empty() {
        let events = store::after(tx, merchant, sequence, i64::from(limit)).await?;
        let seen = events.last().map_or(sequence, |event| event.sequence);
        return Ok((events, seen));
    }
    let (mut found, mut seen) = (Vec::new(), sequence);
    // A rare kind in a long log: the caller gets an empty page and a place to go on from, rather than
    // holding a connection for as long as it takes.
    let strides = store::after(tx, merchant, sequence, STRIDE).await?;
    for event in strides {
        if found.len() == usize::from(limit) {
            break;
        }
        seen = event.sequence;
        if kinds.contains(&event.kind) {
            found.push(event);
        }
    }
    Ok((found, seen))
}

/// A merchant's events, the newest first. A type that is rare in a long log is searched for through a
/// part of it; the page then ends early, and the next one goes on from there.
pub async fn newest(
    ctx: &Ctx,
    merchant: MerchantId,
    narrowed: &Narrowed,
    page: &PageRequest,
) -> Result<Page<Event>> {
    let before = page.after.as_deref().and_then(|place| place.parse().ok()).unwrap_or(i64::MAX);
    match (&narrowed.about, narrowed.kind) {
        (Some(about), kind) => {
            let kind = kind.map_or("", EventType::as_str);
            let most = page.fetch();
            let found = db::read!(ctx.db, |tx| {
                Ok(store::about(tx, merchant, about, kind, before, most).await?)
            })?;
            Ok(Page::cut(found, page, |event| event.sequence.to_string()))
        }
        (None, None) => {
            let most = page.fetch();
            let found =
                db::read!(ctx.db, |tx| Ok(store::before(tx, merchant, before, most).await?))?;
            Ok(Page::cut(found, page, |event| event.sequence.to_string()))
        }
        (None, Some(kind)) => db::read!(ctx.db, |tx| {
            let last = store::last(tx, merchant).await?;
            of_kind(tx, merchant, kind, before.min(last.saturating_add(1)), page).await
        }),
    }
}

async fn of_kind(
    tx: &mut Tx,
    merchant: MerchantId,
    kind: EventType,
    mut before: i64,
    page: &PageRequest,
) -> Result<Page<Event>> {
    let mut found: Vec<Event> = Vec::new();
    let wanted = usize::from(page.limit);
    for _ in 0..STRIDES_BACK {
        let missing = i64::from(page.limit) - i64::try_from(found.len()).unwrap_or(0);
        let from = before.saturating_sub(STRIDE_BACK).max(1);
        found.extend(store::of_kind(tx, merchant, kind, (from, before), missing).await?);
        if found.len() >= wanted {
            before = found.last().map_or(from, |event| event.sequence);
            break;
        }
        before = from;
        if before <= 1 {
            break;
        }
    }
    Ok(Page::up_to(found, (before > 1).then(|| before.to_string())))
}

/// Events after a number without their bodies, for those who count.
pub async fn marks(
    tx: &mut Tx,
    merchant: MerchantId,
    sequence: i64,
    limit: u16,
) -> Result<Vec<Mark>> {
    Ok(store::marks(tx, merchant, sequence, i64::from(limit)).await?)
}

/// The merchants after one (in the order of ids) that have events, each with its newest number.
pub async fn heads(
    tx: &mut Tx,
    after: Option<MerchantId>,
    limit: u16,
) -> Result<Vec<(MerchantId, i64)>> {
    let after = after.map(|merchant| merchant.to_string()).unwrap_or_default();
    Ok(store::heads(tx, &after, i64::from(limit)).await?)
}

/// One event of a merchant.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: EventId) -> Result<Option<Event>> {
    Ok(store::find(tx, merchant, id).await?)
}

/// The number of a merchant's newest event; zero when there was none.
pub async fn last(tx: &mut Tx, merchant: MerchantId) -> Result<i64> {
    Ok(store::last(tx, merchant).await?)
}

/// For auditors: how often each kind of event tells of each resource between two ids.
pub async fn kinds(
    tx: &mut Tx,
    merchant: MerchantId,
    from: &str,
    until: &str,
) -> Result<Vec<(String, EventType, i64)>> {
    Ok(store::kinds(tx, merchant, from, until).await?)
}

/// After which moment every event of a merchant is kept: what is older may have been dropped. `None` when
/// all have been.
pub async fn kept_after(tx: &mut Tx, merchant: MerchantId) -> Result<Option<Timestamp>> {
    let always = Timestamp::from_micros(0);
    match store::oldest(tx, merchant).await? {
        Some((1, _)) => Ok(Some(always)),
        Some((_, at)) => Ok(Some(at)),
        None if store::last(tx, merchant).await? == 0 => Ok(Some(always)),
        None => Ok(None),
    }
}

/// For auditors: whether every merchant's numbers are one run without a gap. Gives how many events
/// were counted, and what is wrong.
pub async fn verify(ctx: &Ctx) -> Result<(u64, Vec<String>)> {
    let (mut counted, mut faults, mut after) = (0, Vec::new(), String::new());
    loop {
        let runs = db::read!(ctx.db, |tx| Ok(store::runs(tx, &after).await?))?;
        let Some(last) = runs.last() else { return Ok((counted, faults)) };
        after.clone_from(&last.merchant);
        for run in runs {
            counted += u64::try_from(run.count).unwrap_or(0);
            if run.highest != run.last || run.count != run.highest - run.lowest + 1 {
                faults.push(format!(
                    "{}: {} events between number {} and {}, and the counter stands at {}",
                    run.merchant, run.count, run.lowest, run.highest, run.last
                ));
            }
        }
    }
}
