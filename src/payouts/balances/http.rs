//! `GET /v1/balances` and `GET /v1/balances/{currency}`.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db,
    ledger::{self, Balance},
    money::Currency,
    oauth::{access::May, scopes::right},
    web::routes::{Routes, routes},
};

/// Both routes.
pub(crate) fn routes() -> Routes<Ctx> {
    routes![list, one]
}

/// A merchant's money in one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Balance)]
struct BalanceBody {
    /// Its id.
    #[schema(pattern = "^bal_[a-zA-Z0-9]+$")]
    id: String,
    /// Whose it is.
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    merchant_id: String,
    /// In what.
    #[schema(pattern = "^[A-Z]{3,5}$")]
    currency: String,
    /// What can be used.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    available: String,
    /// What is set aside for payouts in flight.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    pending: String,
    /// Both together.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    total: String,
    /// When either changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl BalanceBody {
    fn of(merchant: MerchantId, balance: &Balance) -> Result<Self> {
        Ok(Self {
            id: balance.id.to_string(),
            merchant_id: merchant.to_string(),
            currency: balance.currency().code().to_owned(),
            available: balance.available.render(),
            pending: balance.pending.render(),
            total: balance.total().map_err(Failure::internal)?.render(),
            updated_at: balance.updated_at,
        })
    }
}

/// Every balance.
#[derive(Debug, Serialize, ToSchema)]
struct Balances {
    /// One for each currency that was ever used.
    data: Vec<BalanceBody>,
}

/// See what you have
#[utoipa::path(
    get, path = "/v1/balances", tag = "Balances", security(("oauth" = ["balances:read"])),
    responses((status = 200, body = Balances, description = "Every balance, by currency"))
)]
async fn list(State(ctx): State<Ctx>, caller: May<right::BalancesRead>) -> Result<Json<Balances>> {
    let balances = db::read!(ctx.db, |tx| ledger::balances(tx, caller.merchant).await)?;
    let data = balances.iter().map(|balance| BalanceBody::of(caller.merchant, balance));
    Ok(Json(Balances { data: data.collect::<Result<_>>()? }))
}

/// See what you have in one currency
#[utoipa::path(
    get, path = "/v1/balances/{currency}", tag = "Balances",
    security(("oauth" = ["balances:read"])),
    params(("currency" = String, Path, description = "An ISO 4217 code, or BTC, USDC, USDT")),
    responses(
        (status = 200, body = BalanceBody, description = "The balance"),
        (status = 400, description = "`invalid_parameter`: not a currency"),
        (status = 404, description = "`not_found`: never used"),
    )
)]
async fn one(
    State(ctx): State<Ctx>,
    caller: May<right::BalancesRead>,
    Path(currency): Path<String>,
) -> Result<Json<BalanceBody>> {
    let unknown = |_| Failure::because(Code::InvalidParameter, "this is not a currency we know");
    let currency: Currency = currency.parse().map_err(unknown)?;
    let balance = db::read!(ctx.db, |tx| ledger::balance(tx, caller.merchant, currency).await)?;
    let balance = balance.ok_or_else(|| Failure::new(Code::NotFound))?;
    BalanceBody::of(caller.merchant, &balance).map(Json)
}
