//! How each API signs and paces its deliveries.
//!
//! An API is a [`Dialect`], and a dialect is a small value: names of headers, one function that signs,
//! a time-out, and pauses between attempts. `docs/webhooks.md` tells receivers which bytes are signed
//! with which key; the vectors there are the tests here.

mod dialects;
mod key;
mod schedule;

use std::{str::FromStr, time::Duration};

pub use key::{SigningKey, SigningKeys};
pub use schedule::{Schedule, retry_after};

/// What one attempt says and signs.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The event, the same in every attempt: receivers recognise doubles by it.
    pub event: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// The delivery, the same in every attempt.
    pub delivery: &'a str,
    /// The number of this attempt, from one.
    pub attempt: u32,
    /// When it is signed.
    pub unix_seconds: i64,
    /// The bytes that are sent.
    pub body: &'a [u8],
}

/// Header lines.
pub type Headers = Vec<(&'static str, String)>;

/// How one API delivers.
#[derive(Debug)]
struct Manner {
    name: &'static str,
    user_agent: &'static str,
    content_type: &'static str,
    timeout: Duration,
    schedule: Schedule,
    /// What the headers say that is no signature.
    say: fn(&Message<'_>) -> Headers,
    sign: fn(&SigningKeys, &Message<'_>) -> Headers,
}

/// The APIs whose webhooks are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Payouts and pricing: `X-Webhook-Signature`.
    Payouts,
    /// Group checkout: `Ante-Signature`.
    GroupCheckout,
    /// Card payments: a bare digest.
    Payments,
    /// Digital stores: `X-AnonymousPay-Signature`.
    Stores,
    /// Standard Webhooks.
    Standard,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 5] =
        [Self::Payouts, Self::GroupCheckout, Self::Payments, Self::Stores, Self::Standard];

    const fn manner(self) -> &'static Manner {
        match self {
            Self::Payouts => &dialects::PAYOUTS,
            Self::GroupCheckout => &dialects::GROUP_CHECKOUT,
            Self::Payments => &dialects::PAYMENTS,
            Self::Stores => &dialects::STORES,
            Self::Standard => &dialects::STANDARD,
        }
    }

    /// The word for it on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        self.manner().name
    }

    /// How long a receiver may take to answer.
    pub const fn timeout(self) -> Duration {
        self.manner().timeout
    }

    /// When a failed attempt is repeated.
    pub const fn schedule(self) -> &'static Schedule {
        &self.manner().schedule
    }

    /// The header lines of one attempt that anybody could write.
    pub fn plain_headers(self, message: &Message<'_>) -> Headers {
        let manner = self.manner();
        let mut headers = vec![
            ("content-type", manner.content_type.to_owned()),
            ("user-agent", manner.user_agent.to_owned()),
        ];
        headers.extend((manner.say)(message));
        headers
    }

    /// The header lines of one attempt that only we can write.
    pub fn signatures(self, keys: &SigningKeys, message: &Message<'_>) -> Headers {
        (self.manner().sign)(keys, message)
    }
}

impl FromStr for Dialect {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|dialect| dialect.as_str() == text);
        known.ok_or("must be the name of a webhook dialect")
    }
}
