//! `GET /v1/currencies`, `/v1/countries`, `/v1/payment-methods` and `/v1/corridors`.

use axum::{Json, extract::State, http::Uri};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Corridor, CountryFacts, InstrumentMethod, METHODS, corridors, countries};
use crate::{
    base::failure::{Code, Failure, Result},
    money::{Amount, Country, Currency, CurrencyKind},
    oauth::{access::May, scopes::right},
    pricing::{Method, Pricing},
    web::{
        query::Query,
        routes::{Routes, routes},
    },
};

/// All routes of reference data.
pub(crate) fn routes() -> Routes<Pricing> {
    routes![list_currencies, list_countries, list_payment_methods, list_corridors]
}

/// Every currency.
#[derive(Debug, Serialize, ToSchema)]
struct CurrenciesAnswer {
    data: Vec<CurrencyAnswer>,
}

/// A currency in which amounts can be counted.
#[derive(Debug, Serialize, ToSchema)]
struct CurrencyAnswer {
    #[schema(pattern = "^[A-Z]{3,5}$")]
    code: &'static str,
    name: String,
    /// The three digits of ISO 4217; coins have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    numeric: Option<String>,
    /// How many decimals its amounts have.
    decimals: u32,
    /// `fiat`, `crypto` or `stablecoin`.
    #[schema(value_type = String)]
    kind: CurrencyKind,
}

/// List currencies
///
/// ISO 4217 as far as one can be paid in it, and the coins that the API names.
#[utoipa::path(
    get, path = "/v1/currencies", tag = "Reference", security(("oauth" = [])),
    responses((status = 200, body = CurrenciesAnswer, description = "The currencies"))
)]
async fn list_currencies(_: May<right::Any>) -> Result<Json<CurrenciesAnswer>> {
    let shown = |currency: Currency| CurrencyAnswer {
        code: currency.code(),
        name: currency.name().to_owned(),
        numeric: currency.numeric().map(|number| format!("{number:03}")),
        decimals: currency.scale(),
        kind: currency.kind(),
    };
    Ok(Json(CurrenciesAnswer { data: Currency::all().into_iter().map(shown).collect() }))
}

/// Every country.
#[derive(Debug, Serialize, ToSchema)]
struct CountriesAnswer {
    data: Vec<CountryAnswer>,
}

/// A country of ISO 3166-1.
#[derive(Debug, Serialize, ToSchema)]
struct CountryAnswer {
    #[schema(pattern = "^[A-Z]{2}$")]
    code: &'static str,
    alpha3: &'static str,
    name: &'static str,
    /// The money used there; a few territories have none of their own.
    currencies: Vec<&'static str>,
}

/// List countries
///
/// ISO 3166-1, with the money that is used there.
#[utoipa::path(
    get, path = "/v1/countries", tag = "Reference", security(("oauth" = [])),
    responses((status = 200, body = CountriesAnswer, description = "The countries"))
)]
async fn list_countries(_: May<right::Any>) -> Result<Json<CountriesAnswer>> {
    let shown = |facts: &CountryFacts| CountryAnswer {
        code: facts.country.code(),
        alpha3: facts.country.alpha3(),
        name: facts.country.name(),
        currencies: facts.currencies.iter().map(|currency| currency.code()).collect(),
    };
    Ok(Json(CountriesAnswer { data: countries().iter().map(shown).collect() }))
}

/// Instrument methods.
#[derive(Debug, Serialize, ToSchema)]
struct PaymentMethodsAnswer {
    data: Vec<PaymentMethodAnswer>,
}

/// A way to pay somebody, and what must be known for it.
#[derive(Debug, Serialize, ToSchema)]
struct PaymentMethodAnswer {
    /// The `method` of an instrument.
    method: &'static str,
    name: &'static str,
    /// JSON Schema (2020-12) of the credentials; `x-checksum` names the rule of a field's check
    /// digits. New instruments are checked against the same.
    #[schema(value_type = Object)]
    credentials: serde_json::Value,
}

/// List payment methods
///
/// How beneficiaries of a country can be paid, with the form of the credentials.
#[utoipa::path(
    get, path = "/v1/payment-methods", tag = "Reference", security(("oauth" = [])),
    params(("country" = Option<String>, Query, description = "Two letters; without it, all methods")),
    responses(
        (status = 200, body = PaymentMethodsAnswer, description = "The methods"),
        (status = 400, description = "`invalid_parameter`"),
    )
)]
async fn list_payment_methods(_: May<right::Any>, uri: Uri) -> Result<Json<PaymentMethodsAnswer>> {
    let query = Query::read(&uri, &["country"])?;
    let country = query.get("country").map(str::parse::<Country>).transpose().map_err(|error| {
        Failure::new(Code::InvalidParameter).field("country", error.to_string())
    })?;
    let serves = |method: &&InstrumentMethod| country.is_none_or(|country| method.serves(country));
    let shown = |method: &InstrumentMethod| PaymentMethodAnswer {
        method: method.word,
        name: method.name,
        credentials: method.schema(),
    };
    Ok(Json(PaymentMethodsAnswer { data: METHODS.iter().filter(serves).map(shown).collect() }))
}

/// Every corridor.
#[derive(Debug, Serialize, ToSchema)]
struct CorridorsAnswer {
    data: Vec<CorridorAnswer>,
}

/// A way for money to travel that has a price; what is absent is open.
#[derive(Debug, Serialize, ToSchema)]
struct CorridorAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    source_currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_country: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    /// At least so much of the source currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_amount: Option<String>,
    /// At most so much of the source currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_amount: Option<String>,
}

impl CorridorAnswer {
    fn of(corridor: &Corridor) -> Self {
        Self {
            source_currency: corridor.source_currency.map(Currency::code),
            dest_currency: corridor.dest_currency.map(Currency::code),
            dest_country: corridor.dest_country.map(Country::code),
            method: corridor.method.map(Method::as_str),
            min_amount: corridor.min_amount().map(Amount::render),
            max_amount: corridor.max_amount().map(Amount::render),
        }
    }
}

/// List corridors
///
/// What you may pay: a corridor is open exactly when a plan prices it.
#[utoipa::path(
    get, path = "/v1/corridors", tag = "Reference", security(("oauth" = [])),
    responses((status = 200, body = CorridorsAnswer, description = "The corridors"))
)]
async fn list_corridors(
    State(room): State<Pricing>,
    caller: May<right::Any>,
) -> Result<Json<CorridorsAnswer>> {
    let book = room.plans.book(&room.ctx).await?;
    let open = corridors(&book, caller.merchant, room.ctx.now());
    Ok(Json(CorridorsAnswer { data: open.iter().map(CorridorAnswer::of).collect() }))
}
