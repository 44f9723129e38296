//! Beneficiaries as they are shown: by the API, and in events.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Beneficiary, Business, Individual, Pii};
use crate::base::{metadata::Metadata, timestamp::Timestamp};

/// Somebody who can be paid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Beneficiary)]
pub struct BeneficiaryBody {
    #[schema(pattern = "^ben_[a-zA-Z0-9]+$")]
    id: String,
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    merchant_id: String,
    /// `individual` or `business`.
    r#type: &'static str,
    /// `active`, `archived` or `blocked`.
    status: &'static str,
    /// The parts of the name joined, or the legal name, unless you chose another.
    display_name: String,
    #[schema(pattern = "^[A-Z]{2}$")]
    country: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_ref: Option<String>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    #[schema(value_type = Object)]
    metadata: Metadata,
    /// `batch`, if a batch made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_via: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^bat_[a-zA-Z0-9]+$")]
    source_batch_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<&Beneficiary> for BeneficiaryBody {
    fn from(shown: &Beneficiary) -> Self {
        Self {
            id: shown.id.to_string(),
            merchant_id: shown.merchant.to_string(),
            r#type: shown.kind.as_str(),
            status: shown.status.as_str(),
            display_name: shown.display_name.clone(),
            country: shown.country.code(),
            external_ref: shown.external_ref.clone(),
            metadata: shown.metadata.clone(),
            created_via: shown.source_batch_id.as_ref().map(|_| "batch"),
            source_batch_id: shown.source_batch_id.clone(),
            created_at: shown.created_at,
            updated_at: shown.updated_at,
        }
    }
}

/// Who a beneficiary is.
#[derive(Serialize, ToSchema)]
pub struct PiiBody {
    /// `individual` or `business`.
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    individual: Option<Individual>,
    #[serde(skip_serializing_if = "Option::is_none")]
    business: Option<Business>,
}

impl From<Pii> for PiiBody {
    fn from(pii: Pii) -> Self {
        let r#type = pii.kind().as_str();
        match pii {
            Pii::Individual(person) => Self { r#type, individual: Some(person), business: None },
            Pii::Business(business) => Self { r#type, individual: None, business: Some(business) },
        }
    }
}
