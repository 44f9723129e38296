//! `/v1/pricing/quote` and `/v1/pricing/quotes`.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Explanation, NewQuote, Offer, Quote, QuoteState, RawQuote, SignedQuote, Verdict, service,
};
use crate::{
    base::{failure::Result, pagination::Page, timestamp::Timestamp},
    money::Country,
    oauth::{access::May, scopes::right},
    pricing::{Method, Pricing, QuoteId, engine::Step, fx::UsedRate, plans::RULES},
    web::{
        idempotency::{Answer, OptionalKey, Request},
        json::JsonBody,
        query::{PathId, Query},
        routes::{Routes, routes},
    },
};

/// All routes of quotes.
pub(crate) fn routes() -> Routes<Pricing> {
    routes![create, list, get, explain]
}

/// A payment to be priced.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct QuoteBody {
    /// What you pay from.
    #[schema(pattern = "^[A-Z]{3,5}$", example = "USD")]
    source_currency: String,
    /// What the beneficiary gets.
    #[schema(pattern = "^[A-Z]{3,5}$", example = "EUR")]
    dest_currency: String,
    /// In the source currency, before fees.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$", example = "1000.00")]
    amount: String,
    /// Where the beneficiary is.
    #[schema(pattern = "^[A-Z]{2}$", example = "DE")]
    dest_country: Option<String>,
    /// How it is delivered: `bank_transfer`, `wire`, `sepa`, `swift`, `ach`, `faster_payment`,
    /// `mobile_money`, `wallet`, `crypto`, `layer2`, `exchange` or `stablecoin`.
    #[schema(example = "sepa")]
    method: Option<String>,
}

/// A promised fee.
#[derive(Debug, Serialize, ToSchema)]
struct QuoteAnswer {
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    fee: String,
    #[schema(pattern = "^[A-Z]{3,5}$")]
    fee_currency: &'static str,
    /// `fixed`, `percentage`, `hybrid` or `tiered`.
    fee_type: &'static str,
    #[schema(pattern = "^prc_[a-zA-Z0-9]+$")]
    plan_id: String,
    /// To be named by the one payout that uses it.
    #[schema(pattern = "^pq_[a-zA-Z0-9]+$")]
    quote_id: String,
    /// The first moment at which it holds no longer.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// A detached JWS (RFC 7515, appendix F) over `offer` as JSON without white space, its members in
    /// this order; `/.well-known/jwks.json` has the key.
    quote_signature: String,
    /// What was offered.
    #[schema(value_type = BTreeMap<String, String>)]
    offer: Arc<Offer>,
}

impl QuoteAnswer {
    fn of(signed: &SignedQuote) -> Self {
        let SignedQuote { quote, offer, signature } = signed;
        let fee = quote.outcome.fee.amount;
        Self {
            fee: fee.render(),
            fee_currency: fee.currency().code(),
            fee_type: quote.facts.version.terms.fee.as_str(),
            plan_id: quote.facts.plan.to_string(),
            quote_id: quote.id.to_string(),
            expires_at: quote.expires_at,
            quote_signature: signature.clone(),
            offer: offer.clone(),
        }
    }
}

/// A quote as it stands now.
#[derive(Debug, Serialize, ToSchema)]
struct QuoteView {
    #[serde(flatten)]
    answer: QuoteAnswer,
    /// `open`, `consumed` or `expired`.
    state: &'static str,
    source_currency: &'static str,
    dest_currency: &'static str,
    amount: String,
    /// What the beneficiary gets.
    dest_amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_country: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    /// From the source to the destination currency, locked with the fee.
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange_rate: Option<String>,
    plan_version: u32,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    consumed_at: Option<Timestamp>,
    /// The payout that used it.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_by: Option<String>,
}

impl QuoteView {
    fn of(signed: &SignedQuote, now: Timestamp) -> Self {
        let quote = &signed.quote;
        let payment = quote.facts.payment;
        let (consumed_at, consumed_by) = match &quote.state {
            QuoteState::Open => (None, None),
            QuoteState::Consumed { at, by } => (Some(*at), Some(by.clone())),
        };
        Self {
            answer: QuoteAnswer::of(signed),
            state: quote.standing(now).as_str(),
            source_currency: payment.amount.currency().code(),
            dest_currency: payment.dest_currency.code(),
            amount: payment.amount.render(),
            dest_amount: quote.outcome.dest_amount.render(),
            dest_country: payment.dest_country.map(Country::code),
            method: payment.method.map(Method::as_str),
            exchange_rate: quote.facts.exchange_rate.as_ref().map(|used| used.rate.to_string()),
            plan_version: quote.facts.version.number,
            created_at: quote.created_at,
            consumed_at,
            consumed_by,
        }
    }
}

/// Ask for a quote
///
/// Locks the fee of one payment until `expires_at`. A payout that names the quote pays this fee; it
/// can be used once. With an `Idempotency-Key`, asking twice gives one quote.
#[utoipa::path(
    post, path = "/v1/pricing/quote", tag = "Pricing", security(("oauth" = ["pricing:quote"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters")),
    request_body = QuoteBody,
    responses(
        (status = 201, body = QuoteAnswer, description = "The quote"),
        (status = 422, description = "`validation_error`, `corridor_not_enabled`, `rate_unavailable`"),
    )
)]
async fn create(
    State(room): State<Pricing>,
    caller: May<right::PricingQuote>,
    OptionalKey(key): OptionalKey,
    body: JsonBody,
) -> Result<Response> {
    let new = read(&body)?;
    let target = "/v1/pricing/quote";
    let request =
        key.map(|key| Request::new(caller.merchant, "pricing.quote", key, target, &body.0));
    // Nor does this wait with the quote for its commit; see `Intake::store`.
    drop(body);
    let answer = |signed: &SignedQuote| Answer::json(201, &QuoteAnswer::of(signed));
    let answer = service::create(&room, caller.merchant, &new, request.as_ref(), answer).await?;
    Ok(answer.into_response())
}

fn read(body: &JsonBody) -> Result<NewQuote> {
    let mut fields = body.fields()?;
    let verdict = NewQuote::check(&RawQuote {
        source_currency: fields.raw_text("source_currency"),
        dest_currency: fields.raw_text("dest_currency"),
        amount: fields.raw_text("amount"),
        dest_country: fields.raw_text("dest_country"),
        method: fields.raw_text("method"),
    });
    fields.judge(verdict)
}

/// List quotes
///
/// Your quotes, the newest first.
#[utoipa::path(
    get, path = "/v1/pricing/quotes", tag = "Pricing", security(("oauth" = ["pricing:read"])),
    params(
        ("limit" = Option<u16>, Query, description = "1 to 100; 20 unless said"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses((status = 200, body = Page<QuoteView>, description = "One page"))
)]
async fn list(
    State(room): State<Pricing>,
    caller: May<right::PricingRead>,
    uri: Uri,
) -> Result<Json<Page<QuoteView>>> {
    let page = Query::read(&uri, &["limit", "cursor"])?.page().check(QuoteId::PREFIX)?;
    let quotes = service::list(&room.ctx, caller.merchant, &page).await?;
    let now = room.ctx.now();
    Ok(Json(quotes.map(|signed| QuoteView::of(&signed, now))))
}

/// See a quote
///
/// With its state by the server's clock.
#[utoipa::path(
    get, path = "/v1/pricing/quotes/{id}", tag = "Pricing", security(("oauth" = ["pricing:read"])),
    params(("id" = String, Path, description = "The quote")),
    responses(
        (status = 200, body = QuoteView, description = "The quote"),
        (status = 404, description = "`not_found`: absent, or another merchant's"),
    )
)]
async fn get(
    State(room): State<Pricing>,
    caller: May<right::PricingRead>,
    PathId(id): PathId<QuoteId>,
) -> Result<Json<QuoteView>> {
    let signed = service::get(&room.ctx, caller.merchant, id).await?;
    Ok(Json(QuoteView::of(&signed, room.ctx.now())))
}

/// Why a quote says what it says.
#[derive(Debug, Serialize, ToSchema)]
struct ExplainAnswer {
    quote: QuoteView,
    /// The arithmetic of the fee: exact until the last step.
    #[schema(value_type = Vec<StepAnswer>)]
    steps: Vec<Step>,
    /// The tiers that took part, counted from 1.
    tiers: Vec<usize>,
    /// What had been sent this month, when the tiers count that; in the source currency.
    month_volume: String,
    /// Each rate that was used.
    rates: Vec<RateAnswer>,
    /// Every plan that was looked at, in no order that matters.
    considered: Vec<ConsideredAnswer>,
    /// Of two plans that cover a payment, the first of these rules in which they differ decides.
    precedence: Vec<&'static str>,
}

/// One step of the arithmetic.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document")]
struct StepAnswer {
    /// What was done.
    step: String,
    /// With which numbers.
    detail: String,
    /// What came out.
    result: String,
}

/// A rate as it was used.
#[derive(Debug, Serialize, ToSchema)]
struct RateAnswer {
    /// `amount` or `terms` into the fee's currency, or `exchange` for the beneficiary.
    used_for: &'static str,
    from: &'static str,
    to: &'static str,
    rate: String,
    mid_market_rate: String,
    fx_markup_bps: u32,
    source: String,
    #[schema(value_type = String, format = DateTime)]
    rate_timestamp: Timestamp,
}

/// One plan that was looked at.
#[derive(Debug, Serialize, ToSchema)]
struct ConsideredAnswer {
    plan_id: String,
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    won: bool,
    /// Why it lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl ExplainAnswer {
    fn of(explanation: Explanation, now: Timestamp) -> Self {
        let Explanation { signed, steps, considered } = explanation;
        let Quote { facts, outcome, .. } = &signed.quote;
        let rates = [
            ("amount", &facts.amount_rate),
            ("terms", &facts.terms_rate),
            ("exchange", &facts.exchange_rate),
        ];
        let rates = rates.into_iter().filter_map(|(used_for, used)| {
            used.as_ref().map(|used| RateAnswer::of(used_for, used))
        });
        Self {
            steps,
            tiers: outcome.fee.tiers.clone(),
            month_volume: facts.month_volume.render(),
            rates: rates.collect(),
            considered: considered.into_iter().map(ConsideredAnswer::of).collect(),
            precedence: RULES.iter().map(|(rule, _)| *rule).collect(),
            quote: QuoteView::of(&signed, now),
        }
    }
}

impl RateAnswer {
    fn of(used_for: &'static str, used: &UsedRate) -> Self {
        Self {
            used_for,
            from: used.from.code(),
            to: used.to.code(),
            rate: used.rate.to_string(),
            mid_market_rate: used.mid.to_string(),
            fx_markup_bps: used.markup_bps,
            source: used.source.clone(),
            rate_timestamp: used.as_of,
        }
    }
}

impl ConsideredAnswer {
    fn of(verdict: Verdict) -> Self {
        Self {
            plan_id: verdict.plan.to_string(),
            key: verdict.key,
            version: verdict.version,
            won: verdict.lost.is_none(),
            reason: verdict.lost,
        }
    }
}

/// Explain a quote
///
/// Each step of the arithmetic, the rates with source and time, and why each other plan lost.
#[utoipa::path(
    get, path = "/v1/pricing/quotes/{id}/explain", tag = "Pricing",
    security(("oauth" = ["pricing:read"])),
    params(("id" = String, Path, description = "The quote")),
    responses(
        (status = 200, body = ExplainAnswer, description = "The explanation"),
        (status = 404, description = "`not_found`: absent, or another merchant's"),
    )
)]
async fn explain(
    State(room): State<Pricing>,
    caller: May<right::PricingRead>,
    PathId(id): PathId<QuoteId>,
) -> Result<Json<ExplainAnswer>> {
    let explanation = service::explain(&room, caller.merchant, id).await?;
    Ok(Json(ExplainAnswer::of(explanation, room.ctx.now())))
}
