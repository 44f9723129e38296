//! `GET /v1/pricing`: the plans that price the caller's payments.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{FeeRule, Plan, PlanVersion, Tier};
use crate::{
    base::{failure::Result, timestamp::Timestamp},
    money::{Amount, Country, Currency},
    oauth::{access::May, scopes::right},
    pricing::{Method, Pricing},
    web::routes::{Routes, routes},
};

/// The one route.
pub(crate) fn routes() -> Routes<Pricing> {
    routes![list]
}

/// All plans that the caller may see.
#[derive(Debug, Serialize, ToSchema)]
struct PlansAnswer {
    data: Vec<PlanAnswer>,
}

/// A fee plan, as it is in force.
#[derive(Debug, Serialize, ToSchema)]
struct PlanAnswer {
    /// The plan, over all its versions.
    #[schema(pattern = "^prc_[a-zA-Z0-9]+$")]
    id: String,
    /// As shown to people.
    name: String,
    /// Whether it prices; a retired plan does not.
    active: bool,
    /// Of two plans that cover a payment, the higher priority goes first.
    priority: i32,
    /// Which version is in force.
    version: u32,
    /// `fixed`, `percentage`, `hybrid` or `tiered`.
    fee_type: &'static str,
    /// What is absent is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_country: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_fee: Option<String>,
    /// The currency of every amount of the fee.
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_currency: Option<&'static str>,
    /// Per cent: `"0.45"` is forty-five basis points.
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage_fee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_fee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_fee: Option<String>,
    /// `slice` or `whole`.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier_mode: Option<&'static str>,
    /// `amount` or `monthly_volume`.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier_on: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tiers: Option<Vec<TierAnswer>>,
    /// What the fee is charged in: `source`, `dest` or a code.
    fee_currency: String,
    /// What becomes of the fraction of a minor unit.
    rounding: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Since when this version is in force.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// One tier: from its lower bound on, and below the upper one.
#[derive(Debug, Serialize, ToSchema)]
struct TierAnswer {
    min_volume: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_volume: Option<String>,
    fixed_fee: String,
    percentage_fee: String,
}

impl PlanAnswer {
    fn of(plan: &Plan, version: &PlanVersion) -> Self {
        let PlanVersion { covers, terms, .. } = version;
        let (fixed, percent, tiers) = match &terms.fee {
            FeeRule::Fixed(fixed) => (Some(*fixed), None, None),
            FeeRule::Percentage(percent) => (None, Some(*percent), None),
            FeeRule::Hybrid(fixed, percent) => (Some(*fixed), Some(*percent), None),
            FeeRule::Tiered(tiers) => (None, None, Some(tiers)),
        };
        let written = |amount: Option<Amount>| amount.map(Amount::render);
        Self {
            id: plan.id.to_string(),
            name: version.name.clone(),
            active: version.active,
            priority: version.priority,
            version: version.number,
            fee_type: terms.fee.as_str(),
            source_currency: covers.source_currency.map(Currency::code),
            dest_currency: covers.dest_currency.map(Currency::code),
            dest_country: covers.dest_country.map(Country::code),
            method: covers.method.map(Method::as_str),
            min_amount: written(covers.min_amount),
            max_amount: written(covers.max_amount),
            fixed_fee: written(fixed),
            fixed_currency: terms.currency.map(Currency::code),
            percentage_fee: percent.map(|percent| percent.to_string()),
            min_fee: written(terms.min_fee),
            max_fee: written(terms.max_fee),
            tier_mode: tiers.map(|tiers| tiers.mode.as_str()),
            tier_on: tiers.map(|tiers| tiers.on.as_str()),
            tiers: tiers.map(|tiers| tiers.tiers.iter().map(TierAnswer::of).collect()),
            fee_currency: terms.fee_currency.as_str().to_owned(),
            rounding: terms.rounding.as_str(),
            created_at: plan.created_at,
            updated_at: version.effective_from,
        }
    }
}

impl TierAnswer {
    fn of(tier: &Tier) -> Self {
        Self {
            min_volume: tier.min_volume.render(),
            max_volume: tier.max_volume.map(Amount::render),
            fixed_fee: tier.fixed_fee.render(),
            percentage_fee: tier.percentage_fee.to_string(),
        }
    }
}

/// List fee plans
///
/// Your own plans, then everybody's, each in the version that is in force. Not paged: they are few.
#[utoipa::path(
    get, path = "/v1/pricing", tag = "Pricing", security(("oauth" = ["pricing:read"])),
    responses((status = 200, body = PlansAnswer, description = "The plans"))
)]
async fn list(
    State(room): State<Pricing>,
    caller: May<right::PricingRead>,
) -> Result<Json<PlansAnswer>> {
    let book = room.plans.book(&room.ctx).await?;
    let now = room.ctx.now();
    let in_force = book.visible_to(caller.merchant).filter_map(|plan| {
        let version = plan.version_at(now)?;
        Some(PlanAnswer::of(plan, version))
    });
    Ok(Json(PlansAnswer { data: in_force.collect() }))
}
