//! A payout as callers and events show it.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Payout, Transition};
use crate::base::{failure::Result, metadata::Metadata, timestamp::Timestamp};

/// A payout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payout)]
pub struct PayoutBody {
    #[schema(pattern = "^pay_[a-zA-Z0-9]+$")]
    id: String,
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    merchant_id: String,
    #[schema(pattern = "^ben_[a-zA-Z0-9]+$")]
    beneficiary_id: String,
    #[schema(pattern = "^ins_[a-zA-Z0-9]+$")]
    instrument_id: String,
    /// Where it is: one of the fourteen published states.
    status: &'static str,
    method: &'static str,
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    source_amount: String,
    source_currency: &'static str,
    /// What the beneficiary gets.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    dest_amount: String,
    dest_currency: &'static str,
    rail_type: &'static str,
    /// The quote that priced it: yours, or one that was made for it.
    #[schema(pattern = "^pq_[a-zA-Z0-9]+$")]
    quote_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange_rate: Option<String>,
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    fee: String,
    fee_currency: &'static str,
    fee_bearer: &'static str,
    fixed_side: &'static str,
    /// What is set aside in the source currency until the payout is final.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    total_debited: String,
    total_debited_currency: &'static str,
    fee_finalized: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    buffer_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buffer_currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rail_provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rail_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    #[schema(value_type = Object)]
    metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    screened_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    approved_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    processed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    failed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    cancelled_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl PayoutBody {
    /// The shape of a payout as it is.
    pub fn of(payout: &Payout) -> Result<Self> {
        use super::PayoutStatus as S;
        let amounts = &payout.amounts;
        let total = amounts.total_debited()?;
        let buffer = Some(amounts.buffer).filter(|buffer| buffer.is_positive());
        let reason =
            |wanted: &[S]| payout.reason.clone().filter(|_| wanted.contains(&payout.status));
        let moments = payout.moments;
        Ok(Self {
            id: payout.id.to_string(),
            merchant_id: payout.merchant.to_string(),
            beneficiary_id: payout.beneficiary.to_string(),
            instrument_id: payout.instrument.to_string(),
            status: payout.status.as_str(),
            method: payout.method.as_str(),
            source_amount: amounts.source.render(),
            source_currency: amounts.source.currency().code(),
            dest_amount: amounts.dest.render(),
            dest_currency: amounts.dest.currency().code(),
            rail_type: payout.rail_type.as_str(),
            quote_id: payout.quote.to_string(),
            exchange_rate: amounts.rate.map(|rate| rate.to_string()),
            fee: amounts.fee.render(),
            fee_currency: amounts.fee.currency().code(),
            fee_bearer: amounts.bearer.as_str(),
            fixed_side: amounts.fixed.as_str(),
            total_debited: total.render(),
            total_debited_currency: total.currency().code(),
            fee_finalized: payout.fee_is_final(),
            buffer_amount: buffer.map(crate::money::Amount::render),
            buffer_currency: buffer.map(|buffer| buffer.currency().code()),
            rail_provider: payout.railed.provider.clone(),
            rail_reference: payout.railed.reference.clone(),
            network: payout.network.clone(),
            cancelled_reason: reason(&[S::Cancelled]),
            failure_reason: reason(&[S::Failed, S::VelocityBlocked]),
            return_reason: reason(&[S::Returned]),
            purpose: payout.purpose.clone(),
            reference: payout.reference.clone(),
            metadata: payout.metadata.clone(),
            screened_at: moments.screened,
            approved_at: moments.approved,
            processed_at: moments.processed,
            completed_at: moments.completed,
            failed_at: moments.failed,
            cancelled_at: moments.cancelled,
            created_at: payout.created_at,
            updated_at: payout.updated_at,
        })
    }
}

/// A step that a payout has taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutStep)]
pub struct StepBody {
    /// 1 for the first.
    number: i64,
    /// Where it was; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    /// Where it got.
    to: &'static str,
    /// Who did it: `client:…`, `person:…`, `operator:…`, `rail:…` or `house`.
    actor: String,
    /// Why.
    cause: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<&Transition> for StepBody {
    fn from(step: &Transition) -> Self {
        Self {
            number: step.number,
            from: step.from.map(super::PayoutStatus::as_str),
            to: step.to.as_str(),
            actor: step.actor.to_string(),
            cause: step.cause.clone(),
            at: step.at,
        }
    }
}
