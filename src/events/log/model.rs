//! Kinds of events, and the envelope.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{base::timestamp::Timestamp, events::EventId, words};

words! {
    /// What can happen, in the published words.
    EventType {
        /// A payout was made through the API.
        PayoutCreated = "payout.created",
        /// Its names are compared with the lists.
        PayoutScreening = "payout.screening",
        /// Screening found a match.
        PayoutScreeningFailed = "payout.screening_failed",
        /// A payout waits for somebody's word.
        PayoutHeld = "payout.held",
        /// A payout would have gone over a limit.
        PayoutBlocked = "payout.velocity_blocked",
        /// A payout was let through.
        PayoutApproved = "payout.approved",
        /// A payout was handed to its rail.
        PayoutProcessing = "payout.processing",
        /// The rail has sent it.
        PayoutSent = "payout.sent",
        /// The beneficiary has it.
        PayoutCompleted = "payout.completed",
        /// The rail could not.
        PayoutFailed = "payout.failed",
        /// The money came back.
        PayoutReturned = "payout.returned",
        /// It was called off in time.
        PayoutCancelled = "payout.cancelled",
        /// A beneficiary was made.
        BeneficiaryCreated = "beneficiary.created",
        /// A beneficiary was changed, archived or restored.
        BeneficiaryUpdated = "beneficiary.updated",
        /// A beneficiary was deleted.
        BeneficiaryDeleted = "beneficiary.deleted",
        /// A beneficiary may not be paid.
        BeneficiaryBlocked = "beneficiary.blocked",
        /// An instrument was made.
        InstrumentCreated = "instrument.created",
        /// An instrument was changed.
        InstrumentUpdated = "instrument.updated",
        /// An instrument was deleted.
        InstrumentDeleted = "instrument.deleted",
        /// A file of payouts arrived.
        BatchUploaded = "batch.uploaded",
        /// A file of payouts is done.
        BatchCompleted = "batch.completed",
        /// A file of payouts came to nothing.
        BatchFailed = "batch.failed",
        /// A rate was locked.
        FxQuoteCreated = "fx.quote.created",
        /// An exchange was ordered.
        FxExchangeCreated = "fx.exchange.created",
        /// An exchange is done.
        FxExchangeCompleted = "fx.exchange.completed",
        /// An exchange came to nothing.
        FxExchangeFailed = "fx.exchange.failed",
        /// Money came in.
        FundingCredit = "funding.credit",
        /// A balance is low.
        BalanceLow = "balance.low",
        /// Somebody's name is on a list.
        ScreeningHit = "screening.hit",
        /// Somebody wants to know more.
        RfiCreated = "rfi.created",
        /// Every attempt at an endpoint has failed for a day.
        WebhookFailing = "webhook.failing",
        /// An endpoint was switched off, because it failed too long or said that it is gone.
        WebhookDisabled = "webhook.disabled",
        /// To try an endpoint out.
        Test = "test",
    }
}

/// Something that is about to be written.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub(super) kind: EventType,
    pub(super) about: String,
    pub(super) data: Box<RawValue>,
}

impl NewEvent {
    /// An event about a resource, which it shows as it is now, in the wire's own shape.
    pub fn new(
        kind: EventType,
        about: impl Into<String>,
        data: &impl Serialize,
    ) -> serde_json::Result<Self> {
        Ok(Self { kind, about: about.into(), data: to_raw_value(data)? })
    }

    /// An event about a resource whose shape on the wire is at hand already.
    pub fn of_json(
        kind: EventType,
        about: impl Into<String>,
        json: &[u8],
    ) -> serde_json::Result<Self> {
        Ok(Self { kind, about: about.into(), data: serde_json::from_slice(json)? })
    }

    /// The bytes that are frozen, shown and signed.
    pub(super) fn envelope(
        &self,
        id: EventId,
        sequence: i64,
        created_at: Timestamp,
    ) -> serde_json::Result<Vec<u8>> {
        let Self { kind, data, .. } = self;
        serde_json::to_vec(&Envelope { id, kind: kind.as_str(), created_at, sequence, data })
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    id: EventId,
    #[serde(rename = "type")]
    kind: &'static str,
    created_at: Timestamp,
    sequence: i64,
    data: &'a RawValue,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id, by which receivers recognise a repetition.
    pub id: EventId,
    /// Its number among the merchant's events, from 1 on, without a gap.
    pub sequence: i64,
    /// What happened.
    pub kind: EventType,
    /// To which resource.
    pub about: String,
    /// The envelope, byte for byte as it was frozen.
    pub body: Vec<u8>,
    /// When.
    pub created_at: Timestamp,
}

/// What a list of events is narrowed to; what is absent narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowed {
    /// Of one type.
    pub kind: Option<EventType>,
    /// About one resource, by its id.
    pub about: Option<String>,
}

/// That something happened, without its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its number.
    pub sequence: i64,
    /// What; nothing when this program does not know the word.
    pub kind: Option<EventType>,
    /// To what: the id.
    pub about: String,
    /// When.
    pub at: Timestamp,
}
