//! Instruments as they are shown: by the API, and in events.

use serde::Serialize;
use utoipa::ToSchema;

use super::Instrument;
use crate::{
    base::timestamp::Timestamp,
    money::{Country, Currency},
};

/// A way to pay a beneficiary, masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Instrument)]
pub struct InstrumentBody {
    #[schema(pattern = "^ins_[a-zA-Z0-9]+$")]
    id: String,
    #[schema(pattern = "^ben_[a-zA-Z0-9]+$")]
    beneficiary_id: String,
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    merchant_id: String,
    /// One of those that `GET /v1/payment-methods` lists.
    method: &'static str,
    /// `active` or `disabled`.
    status: &'static str,
    /// Whether it is the one to use; at most one for a beneficiary and a currency.
    is_default: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Z]{3,5}$")]
    currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Z]{2}$")]
    country: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_last4: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_bank: Option<String>,
    /// The brand of a card, the chain of a wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_network: Option<String>,
    /// Such as `DE89****5432`.
    #[serde(skip_serializing_if = "Option::is_none")]
    masked_account: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<&Instrument> for InstrumentBody {
    fn from(shown: &Instrument) -> Self {
        Self {
            id: shown.id.to_string(),
            beneficiary_id: shown.beneficiary.to_string(),
            merchant_id: shown.merchant.to_string(),
            method: shown.method.word,
            status: shown.status.as_str(),
            is_default: shown.is_default,
            currency: shown.currency.map(Currency::code),
            country: shown.country.map(Country::code),
            label: shown.label.clone(),
            display_last4: shown.shown.last4.clone(),
            display_bank: shown.shown.bank.clone(),
            display_network: shown.shown.network.clone(),
            masked_account: shown.shown.masked.clone(),
            created_at: shown.created_at,
            updated_at: shown.updated_at,
        }
    }
}
