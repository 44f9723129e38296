//! What the routes and jobs of this room, and the rooms above it, are given.

use std::{fmt, ops::Deref, sync::Arc, time::Duration};

use super::outbound::{Options, Outbound, Reach, Rules, SystemNames};
use crate::{
    base::failure::Result, config::Config, ctx::Ctx, vault::Vault, web::rate_limit::RateLimiter,
};

/// The parts of the room; they are made once.
pub struct Parts {
    /// The database, the time, the dice.
    pub ctx: Ctx,
    /// Where secrets rest.
    pub vault: Vault,
    /// Who calls merchants.
    pub outbound: Outbound,
    /// Who counts requests.
    pub limiter: RateLimiter,
    /// How often a merchant may ask for test events in a minute.
    pub sensitive_per_minute: u32,
    /// The most that a receiver may take, where its dialect allows more.
    pub timeout: Duration,
    /// How many endpoints this replica serves at once.
    pub endpoints_at_once: usize,
    /// How many deliveries one healthy endpoint gets at once.
    pub deliveries_at_once: usize,
    /// How long an endpoint belongs to a replica that shows no sign of life.
    pub lease: Duration,
}

/// The room: cheap to hand around.
#[derive(Clone)]
pub struct Events(Arc<Parts>);

impl Events {
    /// Opens the room.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Opens the room as the operator has set it.
    pub fn configured(
        config: &Config,
        ctx: &Ctx,
        vault: &Vault,
        limiter: &RateLimiter,
    ) -> Result<Self> {
        let webhooks = &config.webhooks;
        let reach = if webhooks.allow_loopback { Reach::Nearby } else { Reach::Public };
        let options = Options {
            rules: Rules { reach, ports: webhooks.ports.clone() },
            proxy: webhooks.proxy.clone(),
        };
        Ok(Self::new(Parts {
            ctx: ctx.clone(),
            vault: vault.clone(),
            outbound: Outbound::new(&options, Arc::new(SystemNames))?,
            limiter: limiter.clone(),
            sensitive_per_minute: config.limits.sensitive_per_minute,
            timeout: webhooks.timeout,
            endpoints_at_once: webhooks.endpoints_at_once,
            deliveries_at_once: webhooks.deliveries_at_once,
            lease: webhooks.lease,
        }))
    }
}

impl Deref for Events {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Events({:?})", self.outbound)
    }
}
