//! `/v1/instruments`, and those of one beneficiary.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Change, Filter, InstrumentBody, InstrumentMethod, InstrumentStatus, NewInstrument, service,
};
use crate::{
    base::{failure::Result, pagination::Page},
    money::{Country, Currency},
    oauth::{access::May, scopes::right},
    payouts::{
        BeneficiaryId, InstrumentId, beneficiaries,
        beneficiaries::short_text,
        people::{People, end_user_ip},
    },
    web::{
        idempotency::{OptionalKey, RequiredKey},
        json::{JsonBody, text},
        query::{PathId, Query},
        routes::{Routes, routes},
    },
};

/// All routes of instruments.
pub(crate) fn routes() -> Routes<People> {
    routes![create, list_of, list, get, update, delete]
}

/// A new way to pay a beneficiary.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct NewInstrumentBody {
    /// One of those that `GET /v1/payment-methods` lists.
    #[schema(example = "iban")]
    method: String,
    /// As the method's schema says; it never comes back.
    #[schema(value_type = Object)]
    credentials: Value,
    #[schema(pattern = "^[A-Z]{3,5}$")]
    currency: Option<String>,
    /// Left out, it is taken from the credentials where they show it.
    #[schema(pattern = "^[A-Z]{2}$")]
    country: Option<String>,
    /// Your own name for it, up to 255 characters.
    label: Option<String>,
    /// The one to use for this beneficiary and currency; the default of before steps back.
    is_default: Option<bool>,
    /// A hint of risk; it is checked and not kept.
    end_user_ip: Option<String>,
}

/// What changes; what is absent stays.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct ChangeBody {
    /// `null` clears it.
    label: Option<String>,
    is_default: Option<bool>,
    /// `active` or `disabled`.
    status: Option<String>,
    end_user_ip: Option<String>,
}

/// Add an instrument
///
/// The credentials are checked by the rules of the method, sealed, and never shown again. Checks find
/// slips; none can tell whether an account exists.
#[utoipa::path(
    post, path = "/v1/beneficiaries/{id}/instruments", tag = "Instruments", security(("oauth" = ["beneficiaries:write"])),
    params(
        ("id" = String, Path, description = "`ben_…`"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 characters, new for each instrument"),
    ),
    request_body = NewInstrumentBody,
    responses(
        (status = 201, body = InstrumentBody, description = "The instrument"),
        (status = 400, description = "`missing_idempotency_key`"),
        (status = 404, description = "`not_found`: no such beneficiary of yours"),
        (status = 409, description = "`invalid_state`: the beneficiary is not active; `idempotency_conflict`"),
        (status = 422, description = "`validation_error`; `invalid_credentials`, whose details have `field`, `rule` and `message`"),
    )
)]
async fn create(
    State(room): State<People>,
    caller: May<right::BeneficiariesWrite>,
    PathId(beneficiary): PathId<BeneficiaryId>,
    RequiredKey(key): RequiredKey,
    body: JsonBody,
) -> Result<Response> {
    let mut fields = body.fields()?;
    let method = fields.required("method", text(method));
    let credentials = fields.required("credentials", |value| Ok::<_, String>(value.clone()));
    let currency = fields.optional("currency", text(str::parse::<Currency>));
    let country = fields.optional("country", text(str::parse::<Country>));
    let label = fields.optional("label", text(short_text));
    let is_default = fields.optional("is_default", boolean);
    end_user_ip(&mut fields);
    let new = fields.finish(|| {
        Some(NewInstrument {
            method: method?,
            credentials: credentials?,
            currency: currency?,
            country: country?,
            label: label?,
            is_default: is_default?.unwrap_or_default(),
        })
    })?;
    let merchant = caller.merchant;
    let target = beneficiary.to_string();
    let request = room.request(merchant, "instruments.create", key, &target, &body.0)?;
    Ok(service::create(&room, merchant, beneficiary, new, &request).await?.into_response())
}

/// List the instruments of a beneficiary
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/beneficiaries/{id}/instruments", tag = "Instruments", security(("oauth" = ["beneficiaries:read"])),
    params(
        ("id" = String, Path, description = "`ben_…`"),
        ("limit" = Option<u16>, Query, description = "1 to 100, 20 without it"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of an earlier page"),
    ),
    responses(
        (status = 200, body = Page<InstrumentBody>, description = "A page"),
        (status = 404, description = "`not_found`: no such beneficiary of yours"),
    )
)]
async fn list_of(
    State(room): State<People>,
    caller: May<right::BeneficiariesRead>,
    PathId(beneficiary): PathId<BeneficiaryId>,
    uri: Uri,
) -> Result<Json<Page<InstrumentBody>>> {
    let page = Query::read(&uri, &["limit", "cursor"])?.page().check(InstrumentId::PREFIX)?;
    beneficiaries::get(&room.ctx, caller.merchant, beneficiary).await?;
    let filter = Filter { beneficiary: Some(beneficiary), ..Filter::default() };
    let found = service::list(&room.ctx, caller.merchant, &filter, &page).await?;
    Ok(Json(found.map(|instrument| InstrumentBody::from(&instrument))))
}

/// List instruments
///
/// The newest first, without those that were deleted.
#[utoipa::path(
    get, path = "/v1/instruments", tag = "Instruments", security(("oauth" = ["beneficiaries:read"])),
    params(
        ("beneficiary_id" = Option<String>, Query, description = "Only of this beneficiary"),
        ("method" = Option<String>, Query, description = "Only of this method"),
        ("status" = Option<String>, Query, description = "`active` or `disabled`"),
        ("limit" = Option<u16>, Query, description = "1 to 100, 20 without it"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of an earlier page"),
    ),
    responses(
        (status = 200, body = Page<InstrumentBody>, description = "A page"),
        (status = 400, description = "`invalid_parameter`"),
    )
)]
async fn list(
    State(room): State<People>,
    caller: May<right::BeneficiariesRead>,
    uri: Uri,
) -> Result<Json<Page<InstrumentBody>>> {
    let known = ["beneficiary_id", "method", "status", "limit", "cursor"];
    let query = Query::read(&uri, &known)?;
    let filter = Filter {
        beneficiary: query.filter("beneficiary_id", str::parse)?,
        method: query.filter("method", method)?,
        status: query.filter("status", str::parse::<InstrumentStatus>)?,
    };
    let page = query.page().check(InstrumentId::PREFIX)?;
    let found = service::list(&room.ctx, caller.merchant, &filter, &page).await?;
    Ok(Json(found.map(|instrument| InstrumentBody::from(&instrument))))
}

/// See an instrument
#[utoipa::path(
    get, path = "/v1/instruments/{id}", tag = "Instruments", security(("oauth" = ["beneficiaries:read"])),
    params(("id" = String, Path, description = "`ins_…`")),
    responses(
        (status = 200, body = InstrumentBody, description = "The instrument"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn get(
    State(room): State<People>,
    caller: May<right::BeneficiariesRead>,
    PathId(id): PathId<InstrumentId>,
) -> Result<Json<InstrumentBody>> {
    let found = service::get(&room.ctx, caller.merchant, id).await?;
    Ok(Json(InstrumentBody::from(&found)))
}

/// Change an instrument
///
/// What is absent stays. Credentials never change: add a new instrument and delete the old one.
#[utoipa::path(
    put, path = "/v1/instruments/{id}", tag = "Instruments", security(("oauth" = ["beneficiaries:write"])),
    params(("id" = String, Path, description = "`ins_…`")),
    request_body = ChangeBody,
    responses(
        (status = 200, body = InstrumentBody, description = "The instrument"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`invalid_state`: what is disabled cannot be the default"),
        (status = 422, description = "`validation_error`"),
    )
)]
async fn update(
    State(room): State<People>,
    caller: May<right::BeneficiariesWrite>,
    PathId(id): PathId<InstrumentId>,
    OptionalKey(key): OptionalKey,
    body: JsonBody,
) -> Result<Response> {
    let mut fields = body.fields()?;
    let label = fields.optional("label", text(short_text));
    let is_default = fields.optional("is_default", boolean);
    let status = fields.optional("status", text(str::parse::<InstrumentStatus>));
    end_user_ip(&mut fields);
    let cleared = body.0.get("label").is_some_and(Value::is_null);
    let change = fields.finish(|| {
        Some(Change {
            label: if cleared { Some(None) } else { label?.map(Some) },
            is_default: is_default?,
            status: status?,
        })
    })?;
    let merchant = caller.merchant;
    let request = |key| room.request(merchant, "instruments.update", key, &id.to_string(), &body.0);
    let request = key.map(request).transpose()?;
    let answer = service::update(&room, merchant, id, &change, request.as_ref()).await?;
    Ok(answer.into_response())
}

/// Delete an instrument
///
/// It leaves lists and use. Payouts that were made go on and still name it.
#[utoipa::path(
    delete, path = "/v1/instruments/{id}", tag = "Instruments", security(("oauth" = ["beneficiaries:write"])),
    params(("id" = String, Path, description = "`ins_…`")),
    responses(
        (status = 204, description = "It is deleted"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn delete(
    State(room): State<People>,
    caller: May<right::BeneficiariesWrite>,
    PathId(id): PathId<InstrumentId>,
) -> Result<StatusCode> {
    service::delete(&room, caller.merchant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn method(word: &str) -> Result<&'static InstrumentMethod, &'static str> {
    InstrumentMethod::find(word).ok_or("must be a method that GET /v1/payment-methods lists")
}

fn boolean(value: &Value) -> Result<bool, &'static str> {
    value.as_bool().ok_or("must be true or false")
}
