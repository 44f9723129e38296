//! `/v1/accounts` and `/v1/transactions`.

use axum::{
    Json,
    extract::{Path, State},
    http::Uri,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    service::{self, Id},
    wire::{AccountBody, DetailsBody, TransactionBody},
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        pagination::{Page, PageRequest},
    },
    db, ledger,
    money::Currency,
    oauth::{access::May, scopes::right},
    payouts::Payouts,
    web::{
        query::Query,
        routes::{Routes, routes},
    },
};

/// All routes.
pub(crate) fn routes() -> Routes<Payouts> {
    routes![list, one, details, of_account, of_all]
}

/// Every account.
#[derive(Debug, Serialize, ToSchema)]
struct Accounts {
    /// One for each currency that was ever used.
    data: Vec<AccountBody>,
}

/// List your accounts
#[utoipa::path(
    get, path = "/v1/accounts", tag = "Accounts", security(("oauth" = ["balances:read"])),
    responses((status = 200, body = Accounts, description = "Every account, by currency"))
)]
async fn list(
    State(room): State<Payouts>,
    caller: May<right::BalancesRead>,
) -> Result<Json<Accounts>> {
    let merchant = caller.merchant;
    let balances = db::read!(room.ctx.db, |tx| ledger::balances(tx, merchant).await)?;
    let data = balances.iter().map(|balance| AccountBody::of(merchant, balance));
    Ok(Json(Accounts { data: data.collect::<Result<_>>()? }))
}

/// See one account
#[utoipa::path(
    get, path = "/v1/accounts/{currency}", tag = "Accounts", security(("oauth" = ["balances:read"])),
    params(("currency" = String, Path, description = "An ISO 4217 code, or BTC, USDC, USDT")),
    responses(
        (status = 200, body = AccountBody, description = "The account"),
        (status = 400, description = "`invalid_parameter`: not a currency"),
        (status = 404, description = "`not_found`: never used"),
    )
)]
async fn one(
    State(room): State<Payouts>,
    caller: May<right::BalancesRead>,
    Path(currency): Path<String>,
) -> Result<Json<AccountBody>> {
    let (merchant, currency) = (caller.merchant, read_currency(&currency)?);
    let balance = db::read!(room.ctx.db, |tx| ledger::balance(tx, merchant, currency).await)?;
    let balance = balance.ok_or_else(|| {
        let why = format!("there was never any {currency} here; pay some in first");
        Failure::because(Code::NotFound, why)
    })?;
    AccountBody::of(merchant, &balance).map(Json)
}

/// See where to pay money in
///
/// A sandbox has play coordinates with right check digits, always the same for you and a currency.
#[utoipa::path(
    get, path = "/v1/accounts/{currency}/details", tag = "Accounts",
    security(("oauth" = ["balances:read"])),
    params(("currency" = String, Path, description = "An ISO 4217 code, or BTC, USDC, USDT")),
    responses(
        (status = 200, body = DetailsBody, description = "The coordinates"),
        (status = 400, description = "`invalid_parameter`: not a currency"),
        (status = 404, description = "`not_found`: this installation takes no money in this currency"),
    )
)]
async fn details(
    State(room): State<Payouts>,
    caller: May<right::BalancesRead>,
    Path(currency): Path<String>,
) -> Result<Json<DetailsBody>> {
    let currency = read_currency(&currency)?;
    Ok(Json(service::details(&room, caller.merchant, currency).await?.into()))
}

/// List what moved one account
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/accounts/{currency}/transactions", tag = "Accounts",
    security(("oauth" = ["balances:read"])),
    params(
        ("currency" = String, Path, description = "An ISO 4217 code, or BTC, USDC, USDT"),
        ("limit" = Option<u16>, Query, description = "1 to 100, 20 without it"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of an earlier page"),
    ),
    responses(
        (status = 200, body = Page<TransactionBody>, description = "A page"),
        (status = 400, description = "`invalid_parameter`"),
    )
)]
async fn of_account(
    State(room): State<Payouts>,
    caller: May<right::BalancesRead>,
    Path(currency): Path<String>,
    uri: Uri,
) -> Result<Json<Page<TransactionBody>>> {
    let currency = read_currency(&currency)?;
    let page = page(&Query::read(&uri, &["limit", "cursor"])?)?;
    let found = service::transactions(&room, caller.merchant, Some(currency), &page).await?;
    Ok(Json(found.map(TransactionBody::from)))
}

/// List what moved your money
///
/// All currencies, the newest first. Only `limit` and `cursor` are looked at; anything else is ignored.
#[utoipa::path(
    get, path = "/v1/transactions", tag = "Accounts", security(("oauth" = ["balances:read"])),
    params(
        ("limit" = Option<u16>, Query, description = "1 to 100, 20 without it"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of an earlier page"),
    ),
    responses(
        (status = 200, body = Page<TransactionBody>, description = "A page"),
        (status = 400, description = "`invalid_parameter`"),
    )
)]
async fn of_all(
    State(room): State<Payouts>,
    caller: May<right::BalancesRead>,
    uri: Uri,
) -> Result<Json<Page<TransactionBody>>> {
    let page = page(&Query::only(&uri, &["limit", "cursor"])?)?;
    let found = service::transactions(&room, caller.merchant, None, &page).await?;
    Ok(Json(found.map(TransactionBody::from)))
}

fn page(query: &Query) -> Result<PageRequest> {
    query.page().check_by(|id| id.parse::<Id>().is_ok())
}

fn read_currency(code: &str) -> Result<Currency> {
    let unknown = |_| Failure::because(Code::InvalidParameter, "this is not a currency we know");
    code.parse().map_err(unknown)
}
