//! What the routes of this room, and the rooms above it, are given.

use std::{ops::Deref, sync::Arc, time::Duration};

use crate::{ctx::Ctx, oauth::keys::Ring, web::rate_limit::RateLimiter};

use super::{fx::Rates, plans::Plans, quotes::Intake};

/// The parts of the room; they are made once.
#[derive(Debug)]
pub struct Parts {
    /// The database, the time, the dice.
    pub ctx: Ctx,
    /// What the house charges.
    pub plans: Plans,
    /// Where quotes are stored, many at once.
    pub intake: Intake,
    /// What currencies are worth.
    pub rates: Rates,
    /// What signs an offer.
    pub ring: Ring,
    /// Who counts requests.
    pub limiter: RateLimiter,
    /// How long an FX quote holds.
    pub fx_quote_life: Duration,
    /// How often one address may ask for rates, and for FX quotes, in a minute.
    pub fx_per_minute: u32,
}

/// The room: cheap to hand around.
#[derive(Clone, Debug)]
pub struct Pricing(Arc<Parts>);

impl Pricing {
    /// Opens the room.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Pricing {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
