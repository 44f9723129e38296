//! `/v1/beneficiaries`.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use utoipa::ToSchema;

use super::{
    BeneficiaryBody, BeneficiaryType, Business, Change, Filter, Individual, NewBeneficiary,
    PiiBody, Reader, STATUSES, Step, privacy, read, service, short_text,
};
use crate::{
    base::{failure::Result, metadata::Metadata, pagination::Page},
    money::Country,
    oauth::{
        access::{Caller, May},
        scopes::right,
    },
    payouts::{
        BeneficiaryId,
        people::{People, end_user_ip},
    },
    web::{
        edge::RequestName,
        idempotency::{Key, OptionalKey, Request, RequiredKey},
        json::{JsonBody, OptionalJsonBody, text},
        query::{PathId, Query},
        routes::{Routes, routes},
    },
};

/// All routes of beneficiaries.
pub(crate) fn routes() -> Routes<People> {
    routes![create, list, get, update, delete, archive, restore, show_pii, replace_pii]
}

/// Somebody new.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct NewBeneficiaryBody {
    /// `individual` or `business`.
    r#type: String,
    /// Where it is paid.
    #[schema(pattern = "^[A-Z]{2}$")]
    country: String,
    /// Your own name for it, up to 255 characters.
    external_ref: Option<String>,
    /// Up to 50 strings by name.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    /// When `type` is `individual`.
    individual: Option<Individual>,
    /// When `type` is `business`.
    business: Option<Business>,
    /// A hint of risk; it is checked and not kept.
    end_user_ip: Option<String>,
}

/// What changes; what is absent stays.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct ChangeBody {
    display_name: Option<String>,
    #[schema(pattern = "^[A-Z]{2}$")]
    country: Option<String>,
    /// `null` clears it.
    external_ref: Option<String>,
    /// Replaces all of it.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    end_user_ip: Option<String>,
}

/// Who a beneficiary is from now on.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct NewPiiBody {
    individual: Option<Individual>,
    business: Option<Business>,
    end_user_ip: Option<String>,
}

/// A hint of risk, or nothing.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct StepBody {
    end_user_ip: Option<String>,
}

/// Add a beneficiary
///
/// What is personal is sealed and never shown but under `/pii`. One person is one beneficiary: identical
/// personal data are refused, and the answer names the beneficiary that has them.
#[utoipa::path(
    post, path = "/v1/beneficiaries", tag = "Beneficiaries", security(("oauth" = ["beneficiaries:write"])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters, new for each beneficiary")),
    request_body = NewBeneficiaryBody,
    responses(
        (status = 201, body = BeneficiaryBody, description = "The beneficiary"),
        (status = 400, description = "`missing_idempotency_key`"),
        (status = 409, description = "`idempotency_conflict`"),
        (status = 422, description = "`validation_error`, `duplicate_beneficiary`"),
    )
)]
async fn create(
    State(room): State<People>,
    caller: May<right::BeneficiariesWrite>,
    RequiredKey(key): RequiredKey,
    body: JsonBody,
) -> Result<Response> {
    let today = room.ctx.now().date_time().date();
    let mut fields = body.fields()?;
    let kind = fields.required("type", text(str::parse::<BeneficiaryType>));
    let country = fields.required("country", text(str::parse::<Country>));
    let external_ref = fields.optional("external_ref", text(short_text));
    let metadata = fields.optional("metadata", Metadata::read);
    let pii = read::pii(&mut fields, kind, today);
    end_user_ip(&mut fields);
    let new = fields.finish(|| {
        Some(NewBeneficiary {
            pii: pii?,
            country: country?,
            external_ref: external_ref?,
            metadata: metadata?.unwrap_or_default(),
            source_batch_id: None,
        })
    })?;
    let merchant = caller.merchant;
    let request =
        room.request(merchant, "beneficiaries.create", key, "/v1/beneficiaries", &body.0)?;
    Ok(service::create(&room, merchant, new, &request).await?.into_response())
}

/// List beneficiaries
///
/// The newest first, without those that were deleted.
///
/// One request looks at a few thousand rows. A filter that finds little among them gives a short page, or
/// an empty one, with `has_more`: go on from its `next_cursor`.
#[utoipa::path(
    get, path = "/v1/beneficiaries", tag = "Beneficiaries", security(("oauth" = ["beneficiaries:read"])),
    params(
        ("status" = Option<String>, Query, description = "`active`, `archived` or `blocked`"),
        ("type" = Option<String>, Query, description = "`individual` or `business`"),
        ("country" = Option<String>, Query, description = "Two letters"),
        ("external_ref" = Option<String>, Query, description = "Your own name for it, exactly"),
        ("limit" = Option<u16>, Query, description = "1 to 100, 20 without it"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of an earlier page"),
    ),
    responses(
        (status = 200, body = Page<BeneficiaryBody>, description = "A page"),
        (status = 400, description = "`invalid_parameter`"),
    )
)]
async fn list(
    State(room): State<People>,
    caller: May<right::BeneficiariesRead>,
    uri: Uri,
) -> Result<Json<Page<BeneficiaryBody>>> {
    let known = ["status", "type", "country", "external_ref", "limit", "cursor"];
    let query = Query::read(&uri, &known)?;
    let filter = Filter {
        status: query.filter("status", |word| {
            let known = STATUSES.iter().find(|known| **known == word).copied();
            known.ok_or("must be active, archived or blocked")
        })?,
        kind: query.filter("type", str::parse)?,
        country: query.filter("country", str::parse)?,
        external_ref: query.get("external_ref").map(str::to_owned),
    };
    let page = query.page().check(BeneficiaryId::PREFIX)?;
    let found = service::list(&room.ctx, caller.merchant, &filter, &page).await?;
    Ok(Json(found.map(|beneficiary| BeneficiaryBody::from(&beneficiary))))
}

/// See a beneficiary
#[utoipa::path(
    get, path = "/v1/beneficiaries/{id}", tag = "Beneficiaries", security(("oauth" = ["beneficiaries:read"])),
    params(("id" = String, Path, description = "`ben_…`")),
    responses(
        (status = 200, body = BeneficiaryBody, description = "The beneficiary"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn get(
    State(room): State<People>,
    caller: May<right::BeneficiariesRead>,
    PathId(id): PathId<BeneficiaryId>,
) -> Result<Json<BeneficiaryBody>> {
    let found = service::get(&room.ctx, caller.merchant, id).await?;
    Ok(Json(BeneficiaryBody::from(&found)))
}

/// Change a beneficiary
///
/// What is absent stays. What is personal is changed under `/pii`.
#[utoipa::path(
    put, path = "/v1/beneficiaries/{id}", tag = "Beneficiaries", security(("oauth" = ["beneficiaries:write"])),
    params(("id" = String, Path, description = "`ben_…`")),
    request_body = ChangeBody,
    responses(
        (status = 200, body = BeneficiaryBody, description = "The beneficiary"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`validation_error`"),
    )
)]
async fn update(
    State(room): State<People>,
    caller: May<right::BeneficiariesWrite>,
    PathId(id): PathId<BeneficiaryId>,
    OptionalKey(key): OptionalKey,
    body: JsonBody,
) -> Result<Response> {
    let mut fields = body.fields()?;
    let display_name = fields.optional("display_name", text(short_text));
    let country = fields.optional("country", text(str::parse::<Country>));
    let external_ref = fields.optional("external_ref", text(short_text));
    let metadata = fields.optional("metadata", Metadata::read);
    end_user_ip(&mut fields);
    // Of all members only this one means something when it is null.
    let cleared = body.0.get("external_ref").is_some_and(serde_json::Value::is_null);
    let change = fields.finish(|| {
        Some(Change {
            display_name: display_name?,
            country: country?,
            external_ref: if cleared { Some(None) } else { external_ref?.map(Some) },
            metadata: metadata?,
        })
    })?;
    let request = optional_request(&room, &caller, "beneficiaries.update", key, id, &body)?;
    let answer = service::update(&room, caller.merchant, id, &change, request.as_ref()).await?;
    Ok(answer.into_response())
}

/// Delete a beneficiary
///
/// It leaves lists and use, with its instruments. Payouts that were made go on and still name it.
#[utoipa::path(
    delete, path = "/v1/beneficiaries/{id}", tag = "Beneficiaries", security(("oauth" = ["beneficiaries:write"])),
    params(("id" = String, Path, description = "`ben_…`")),
    responses(
        (status = 204, description = "It is deleted"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn delete(
    State(room): State<People>,
    caller: May<right::BeneficiariesWrite>,
    PathId(id): PathId<BeneficiaryId>,
) -> Result<StatusCode> {
    service::delete(&room, caller.merchant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Archive a beneficiary
///
/// It cannot be paid until it is restored.
#[utoipa::path(
    post, path = "/v1/beneficiaries/{id}/archive", tag = "Beneficiaries", security(("oauth" = ["beneficiaries:write"])),
    params(
        ("id" = String, Path, description = "`ben_…`"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 characters"),
    ),
    request_body = Option<StepBody>,
    responses(
        (status = 200, body = BeneficiaryBody, description = "The beneficiary"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`invalid_state`, `idempotency_conflict`"),
    )
)]
async fn archive(
    State(room): State<People>,
    caller: May<right::BeneficiariesWrite>,
    PathId(id): PathId<BeneficiaryId>,
    RequiredKey(key): RequiredKey,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Response> {
    step(&room, &caller, id, (&Step::Archive, "beneficiaries.archive"), key, &body).await
}

/// Restore a beneficiary
///
/// From the archive only: one that is blocked stays blocked.
#[utoipa::path(
    post, path = "/v1/beneficiaries/{id}/restore", tag = "Beneficiaries", security(("oauth" = ["beneficiaries:write"])),
    params(
        ("id" = String, Path, description = "`ben_…`"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 characters"),
    ),
    request_body = Option<StepBody>,
    responses(
        (status = 200, body = BeneficiaryBody, description = "The beneficiary"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`invalid_state`, `idempotency_conflict`"),
    )
)]
async fn restore(
    State(room): State<People>,
    caller: May<right::BeneficiariesWrite>,
    PathId(id): PathId<BeneficiaryId>,
    RequiredKey(key): RequiredKey,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Response> {
    step(&room, &caller, id, (&Step::Restore, "beneficiaries.restore"), key, &body).await
}

async fn step(
    room: &People,
    caller: &Caller,
    id: BeneficiaryId,
    (step, operation): (&Step, &'static str),
    key: Key,
    body: &JsonBody,
) -> Result<Response> {
    let mut fields = body.fields()?;
    end_user_ip(&mut fields);
    fields.finish(|| Some(()))?;
    let request = optional_request(room, caller, operation, Some(key), id, body)?;
    let answer = service::step(room, caller.merchant, id, step, request.as_ref()).await?;
    Ok(answer.into_response())
}

/// See who a beneficiary is
///
/// Each call is written down: the credential, the request, the time.
#[utoipa::path(
    get, path = "/v1/beneficiaries/{id}/pii", tag = "Beneficiaries", security(("oauth" = ["beneficiaries:pii"])),
    params(("id" = String, Path, description = "`ben_…`")),
    responses(
        (status = 200, body = PiiBody, description = "Who it is"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn show_pii(
    State(room): State<People>,
    caller: May<right::BeneficiariesPii>,
    PathId(id): PathId<BeneficiaryId>,
    request: RequestName,
) -> Result<Response> {
    let pii = privacy::read(&room, caller.merchant, id, &reader(&caller, request)).await?;
    // No cache on the way may keep what is sealed at home.
    let fresh = [(axum::http::header::CACHE_CONTROL, "no-store")];
    Ok((fresh, Json(PiiBody::from(pii))).into_response())
}

/// Replace who a beneficiary is
///
/// As a whole; the name to show follows. The answer shows nothing of it.
#[utoipa::path(
    put, path = "/v1/beneficiaries/{id}/pii", tag = "Beneficiaries", security(("oauth" = ["beneficiaries:pii"])),
    params(("id" = String, Path, description = "`ben_…`")),
    request_body = NewPiiBody,
    responses(
        (status = 200, body = BeneficiaryBody, description = "The beneficiary"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`validation_error`, `duplicate_beneficiary`"),
    )
)]
async fn replace_pii(
    State(room): State<People>,
    caller: May<right::BeneficiariesPii>,
    PathId(id): PathId<BeneficiaryId>,
    OptionalKey(key): OptionalKey,
    request: RequestName,
    body: JsonBody,
) -> Result<Response> {
    let today = room.ctx.now().date_time().date();
    let kind = match body.0.get("business") {
        Some(business) if !business.is_null() => BeneficiaryType::Business,
        _ => BeneficiaryType::Individual,
    };
    let mut fields = body.fields()?;
    let pii = read::pii(&mut fields, Some(kind), today);
    end_user_ip(&mut fields);
    let pii = fields.finish(|| pii)?;
    let reader = reader(&caller, request);
    let request = optional_request(&room, &caller, "beneficiaries.pii", key, id, &body)?;
    let answer =
        privacy::replace(&room, caller.merchant, id, &pii, &reader, request.as_ref()).await?;
    Ok(answer.into_response())
}

fn reader(caller: &Caller, RequestName(request): RequestName) -> Reader {
    Reader { client: caller.client_id.as_str().to_owned(), request }
}

fn optional_request(
    room: &People,
    caller: &Caller,
    operation: &'static str,
    key: Option<Key>,
    id: BeneficiaryId,
    body: &JsonBody,
) -> Result<Option<Request>> {
    let request = |key| room.request(caller.merchant, operation, key, &id.to_string(), &body.0);
    key.map(request).transpose()
}
