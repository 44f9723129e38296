//! What the pages are given.

use std::{fmt, ops::Deref, sync::Arc};

use ipnet::IpNet;

use super::{
    mail::{self, Mail},
    passkeys::Party,
};
use crate::{
    base::{environment::Environment, failure::Result},
    config::{Config, MailHome},
    ctx::Ctx,
    events::Events,
    oauth::authority::Authority,
    payouts::{Payouts, People},
    pricing::Pricing,
    vault::Vault,
    web::{rate_limit::RateLimiter, requests::RequestLog},
};

/// The parts of the room; they are made once.
pub struct Parts {
    /// The database, the time, the dice.
    pub ctx: Ctx,
    /// argon2, and the caches that must learn of a revocation.
    pub authority: Authority,
    /// What rests encrypted.
    pub vault: Vault,
    /// Whose pages these are.
    pub rooms: Rooms,
    /// How letters leave.
    pub mail: Box<dyn Mail>,
    /// Who counts tries.
    pub limiter: RateLimiter,
    /// Which world this is.
    pub environment: Environment,
    /// The origins that browsers may show in requests that change something, the first one in links.
    pub origins: Vec<String>,
    /// Who judges passkeys; none where browsers would offer none.
    pub party: Option<Party>,
    /// Whether browsers come by TLS, so that cookies may insist on it.
    pub https: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: Arc<[IpNet]>,
    /// Tries to sign in per minute, by account and address; ten times as many by either alone.
    pub guesses_per_minute: u32,
}

/// The rooms below, which the pages show.
#[derive(Clone, Debug)]
pub struct Rooms {
    /// Fees and rates.
    pub pricing: Pricing,
    /// Beneficiaries and their instruments.
    pub people: People,
    /// Money on its way.
    pub payouts: Payouts,
    /// Endpoints and what is delivered to them.
    pub events: Events,
    /// What their servers have asked.
    pub requests: RequestLog,
}

/// The room: cheap to hand around.
#[derive(Clone)]
pub struct Portal(Arc<Parts>);

impl Portal {
    /// Opens the room as the operator has set it up.
    pub fn of(
        config: &Config,
        authority: &Authority,
        limiter: &RateLimiter,
        vault: &Vault,
        rooms: Rooms,
    ) -> Result<Self> {
        let (letters, ctx) = (&config.mail, authority.ctx().clone());
        let mail: Box<dyn Mail> = match &letters.home {
            MailHome::Folder(path) => {
                Box::new(mail::Folder::new(path.clone(), &letters.from, ctx.clone())?)
            }
            MailHome::Smtp(url) => Box::new(mail::Smtp::new(url, &letters.from)?),
        };
        Ok(Self::new(Parts {
            ctx,
            authority: authority.clone(),
            vault: vault.clone(),
            rooms,
            mail,
            limiter: limiter.clone(),
            environment: config.environment,
            origins: config.origins().map(|origin| origin.as_str().to_owned()).collect(),
            party: Party::of(config),
            https: config.public_url.is_https(),
            proxies: config.http.trusted_proxies.as_slice().into(),
            guesses_per_minute: config.limits.failures_per_minute,
        }))
    }

    /// Opens the room.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The origin that links name.
    pub fn origin(&self) -> &str {
        self.origins.first().map_or("", String::as_str)
    }
}

impl Deref for Portal {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Debug for Portal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Portal({})", self.origin())
    }
}
