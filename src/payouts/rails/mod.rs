//! Rails: how money leaves the house.
//!
//! A rail is told of an attempt by an id that was written down before, so that telling it twice is
//! telling it once; what it answers is a fact about the world, which the payout catches up with. It is
//! asked between two transactions, never inside one. When its answer is not known, it is asked what
//! became of the attempt: nothing is ever handed over again on the guess that it was not.

mod manual;
mod reach;
mod sandbox;

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;

use crate::{base::timestamp::Timestamp, money::Amount, payouts::PayoutId, pricing::Method};

pub use manual::Manual;
pub use reach::{RailType, reaches};
pub use sandbox::{Sandbox, Scenario};

crate::ids! {
    /// One handing-over to a rail.
    AttemptId = "att_";
}

/// A handing-over, as it was written down before it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// By which the rail knows it.
    pub id: AttemptId,
    /// Which rail.
    pub rail: String,
    /// When it was decided.
    pub submitted_at: Timestamp,
}

/// What a rail is asked to do.
pub struct Order<'a> {
    /// By which it knows this again.
    pub attempt: &'a Attempt,
    /// For people who compare two lists.
    pub payout: PayoutId,
    /// What arrives.
    pub amount: Amount,
    /// How.
    pub method: Method,
    /// On what kind of rail.
    pub rail_type: RailType,
    /// On which chain.
    pub network: Option<&'a str>,
    /// The merchant's words on the statement.
    pub reference: Option<&'a str>,
    /// To whom: account, wallet, phone, in clear. A rail must not write them anywhere.
    pub credentials: &'a [u8],
    /// The time by which answers are given.
    pub now: Timestamp,
}

impl fmt::Debug for Order<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Order({} for {})", self.attempt.id, self.payout)
    }
}

/// What became of an attempt, as the rail sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The rail has never heard of it.
    NeverSeen,
    /// It is being worked on.
    Accepted,
    /// The money has left.
    Sent,
    /// It arrived.
    Completed,
    /// It did not leave, or did not arrive and will not.
    Failed(String),
    /// It came back.
    Returned(String),
}

/// A rail's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What became of the attempt.
    pub outcome: Outcome,
    /// The rail's own name for it.
    pub reference: Option<String>,
    /// When to ask again; never, when nothing more is to come or the rail will be asked by hand.
    pub ask_again: Option<Duration>,
}

/// No answer: the attempt may have been taken or not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rail gave no answer: {0}")]
pub struct NoAnswer(pub String);

/// A way for money to leave.
pub trait Rail: Send + Sync {
    /// Its name, in payouts and logs.
    fn name(&self) -> &'static str;

    /// Hands an attempt over. The same attempt twice is one.
    fn submit<'a>(&'a self, order: &'a Order<'a>) -> BoxFuture<'a, Result<Report, NoAnswer>>;

    /// Asks what became of an attempt.
    fn status<'a>(&'a self, order: &'a Order<'a>) -> BoxFuture<'a, Result<Report, NoAnswer>>;
}
