//! `GET /v1/fx/rate` and `POST /v1/fx/quote`.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, Uri},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Exchange, FxQuote, NewFxQuote, RawFxQuote, service};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        timestamp::Timestamp,
    },
    money::Amount,
    oauth::{
        access::{Caller, May},
        scopes::right,
    },
    pricing::{FxQuoteId, Pricing},
    web::{
        address::Host,
        json::{Fields, JsonBody},
        query::Query,
        rate_limit::Quota,
        routes::{Routes, routes},
    },
};

/// Both routes.
pub(crate) fn routes() -> Routes<Pricing> {
    routes![rate, quote]
}

/// The rate of the moment.
#[derive(Debug, Serialize, ToSchema)]
struct RateAnswer {
    #[schema(pattern = "^[A-Z]{3,5}$")]
    sell_currency: &'static str,
    #[schema(pattern = "^[A-Z]{3,5}$")]
    buy_currency: &'static str,
    /// The reference rate: how much of the bought currency one unit of the sold one is.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    mid_market_rate: String,
    /// The reference rate less the margin.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    customer_rate: String,
    /// The margin in hundredths of a per cent.
    fx_markup_bps: u32,
    /// As asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    sell_amount: Option<String>,
    /// What it would buy.
    #[serde(skip_serializing_if = "Option::is_none")]
    buy_amount: Option<String>,
    /// The moment that the reference rate speaks of.
    #[schema(value_type = String, format = DateTime)]
    rate_timestamp: Timestamp,
}

/// See an exchange rate
///
/// What the rate is now; nothing is promised.
#[utoipa::path(
    get, path = "/v1/fx/rate", tag = "FX", security(("oauth" = ["pricing:read"])),
    params(
        ("sell_currency" = String, Query, description = "What you give"),
        ("buy_currency" = String, Query, description = "What you get"),
        ("sell_amount" = Option<String>, Query, description = "How much you would give"),
    ),
    responses(
        (status = 200, body = RateAnswer, description = "The rate"),
        (status = 400, description = "`invalid_parameter`"),
        (status = 422, description = "`rate_unavailable`"),
        (status = 429, description = "`rate_limited`"),
    )
)]
async fn rate(
    State(room): State<Pricing>,
    caller: May<right::PricingRead>,
    uri: Uri,
) -> Result<Json<RateAnswer>> {
    count(&room, "fx_rate", &caller).await?;
    let query = Query::read(&uri, &["sell_currency", "buy_currency", "sell_amount"])?;
    let raw = RawFxQuote {
        sell_currency: query.get("sell_currency"),
        buy_currency: query.get("buy_currency"),
        sell_amount: query.get("sell_amount"),
        buy_amount: None,
    };
    let new = NewFxQuote::check_look(&raw).map_err(|failure| in_query(&failure))?;
    let rates = room.rates.table(&room.ctx).await?;
    let used = rates.customer(new.sell, new.buy, room.ctx.now())?;
    let price = |fixed| Exchange::price(fixed, used.clone(), rates.policy.precision);
    let exchange = new.fixed.map(price).transpose().map_err(|failure| in_query(&failure))?;
    Ok(Json(RateAnswer {
        sell_currency: new.sell.code(),
        buy_currency: new.buy.code(),
        mid_market_rate: used.mid.to_string(),
        customer_rate: used.rate.to_string(),
        fx_markup_bps: used.markup_bps,
        sell_amount: exchange.as_ref().map(|exchange| exchange.sell.render()),
        buy_amount: exchange.as_ref().map(|exchange| exchange.buy.render()),
        rate_timestamp: used.as_of,
    }))
}

/// The published answer to a bad query parameter is 400, where a bad body is 422.
fn in_query(failure: &Failure) -> Failure {
    let refused = Failure::new(Code::InvalidParameter);
    failure
        .fields()
        .iter()
        .fold(refused, |refused, fault| refused.field(fault.field.clone(), fault.message.clone()))
}

/// The published allowance of these two routes, by address.
async fn count(room: &Pricing, name: &'static str, caller: &Caller) -> Result<()> {
    let quota = Quota { name, calls: room.fx_per_minute, window: Duration::from_mins(1) };
    room.limiter.check(quota, &Host::from(caller.address).to_string()).await.map(|_| ())
}

/// An exchange to be promised.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct FxQuoteBody {
    #[schema(pattern = "^[A-Z]{3,5}$", example = "USD")]
    sell_currency: String,
    #[schema(pattern = "^[A-Z]{3,5}$", example = "EUR")]
    buy_currency: String,
    /// Either this or `buy_amount`.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$", example = "1000.00")]
    sell_amount: Option<String>,
    /// Either this or `sell_amount`.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    buy_amount: Option<String>,
    /// Whether the rate is to hold until the quote expires, whatever the market does.
    locked: Option<bool>,
}

/// A promised exchange.
#[derive(Debug, Serialize, ToSchema)]
struct FxQuoteAnswer {
    #[schema(pattern = "^fxq_[a-zA-Z0-9]+$")]
    id: String,
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    merchant_id: String,
    sell_currency: &'static str,
    buy_currency: &'static str,
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    sell_amount: String,
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    buy_amount: String,
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    mid_market_rate: String,
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    customer_rate: String,
    /// The customer's rate the other way.
    #[serde(skip_serializing_if = "Option::is_none")]
    inverse_rate: Option<String>,
    fx_markup_bps: u32,
    /// What the margin comes to.
    fx_fee: String,
    fx_fee_currency: &'static str,
    /// Where the reference rate comes from.
    provider: String,
    /// One that is not locked can be used only while the rate stands.
    locked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    lock_expires_at: Option<Timestamp>,
    /// The first moment at which it holds no longer.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl FxQuoteAnswer {
    fn of(quote: &FxQuote) -> Self {
        let Exchange { sell, buy, rate, fee, inverse } = &quote.exchange;
        let written = |amount: &Amount| amount.render();
        Self {
            id: quote.id.to_string(),
            merchant_id: quote.merchant.to_string(),
            sell_currency: rate.from.code(),
            buy_currency: rate.to.code(),
            sell_amount: written(sell),
            buy_amount: written(buy),
            mid_market_rate: rate.mid.to_string(),
            customer_rate: rate.rate.to_string(),
            inverse_rate: inverse.map(|inverse| inverse.to_string()),
            fx_markup_bps: rate.markup_bps,
            fx_fee: written(fee),
            fx_fee_currency: fee.currency().code(),
            provider: rate.source.clone(),
            locked: quote.locked,
            // A quote has one lock at most, so the lock has the quote's name.
            lock_id: quote.locked.then(|| quote.id.to_string()),
            lock_expires_at: quote.locked.then_some(quote.expires_at),
            expires_at: quote.expires_at,
            created_at: quote.created_at,
        }
    }
}

/// Ask for an FX quote
///
/// Promises an exchange between your own balances for a short while.
#[utoipa::path(
    post, path = "/v1/fx/quote", tag = "FX", security(("oauth" = ["pricing:quote"])),
    request_body = FxQuoteBody,
    responses(
        (status = 201, body = FxQuoteAnswer, description = "The quote"),
        (status = 422, description = "`validation_error`, `rate_unavailable`"),
        (status = 429, description = "`rate_limited`"),
    )
)]
async fn quote(
    State(room): State<Pricing>,
    caller: May<right::PricingQuote>,
    body: JsonBody,
) -> Result<(StatusCode, Json<FxQuoteAnswer>)> {
    count(&room, "fx_quote", &caller).await?;
    let (new, locked) = read(body.fields()?)?;
    let ctx = &room.ctx;
    let rates = room.rates.table(ctx).await?;
    let whose = (FxQuoteId::make(&ctx.clock, &ctx.random), caller.merchant);
    let when = (ctx.now(), room.fx_quote_life);
    let quote = FxQuote::issue(whose, &new, locked, &rates, when)?;
    service::save(ctx, &quote).await?;
    Ok((StatusCode::CREATED, Json(FxQuoteAnswer::of(&quote))))
}

fn read(mut fields: Fields<'_>) -> Result<(NewFxQuote, bool)> {
    let locked = fields.optional("locked", |value| value.as_bool().ok_or("must be true or false"));
    let verdict = NewFxQuote::check(&RawFxQuote {
        sell_currency: fields.raw_text("sell_currency"),
        buy_currency: fields.raw_text("buy_currency"),
        sell_amount: fields.raw_text("sell_amount"),
        buy_amount: fields.raw_text("buy_amount"),
    });
    let locked = locked.flatten().unwrap_or(false);
    fields.judge(verdict.map(|new| (new, locked)))
}
