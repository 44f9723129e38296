//! What a payout is, and what happened to it.

use std::fmt;

use super::{Amounts, PayoutStatus};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        metadata::Metadata,
        timestamp::Timestamp,
    },
    ledger::HoldId,
    payouts::{BeneficiaryId, InstrumentId, PayoutId, rails::RailType},
    pricing::{Method, PlanId, QuoteId},
};

/// Money on its way to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// Its id.
    pub id: PayoutId,
    /// Whose money it is.
    pub merchant: MerchantId,
    /// Who is paid.
    pub beneficiary: BeneficiaryId,
    /// Through what.
    pub instrument: InstrumentId,
    /// What it was priced by.
    pub quote: QuoteId,
    /// The plan of that quote.
    pub plan: PlanId,
    /// How much.
    pub amounts: Amounts,
    /// How it is delivered.
    pub method: Method,
    /// What kind of rail that needs.
    pub rail_type: RailType,
    /// The chain, if it is one.
    pub network: Option<String>,
    /// Merchant's words.
    pub purpose: Option<String>,
    /// Merchant's words.
    pub reference: Option<String>,
    /// Merchant's notes.
    pub metadata: Metadata,
    /// Who asked for it: who made it may not approve it.
    pub made_by: Actor,
    /// The money that is set aside for it.
    pub hold: HoldId,
    /// The same for a fee in another currency.
    pub fee_hold: Option<HoldId>,
    /// Where it is.
    pub status: PayoutStatus,
    /// Why it is there, when somebody should know.
    pub reason: Option<String>,
    /// When it got where.
    pub moments: Moments,
    /// What the rail has told.
    pub railed: Railed,
    /// How many steps it has taken; two who act at once are told apart by it.
    pub steps: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it took its last step.
    pub updated_at: Timestamp,
}

/// The published moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moments {
    /// Its names were compared with the lists.
    pub screened: Option<Timestamp>,
    /// It was let through.
    pub approved: Option<Timestamp>,
    /// It was handed to its rail.
    pub processed: Option<Timestamp>,
    /// It arrived.
    pub completed: Option<Timestamp>,
    /// It did not.
    pub failed: Option<Timestamp>,
    /// It was called off.
    pub cancelled: Option<Timestamp>,
}

/// What a rail has told of a payout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Railed {
    /// Which rail.
    pub provider: Option<String>,
    /// Its own name for the payout.
    pub reference: Option<String>,
}

/// Who took a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A merchant's server, by its credential.
    Client(String),
    /// An operator, by name.
    Operator(String),
    /// Somebody of the merchant's, by their id in the portal.
    Person(String),
    /// The house's own rules.
    House,
    /// A rail, by name.
    Rail(String),
}

impl Actor {
    /// What kind of actor it is, for readers whom names inside the house do not concern.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::Operator(_) => "operator",
            Self::Person(_) => "person",
            Self::House => "house",
            Self::Rail(_) => "rail",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(id) => write!(f, "client:{id}"),
            Self::Operator(name) => write!(f, "operator:{name}"),
            Self::Person(id) => write!(f, "person:{id}"),
            Self::House => f.write_str("house"),
            Self::Rail(name) => write!(f, "rail:{name}"),
        }
    }
}

impl std::str::FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "house" => Ok(Self::House),
            Some(("client", id)) => Ok(Self::Client(id.to_owned())),
            Some(("operator", name)) => Ok(Self::Operator(name.to_owned())),
            Some(("person", id)) => Ok(Self::Person(id.to_owned())),
            Some(("rail", name)) => Ok(Self::Rail(name.to_owned())),
            _ => Err(format!("{text} names nobody who acts")),
        }
    }
}

/// One step that was taken. Never changed, never removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// 1 for the first.
    pub number: i64,
    /// Where it was; nowhere before it was made.
    pub from: Option<PayoutStatus>,
    /// Where it got.
    pub to: PayoutStatus,
    /// Who did it.
    pub actor: Actor,
    /// Why.
    pub cause: String,
    /// When.
    pub at: Timestamp,
}

/// Somebody's word on a payout. Never changed, never removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// After which step it was given.
    pub number: i64,
    /// Whether the payout was let through.
    pub approved: bool,
    /// By whom.
    pub actor: Actor,
    /// The digest of what they saw.
    pub digest: String,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Payout {
    /// Takes a step, if there is such a step, and says what has happened.
    pub fn step(
        &mut self,
        to: PayoutStatus,
        actor: Actor,
        cause: impl Into<String>,
        at: Timestamp,
    ) -> Result<Transition> {
        if !self.status.may_become(to) {
            let (from, to) = (self.status.as_str(), to.as_str());
            let why = format!("the payout is {from} and cannot become {to}");
            return Err(Failure::because(Code::InvalidState, why));
        }
        let (from, cause) = (self.status, cause.into());
        self.moments.note(from, to, at);
        self.reason = to.has_reason().then(|| cause.clone());
        self.status = to;
        self.steps += 1;
        self.updated_at = at;
        Ok(Transition { number: self.steps, from: Some(from), to, actor, cause, at })
    }

    /// Whether it waits for the word of whoever says it. What the house's own checks hold is for the
    /// operator: a merchant must not wave its own payout past the risk engine.
    pub const fn awaits(&self, by: &Actor) -> bool {
        match by {
            Actor::Operator(_) => self.status.awaits_decision(),
            Actor::Person(_) => matches!(self.status, PayoutStatus::PendingApproval),
            Actor::Client(_) | Actor::House | Actor::Rail(_) => false,
        }
    }

    /// Whether the fee can no longer change.
    pub const fn fee_is_final(&self) -> bool {
        matches!(self.status, PayoutStatus::Completed | PayoutStatus::Returned)
    }
}

impl Moments {
    fn note(&mut self, from: PayoutStatus, to: PayoutStatus, at: Timestamp) {
        use PayoutStatus as S;
        if from == S::PendingScreening && to != S::Cancelled {
            self.screened = Some(at);
        }
        let moment = match to {
            S::Approved => &mut self.approved,
            S::Processing => &mut self.processed,
            S::Completed => &mut self.completed,
            S::Failed | S::ScreeningFailed | S::VelocityBlocked => &mut self.failed,
            S::Cancelled => &mut self.cancelled,
            _ => return,
        };
        *moment = Some(at);
    }
}

impl PayoutStatus {
    /// Whether merchants are told why it is here.
    const fn has_reason(self) -> bool {
        matches!(self, Self::Failed | Self::Returned | Self::Cancelled | Self::VelocityBlocked)
    }
}
