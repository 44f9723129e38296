//! From the log to planned deliveries.

use super::store::{self, Leased};
use crate::{
    base::failure::{Failure, Result},
    db,
    events::{
        DeliveryId, Events,
        deliveries::{self, Ahead, Due, Planned},
        log::EventType,
    },
};

/// How many events are planned in one transaction.
const STRIDE: i64 = 256;

/// What planning has done.
#[derive(Debug)]
pub(super) enum Plan {
    /// There is nothing ahead.
    Nothing,
    /// These deliveries were planned, in the order of the log.
    Planned(Vec<Due>),
    /// The endpoint is no longer ours.
    Lost,
}

/// Plans the next stretch of the log. The endpoint moves on in the same transaction, and only from
/// where this visit believes it to be: no event is passed over and none is planned twice.
pub(super) async fn plan(room: &Events, leased: &mut Leased) -> Result<Plan> {
    let (ctx, merchant, from) = (&room.ctx, leased.merchant, leased.planned_through);
    let ahead = db::read!(ctx.db, |tx| Ok(deliveries::ahead(tx, merchant, from, STRIDE).await?))?;
    let Some(to) = unbroken(&ahead)? else { return Ok(Plan::Nothing) };
    let wanted = ahead.into_iter().filter(|event| wants(leased, event));
    let (planned, due): (Vec<Planned>, Vec<Due>) = wanted
        .map(|event| {
            let id = DeliveryId::make(&ctx.clock, &ctx.random);
            let (sequence, about) = (event.sequence, event.about.clone());
            (Planned { id, sequence, event: event.id, about }, event.due(id))
        })
        .unzip();
    let attempts = leased.dialect.schedule().attempts();
    let ours = db::write!(ctx.db, merchant, |tx| {
        if !store::advance(tx, leased, to).await? {
            return Ok(false);
        }
        if !planned.is_empty() {
            let (whom, when) = ((merchant, leased.id), (attempts, ctx.now()));
            deliveries::plan(tx, whom, &planned, when).await?;
        }
        Ok(true)
    })?;
    if !ours {
        return Ok(Plan::Lost);
    }
    leased.planned_through = to;
    Ok(Plan::Planned(due))
}

/// The last number of a stretch that must have no hole. It may begin later than expected, where old
/// events were dropped; a hole inside would be an event that is passed over for ever.
fn unbroken(ahead: &[Ahead]) -> Result<Option<i64>> {
    let whole = ahead.windows(2).all(|pair| match pair {
        [one, next] => one.sequence.checked_add(1) == Some(next.sequence),
        _ => true,
    });
    if whole {
        Ok(ahead.last().map(|event| event.sequence))
    } else {
        Err(Failure::internal("the log of a merchant has a hole; run counterfoil verify"))
    }
}

/// A test goes to the endpoint that it was asked for, and to no other.
fn wants(leased: &Leased, event: &Ahead) -> bool {
    if event.kind == EventType::Test {
        return event.about == leased.id.to_string();
    }
    leased.filter.wants(event.kind)
}
