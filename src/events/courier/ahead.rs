//! Reading on in the log.

use super::{book::Book, store::Leased};
use crate::{
    base::failure::{Failure, Result},
    db,
    events::{
        DeliveryId, Events,
        deliveries::{self, Ahead, Due},
        log::EventType,
    },
};

/// Reads on in the log; gives what the endpoint wants of it, and `None` at the end of the log.
pub(super) async fn read(
    room: &Events,
    leased: &Leased,
    book: &mut Book,
    most: usize,
) -> Result<Option<Vec<Due>>> {
    let (ctx, merchant, from) = (&room.ctx, leased.merchant, book.read_through());
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let (ahead, end) =
        db::read!(ctx.db, |tx| Ok(deliveries::ahead(tx, merchant, from, most).await?))?;
    must_be_whole(&ahead)?;
    let is_end = ahead.is_empty();
    let wanted = ahead.into_iter().filter(|event| wants(leased, event));
    let plan = |event| book.plan(event, DeliveryId::make(&ctx.clock, &ctx.random));
    let due = wanted.map(plan).collect();
    book.read(end);
    Ok((!is_end).then_some(due))
}

/// A stretch may begin later than expected, where old events were dropped; a hole inside would be an event
/// that is passed over for ever.
fn must_be_whole(ahead: &[Ahead]) -> Result<()> {
    let whole = ahead.windows(2).all(|pair| match pair {
        [one, next] => one.sequence.checked_add(1) == Some(next.sequence),
        _ => true,
    });
    if whole {
        Ok(())
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
