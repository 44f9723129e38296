//! What stands in the bodies of `/v1/webhooks`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Endpoint, Filter, Metadata, Status, model::VERSION};
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    events::signatures::Dialect,
};

/// What to send where.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
pub(super) struct EndpointBody {
    /// A public `https` address.
    pub(super) url: String,
    /// Event types, groups such as `payout.*`, or `*` for all.
    #[schema(min_items = 1)]
    pub(super) events: Vec<String>,
    /// `payouts` without it; `standard` signs as Standard Webhooks says.
    pub(super) dialect: Option<String>,
    /// The shape of what is sent; `2024-01-01` without it.
    pub(super) version: Option<String>,
    pub(super) metadata: Option<BTreeMap<String, String>>,
}

/// What to change; what is missing stays.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
pub(super) struct ChangeBody {
    pub(super) url: Option<String>,
    pub(super) events: Option<Vec<String>>,
    /// Replaced as a whole.
    pub(super) metadata: Option<BTreeMap<String, String>>,
}

/// How to go on.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
pub(super) struct ReactivateBody {
    /// Begin with what happens from now on, and call off what waits.
    pub(super) skip_missed: Option<bool>,
}

/// How to change over.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
pub(super) struct RotateBody {
    /// How long the old secret signs as well; 86400 without it. With 0 it ends at once: for a secret
    /// that others have seen.
    #[schema(minimum = 0, maximum = 86400)]
    pub(super) grace_seconds: Option<u32>,
}

/// Where events are sent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EndpointAnswer {
    #[schema(pattern = "^wbh_[a-zA-Z0-9]+$")]
    pub(super) id: String,
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    pub(super) merchant_id: String,
    pub(super) url: String,
    pub(super) events: Vec<String>,
    /// `active`, `inactive` (by you) or `disabled` (by us).
    pub(super) status: &'static str,
    /// `failing` or `gone`, if we switched it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disabled_reason: Option<&'static str>,
    /// Since when every attempt has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) failing_since: Option<Timestamp>,
    pub(super) dialect: &'static str,
    pub(super) version: String,
    pub(super) metadata: Metadata,
    #[schema(value_type = String, format = DateTime)]
    pub(super) created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(super) updated_at: Timestamp,
}

impl EndpointAnswer {
    pub(super) fn of(merchant: MerchantId, endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            merchant_id: merchant.to_string(),
            url: endpoint.url.clone(),
            events: endpoint.filter.words(),
            status: endpoint.status.as_str(),
            disabled_reason: endpoint
                .because
                .filter(|_| endpoint.status == Status::Disabled)
                .map(super::Because::as_str),
            failing_since: endpoint.failing_since,
            dialect: endpoint.dialect.as_str(),
            version: endpoint.version.clone(),
            metadata: endpoint.metadata.clone(),
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

/// A new endpoint, with its secret.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the secret is put in after the answer was kept")]
pub(super) struct Created {
    #[schema(inline)]
    #[serde(flatten)]
    pub(super) endpoint: EndpointAnswer,
    #[schema(pattern = "^whsec_[0-9a-f]{64}$")]
    pub(super) secret: String,
}

/// All endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Endpoints {
    pub(super) data: Vec<EndpointAnswer>,
}

/// What deliveries are signed with.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SecretAnswer {
    #[schema(pattern = "^whsec_[0-9a-f]{64}$")]
    pub(super) secret: String,
    /// For `v1a` signatures of Standard Webhooks: who has this can check and not forge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) public_key: Option<String>,
    /// Until when the secret before this one signs as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) previous_secret_ends_at: Option<Value>,
}

/// A test event on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TestAnswer {
    #[schema(pattern = "^evt_[a-zA-Z0-9]+$")]
    pub(super) event_id: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

pub(super) fn filter(value: &Value) -> Result<Filter, String> {
    const WANTED: &str = "must be a list of event types";
    let words = value.as_array().filter(|words| words.len() <= 100).ok_or(WANTED)?;
    let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
    Filter::read(words.ok_or(WANTED)?)
}

/// The dialects of other APIs are spoken to endpoints that are made through those.
pub(super) fn dialect(word: &str) -> Result<Dialect, &'static str> {
    let dialect = word.parse().ok();
    dialect
        .filter(|dialect| [Dialect::Payouts, Dialect::Standard].contains(dialect))
        .ok_or("must be payouts or standard")
}

pub(super) fn version(word: &str) -> Result<(), String> {
    if word == VERSION { Ok(()) } else { Err(format!("must be {VERSION}")) }
}

pub(super) fn metadata(value: &Value) -> Result<Metadata, &'static str> {
    const WANTED: &str = "must be an object of at most 50 texts, with names of up to 40 and texts of up to 500 characters";
    let members = value.as_object().filter(|members| members.len() <= 50).ok_or(WANTED)?;
    let pair = |(name, value): (&String, &Value)| {
        let text = value.as_str()?;
        let fits = (1..=40).contains(&name.chars().count()) && text.chars().count() <= 500;
        // PostgreSQL keeps no NUL in a text.
        let whole = !name.contains('\0') && !text.contains('\0');
        (fits && whole).then(|| (name.clone(), text.to_owned()))
    };
    members.iter().map(pair).collect::<Option<_>>().ok_or(WANTED)
}
