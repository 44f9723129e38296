//! What the routes and the jobs of this room are given.

use std::{fmt, ops::Deref, sync::Arc};

use crate::{
    base::environment::Environment, config::Config, ctx::Ctx, money::Amount, pricing::Pricing,
    vault::Vault,
};

use super::{accounts::Coordinates, checks::Screening, limits::Caps, rails::Rail};

/// What the operator has decided about payouts.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Whether money is play money.
    pub sandbox: bool,
    /// Set aside on top of an exchange without a locked rate, in hundredths of a per cent.
    pub buffer_bps: u32,
    /// From these amounts on somebody has to approve, each in its own currency.
    pub approval_from: Vec<Amount>,
    /// From these amounts on the first payout through a new instrument is looked at.
    pub review_new_from: Vec<Amount>,
    /// The most that may go out.
    pub caps: Caps,
    /// Where money comes in, one account for each currency at the most.
    pub deposit_accounts: Vec<Coordinates>,
}

impl Policy {
    /// As it is configured.
    pub fn of(config: &Config) -> Self {
        let settings = &config.payouts;
        Self {
            sandbox: config.environment == Environment::Sandbox,
            buffer_bps: settings.buffer_bps,
            approval_from: settings.approval_from.clone(),
            review_new_from: settings.review_new_from.clone(),
            caps: Caps {
                daily: settings.daily_caps.clone(),
                monthly: settings.monthly_caps.clone(),
            },
            deposit_accounts: settings.deposit_accounts.iter().map(Coordinates::from).collect(),
        }
    }
}

/// The parts of the room; they are made once.
pub struct Parts {
    /// The database, the time, the dice.
    pub ctx: Ctx,
    /// Fees and rates.
    pub pricing: Pricing,
    /// What rests encrypted.
    pub vault: Vault,
    /// What the operator has decided.
    pub policy: Policy,
    /// Names that may not be paid.
    pub screening: Screening,
    /// How money leaves.
    pub rail: Box<dyn Rail>,
}

/// The room: cheap to hand around.
#[derive(Clone)]
pub struct Payouts(Arc<Parts>);

impl Payouts {
    /// Opens the room.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Payouts {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Debug for Payouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payouts(by the {} rail)", self.rail.name())
    }
}
