//! Looking at an event, and sending it again.

use crate::{
    base::failure::{Code, Failure, Result},
    ctx::Ctx,
    db,
    events::{
        By, EndpointId, EventId,
        deliveries::{self, Delivery, Which},
        endpoints::{self, Endpoint},
        log::{self, Event},
    },
    portal::trail::{Action, Entry, Who},
};

/// An event with everything that its page shows.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) event: Event,
    pub(super) deliveries: Vec<Delivery>,
    /// The merchant's endpoints, none of them deleted.
    pub(super) endpoints: Vec<Endpoint>,
}

/// An event of this merchant.
pub(super) async fn own(ctx: &Ctx, who: &Who, id: &str) -> Result<Seen> {
    let missing = || Failure::because(Code::NotFound, "you have no event with this id");
    let id: EventId = id.parse().map_err(|_| missing())?;
    let event = db::read!(ctx.db, |tx| log::find(tx, who.merchant, id).await)?;
    let event = event.ok_or_else(missing)?;
    let deliveries = deliveries::of_event(ctx, who.merchant, id).await?;
    let endpoints = endpoints::list(ctx, who.merchant).await?;
    Ok(Seen { event, deliveries, endpoints })
}

/// What was planned again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::portal) struct Again {
    pub(in crate::portal) planned: usize,
    /// Where to go on: one call looks through a part of a long log.
    pub(in crate::portal) rest_from: Option<i64>,
}

/// Sends one event or a range of them to an endpoint once more.
pub(in crate::portal) async fn again(
    ctx: &Ctx,
    who: &Who,
    endpoint: &str,
    which: Which,
) -> Result<Again> {
    let missing = || Failure::because(Code::NotFound, "you have no webhook endpoint with this id");
    let endpoint: EndpointId = endpoint.parse().map_err(|_| missing())?;
    let note = match which {
        Which::One(event) => event.to_string(),
        Which::Range { after, through, only_failed } => {
            let which = if only_failed { "failed events" } else { "events" };
            let end =
                if through == i64::MAX { "the newest".to_owned() } else { through.to_string() };
            format!("{which} from number {} to {end}", after.saturating_add(1))
        }
    };
    let trail = Entry { ctx, who, action: Action::EventsRedelivered, note };
    let by = By::before(who.merchant, &trail);
    let deliveries::Again { planned, through } =
        deliveries::redeliver(ctx, by, endpoint, which).await?;
    let Which::Range { through: wanted, .. } = which else {
        return Ok(Again { planned, rest_from: None });
    };
    let last = db::read!(ctx.db, |tx| log::last(tx, who.merchant).await)?;
    let rest_from = (through < wanted.min(last)).then(|| through.saturating_add(1));
    Ok(Again { planned, rest_from })
}
