//! How often clients and strangers may ask.
//!
//! A client whose secret is remembered is not counted here at all: whatever strangers spend, it goes on.

use std::{net::IpAddr, time::Duration};

use moka::sync::Cache;

use super::Authority;
use crate::{
    base::failure::{Code, Failure, Result},
    oauth::credentials::ClientId,
    web::{address::Host, rate_limit::Quota},
};

/// Clients with an address from which the right secret has come.
pub(super) type Homes = Cache<(ClientId, Host), ()>;

/// A day since the last check that was paid for, and few enough to keep.
pub(super) fn homes() -> Homes {
    Cache::builder().max_capacity(50_000).time_to_live(Duration::from_hours(24)).build()
}

/// How many times as generous the limits are that a client shares with others.
const WIDE: u32 = 10;

impl Authority {
    /// Counts a token for this client.
    pub(in crate::oauth) async fn count_token(&self, client: &ClientId) -> Result<()> {
        let quota = per_minute("token", self.rules().tokens_per_minute);
        self.limiter().check(quota, client.as_str()).await.map(|_| ())
    }

    /// Counts a try from this address, before it has caused any work: one machine keeps neither argon2
    /// nor the database busy by inventing clients.
    pub(in crate::oauth) async fn count_stranger(&self, address: IpAddr) -> Result<()> {
        let quota = per_minute("guess-address", self.wide());
        self.limiter().check(quota, &Host::from(address).to_string()).await.map(|_| ())
    }

    /// Counts a check of a secret that is not remembered. By client and address, so that a stranger
    /// who guesses locks out itself only; and, more generously, by client, so that many addresses
    /// together keep argon2 no busier. That last one leaves out addresses from which the right secret
    /// has come: many strangers who use it up must not keep the client from its next token.
    ///
    /// Clients that do not exist share one allowance: random ids from many addresses must not take
    /// argon2 away from those who have a secret. Beyond it such a client is refused as ever, but at
    /// once. Who floods us may then learn from the time that an id of 128 random bits is nobody's.
    pub(in crate::oauth) async fn count_guess(
        &self,
        client: &ClientId,
        at_home: bool,
        address: IpAddr,
    ) -> Result<()> {
        let (guesses, pair) =
            (self.rules().guesses_per_minute, format!("{} {client}", Host::from(address)));
        self.limiter().check(per_minute("guess", guesses), &pair).await?;
        if at_home && self.0.homes.contains_key(&(client.clone(), Host::from(address))) {
            return Ok(());
        }
        if at_home {
            let quota = per_minute("guess-client", self.wide());
            return self.limiter().check(quota, client.as_str()).await.map(|_| ());
        }
        let verdict = self.limiter().check(per_minute("guess-nobody", guesses), "").await;
        verdict.map(|_| ()).map_err(|_| Failure::new(Code::InvalidClient))
    }

    /// Remembers that the right secret came from here.
    pub(in crate::oauth) fn knew_the_secret(&self, client: &ClientId, address: IpAddr) {
        let home = (client.clone(), Host::from(address));
        if !self.0.homes.contains_key(&home) {
            self.0.homes.insert(home, ());
        }
    }

    /// Counts a signature that is to be checked, good or bad. As many as the client may have tokens: it
    /// never needs more, and a stranger who sends its id makes us check no more than that.
    pub(in crate::oauth) async fn count_assertion(
        &self,
        client: &ClientId,
        address: IpAddr,
    ) -> Result<()> {
        let calls = self.rules().tokens_per_minute.max(self.rules().guesses_per_minute);
        let pair = format!("{} {client}", Host::from(address));
        self.limiter().check(per_minute("assertion", calls), &pair).await.map(|_| ())
    }

    fn wide(&self) -> u32 {
        self.rules().guesses_per_minute.saturating_mul(WIDE)
    }
}

/// An allowance for a minute.
pub(in crate::oauth) fn per_minute(name: &'static str, calls: u32) -> Quota {
    Quota { name, calls, window: Duration::from_mins(1) }
}
