//! An endpoint and its states.

use std::collections::BTreeMap;

use super::Filter;
use crate::{
    base::{
        failure::{Code, Failure, Result},
        timestamp::Timestamp,
    },
    events::{EndpointId, signatures::Dialect},
    words,
};

/// The shape of what is sent; endpoints keep the one they were made with.
pub(super) const VERSION: &str = "2024-01-01";
/// How many endpoints a merchant may have: each one multiplies every event.
pub(super) const MOST: usize = 100;

words! {
    /// Whether events are sent there.
    Status {
        /// They are.
        Active = "active",
        /// Its merchant switched it off.
        Inactive = "inactive",
        /// We did.
        Disabled = "disabled",
        /// It is gone for its merchant; its deliveries are kept for auditors.
        Deleted = "deleted",
    }
}

words! {
    /// Why we switched an endpoint off.
    Because {
        /// It failed for days.
        Failing = "failing",
        /// It answered 410.
        Gone = "gone",
    }
}

/// What the merchant wrote beside it.
pub type Metadata = BTreeMap<String, String>;

/// Where a merchant has events sent.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// The address.
    pub url: String,
    /// Which events.
    pub filter: Filter,
    /// Whose way of signing and pacing.
    pub dialect: Dialect,
    /// The shape of what is sent.
    pub version: String,
    /// What the merchant wrote beside it.
    pub metadata: Metadata,
    /// Whether events are sent there.
    pub status: Status,
    /// Why not, if we switched it off.
    pub because: Option<Because>,
    /// Since when every attempt has failed.
    pub failing_since: Option<Timestamp>,
    /// When its merchant was warned of it.
    pub warned_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its merchant or we last changed it.
    pub updated_at: Timestamp,
}

/// Of how many deliveries [`Health`] tells what became of them.
pub const LATEST: i64 = 100;
/// No more waiting deliveries than this are counted: the rest is many.
pub const WAITING_SHOWN: i64 = 1_000;

/// How an endpoint is doing.
#[derive(Clone, Debug)]
pub struct Health {
    /// Which.
    pub endpoint: EndpointId,
    /// Events of the log that were not looked at for it yet.
    pub behind: i64,
    /// Deliveries on their way, [`WAITING_SHOWN`] at most.
    pub waiting: i64,
    /// How many of the [`LATEST`] deliveries arrived.
    pub delivered: i64,
    /// How many of them never did.
    pub failed: i64,
    /// Failed attempts in a row.
    pub failures: i64,
    /// It is left alone until then.
    pub paused_until: Timestamp,
    /// Until when the secret before this one signs as well.
    pub old_secret_ends: Option<Timestamp>,
}

impl Endpoint {
    /// Refuses what only makes sense while events are sent there.
    pub fn must_be_active(&self) -> Result<()> {
        if self.status == Status::Active {
            return Ok(());
        }
        let message = "this endpoint is switched off; reactivate it first";
        Err(Failure::because(Code::InvalidState, message))
    }
}

/// Refuses one endpoint too many.
pub(super) fn room_for_one_more(count: i64) -> Result<()> {
    if usize::try_from(count).is_ok_and(|count| count < MOST) {
        return Ok(());
    }
    let message = format!("a merchant has at most {MOST} webhook endpoints; delete one first");
    Err(Failure::because(Code::InvalidState, message))
}
