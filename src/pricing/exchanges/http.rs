//! `POST /v1/fx/exchange` and `GET /v1/fx/exchanges`.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{FxExchange, service};
use crate::{
    base::{failure::Result, ids::MerchantId, pagination::Page, timestamp::Timestamp},
    oauth::{access::May, scopes::right},
    pricing::{FxExchangeId, FxQuoteId, Pricing},
    web::{
        address::Host,
        idempotency::{Answer, Request, RequiredKey},
        json::{JsonBody, text},
        query::Query,
        rate_limit::Quota,
        routes::{Routes, routes},
    },
};

/// As published, an address may exchange a third as often as it may ask for rates.
const SHARE_OF_RATES: u32 = 3;

/// Both routes.
pub(crate) fn routes() -> Routes<Pricing> {
    routes![exchange, list]
}

/// Which quote to use.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct ExchangeBody {
    /// An open FX quote of yours.
    #[schema(pattern = "^fxq_[a-zA-Z0-9]+$")]
    quote_id: String,
}

/// An exchange that was made.
#[derive(Debug, Serialize, ToSchema)]
struct ExchangeAnswer {
    #[schema(pattern = "^fxx_[a-zA-Z0-9]+$")]
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
    customer_rate: String,
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    mid_market_rate: String,
    /// Where the reference rate comes from.
    provider: String,
    #[schema(pattern = "^fxq_[a-zA-Z0-9]+$")]
    quote_id: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl ExchangeAnswer {
    fn of(merchant: MerchantId, exchange: &FxExchange) -> Self {
        let numbers = &exchange.numbers;
        Self {
            id: exchange.id.to_string(),
            merchant_id: merchant.to_string(),
            sell_currency: numbers.rate.from.code(),
            buy_currency: numbers.rate.to.code(),
            sell_amount: numbers.sell.render(),
            buy_amount: numbers.buy.render(),
            customer_rate: numbers.rate.rate.to_string(),
            mid_market_rate: numbers.rate.mid.to_string(),
            provider: numbers.rate.source.clone(),
            quote_id: exchange.quote_id.to_string(),
            created_at: exchange.at,
        }
    }
}

/// Exchange money
///
/// Moves money between your own balances, at the rate of a quote.
#[utoipa::path(
    post, path = "/v1/fx/exchange", tag = "FX", security(("oauth" = ["fx:exchange"])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters, new for each exchange")),
    request_body = ExchangeBody,
    responses(
        (status = 201, body = ExchangeAnswer, description = "The exchange"),
        (status = 400, description = "`missing_idempotency_key`"),
        (status = 404, description = "`not_found`: no such quote of yours"),
        (status = 409, description = "`idempotency_conflict`"),
        (status = 410, description = "`quote_expired`"),
        (status = 422, description = "`insufficient_balance`, `quote_already_used`, `quote_mismatch`, `validation_error`"),
        (status = 429, description = "`rate_limited`"),
    )
)]
async fn exchange(
    State(room): State<Pricing>,
    caller: May<right::FxExchange>,
    RequiredKey(key): RequiredKey,
    body: JsonBody,
) -> Result<Response> {
    let calls = room.fx_per_minute.div_ceil(SHARE_OF_RATES);
    let quota = Quota { name: "fx_exchange", calls, window: Duration::from_mins(1) };
    room.limiter.check(quota, &Host::from(caller.address).to_string()).await?;
    let mut fields = body.fields()?;
    let quote_id = fields.required("quote_id", text(str::parse::<FxQuoteId>));
    let quote_id = fields.finish(|| quote_id)?;
    let merchant = caller.merchant;
    let request = Request::new(merchant, "fx.exchange", key, "/v1/fx/exchange", &body.0);
    let answer = |made: &FxExchange| Answer::json(201, &ExchangeAnswer::of(merchant, made));
    let answer = service::exchange(&room, merchant, quote_id, &request, answer).await?;
    Ok(answer.into_response())
}

/// List your exchanges
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/fx/exchanges", tag = "FX", security(("oauth" = ["pricing:read"])),
    params(
        ("limit" = Option<u16>, Query, description = "1 to 100, 20 without it"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of an earlier page"),
    ),
    responses(
        (status = 200, body = Page<ExchangeAnswer>, description = "A page"),
        (status = 400, description = "`invalid_parameter`"),
    )
)]
async fn list(
    State(room): State<Pricing>,
    caller: May<right::PricingRead>,
    uri: Uri,
) -> Result<Json<Page<ExchangeAnswer>>> {
    let page = Query::read(&uri, &["limit", "cursor"])?.page().check(FxExchangeId::PREFIX)?;
    let found = service::list(&room.ctx, caller.merchant, &page).await?;
    Ok(Json(found.map(|exchange| ExchangeAnswer::of(caller.merchant, &exchange))))
}
