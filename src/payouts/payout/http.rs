//! `/v1/payouts`.

use axum::{
    Json,
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Filter, NewPayout, Payout, PayoutBody, PayoutStatus, RawPayout, service, wire::StepBody,
};
use crate::{
    base::{failure::Result, metadata::Metadata, pagination::Page, timestamp::Timestamp},
    oauth::{access::May, scopes::right},
    payouts::{PayoutId, Payouts, people},
    web::{
        idempotency::{Answer, Request, RequiredKey},
        json::{JsonBody, text},
        query::{PathId, Query},
        routes::{Routes, routes},
    },
};

/// The longest reason for calling a payout off.
const LONGEST_REASON: usize = 255;

/// All routes of payouts.
pub(crate) fn routes() -> Routes<Payouts> {
    routes![create, list, get, cancel, timeline]
}

/// A payout to be made.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct NewPayoutBody {
    /// Who is paid.
    #[schema(pattern = "^ben_[a-zA-Z0-9]+$")]
    beneficiary_id: String,
    /// Through what; it must be this beneficiary's and active.
    #[schema(pattern = "^ins_[a-zA-Z0-9]+$")]
    instrument_id: String,
    /// Debited before fees.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$", example = "550.00")]
    source_amount: String,
    /// What the beneficiary gets, before a fee that it bears itself.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$", example = "500.00")]
    dest_amount: String,
    #[schema(pattern = "^[A-Z]{3,5}$", example = "EUR")]
    dest_currency: String,
    /// `bank_transfer`, `wire`, `sepa`, `swift`, `ach`, `faster_payment`, `mobile_money`, `wallet`,
    /// `crypto`, `layer2`, `exchange` or `stablecoin`.
    #[schema(example = "sepa")]
    method: String,
    /// The destination's without it.
    #[schema(pattern = "^[A-Z]{3,5}$", example = "USD")]
    source_currency: Option<String>,
    #[schema(max_length = 255, example = "contractor_payment")]
    purpose: Option<String>,
    /// Your own; in a sandbox it can ask for an outcome.
    #[schema(max_length = 100)]
    reference: Option<String>,
    /// `fiat`, `crypto` or `stablecoin`; it follows from the method.
    rail_type: Option<String>,
    /// A chain.
    network: Option<String>,
    /// `merchant` (the fee is added on top) or `beneficiary` (it is taken from what arrives).
    fee_bearer: Option<String>,
    /// `fixed_dest` or `fixed_source`: the other amount follows from the rate.
    fixed_side: Option<String>,
    /// An open quote of yours.
    #[schema(pattern = "^pq_[a-zA-Z0-9]+$")]
    quote_id: Option<String>,
    /// Strings by name.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    /// Your customer's address. It is checked for its form and not kept.
    end_user_ip: Option<String>,
}

fn read_new(body: &JsonBody) -> Result<NewPayout> {
    let mut fields = body.fields()?;
    let raw = RawPayout {
        beneficiary_id: fields.raw_text("beneficiary_id"),
        instrument_id: fields.raw_text("instrument_id"),
        source_amount: fields.raw_text("source_amount"),
        dest_amount: fields.raw_text("dest_amount"),
        dest_currency: fields.raw_text("dest_currency"),
        method: fields.raw_text("method"),
        source_currency: fields.raw_text("source_currency"),
        purpose: fields.raw_text("purpose"),
        reference: fields.raw_text("reference"),
        rail_type: fields.raw_text("rail_type"),
        network: fields.raw_text("network"),
        fee_bearer: fields.raw_text("fee_bearer"),
        fixed_side: fields.raw_text("fixed_side"),
        quote_id: fields.raw_text("quote_id"),
    };
    let metadata = fields.optional("metadata", Metadata::read);
    people::end_user_ip(&mut fields);
    let metadata = metadata.flatten().unwrap_or_default();
    fields.judge(NewPayout::check(&raw, metadata))
}

/// Make a payout
///
/// In one transaction: the key is claimed, the quote is used (or the payout is priced), the money is set
/// aside, the payout is written and told of. From there it goes on by itself.
#[utoipa::path(
    post, path = "/v1/payouts", tag = "Payouts", security(("oauth" = ["payouts:write"])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters, new for each payout")),
    request_body = NewPayoutBody,
    responses(
        (status = 201, body = PayoutBody, description = "The payout, `created`"),
        (status = 400, description = "`missing_idempotency_key`"),
        (status = 404, description = "`not_found`: no such beneficiary, instrument or quote of yours"),
        (status = 409, description = "`idempotency_conflict`"),
        (status = 422, description = "`insufficient_balance`, `corridor_not_enabled`, `quote_expired`, `quote_already_used`, `quote_mismatch`, `rate_unavailable`, `validation_error`"),
    )
)]
async fn create(
    State(room): State<Payouts>,
    caller: May<right::PayoutsWrite>,
    RequiredKey(key): RequiredKey,
    body: JsonBody,
) -> Result<Response> {
    let new = read_new(&body)?;
    let merchant = caller.merchant;
    let request = Request::new(merchant, "payouts.create", key, "/v1/payouts", &body.0);
    let answer = |payout: &Payout| Answer::json(201, &PayoutBody::of(payout)?);
    let by = (merchant, &caller.client_id);
    Ok(service::create(&room, by, &new, &request, answer).await?.into_response())
}

/// List your payouts
///
/// The newest first.
///
/// One request looks at a few thousand rows. A filter that finds little among them gives a short page, or
/// an empty one, with `has_more`: go on from its `next_cursor`.
#[utoipa::path(
    get, path = "/v1/payouts", tag = "Payouts", security(("oauth" = ["payouts:read"])),
    params(
        ("status" = Option<String>, Query, description = "In one state"),
        ("beneficiary_id" = Option<String>, Query, description = "To one beneficiary"),
        ("method" = Option<String>, Query, description = "By one method"),
        ("currency" = Option<String>, Query, description = "From or to one currency"),
        ("created_from" = Option<String>, Query, description = "Made then or later (RFC 3339)"),
        ("created_until" = Option<String>, Query, description = "Made earlier than that (RFC 3339)"),
        ("reference" = Option<String>, Query, description = "With exactly this reference"),
        ("quote_id" = Option<String>, Query, description = "By this quote"),
        ("limit" = Option<u16>, Query, description = "1 to 100, 20 without it"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of an earlier page"),
    ),
    responses(
        (status = 200, body = Page<PayoutBody>, description = "A page"),
        (status = 400, description = "`invalid_parameter`"),
    )
)]
async fn list(
    State(room): State<Payouts>,
    caller: May<right::PayoutsRead>,
    uri: Uri,
) -> Result<Json<Page<PayoutBody>>> {
    let query = Query::read(
        &uri,
        &[
            "status",
            "beneficiary_id",
            "method",
            "currency",
            "created_from",
            "created_until",
            "reference",
            "quote_id",
            "limit",
            "cursor",
        ],
    )?;
    let page = query.page().check(PayoutId::PREFIX)?;
    let status = |word: &str| PayoutStatus::parse(word).ok_or("must be a state of payouts");
    let filter = Filter {
        status: query.filter("status", status)?,
        beneficiary: query.filter("beneficiary_id", str::parse)?,
        method: query.filter("method", str::parse)?,
        currency: query.filter("currency", str::parse)?,
        from: query.filter("created_from", moment)?,
        until: query.filter("created_until", moment)?,
        reference: query.get("reference").map(str::to_owned),
        quote: query.filter("quote_id", str::parse)?,
    };
    let found = service::list(&room.ctx, caller.merchant, &filter, &page).await?;
    let Page { data, has_more, next_cursor } = found;
    let data = data.iter().map(PayoutBody::of).collect::<Result<_>>()?;
    Ok(Json(Page { data, has_more, next_cursor }))
}

fn moment(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| "must be a time such as 2026-11-21T10:00:00Z")
}

/// See a payout
#[utoipa::path(
    get, path = "/v1/payouts/{id}", tag = "Payouts", security(("oauth" = ["payouts:read"])),
    params(("id" = String, Path, description = "`pay_…`")),
    responses(
        (status = 200, body = PayoutBody, description = "The payout"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn get(
    State(room): State<Payouts>,
    caller: May<right::PayoutsRead>,
    PathId(id): PathId<PayoutId>,
) -> Result<Json<PayoutBody>> {
    PayoutBody::of(&service::get(&room.ctx, caller.merchant, id).await?).map(Json)
}

/// Why a payout is called off.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it exists for the API document; the body is read by hand, strictly")]
struct CancelBody {
    #[schema(max_length = 255)]
    reason: Option<String>,
    end_user_ip: Option<String>,
}

/// Call a payout off
///
/// Possible until it is let through to its rail; everything that was set aside is given back.
#[utoipa::path(
    post, path = "/v1/payouts/{id}/cancel", tag = "Payouts", security(("oauth" = ["payouts:write"])),
    params(
        ("id" = String, Path, description = "`pay_…`"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 characters"),
    ),
    request_body = CancelBody,
    responses(
        (status = 200, body = PayoutBody, description = "The payout, `cancelled`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`invalid_state`: it has gone too far; `idempotency_conflict`"),
        (status = 422, description = "`validation_error`"),
    )
)]
async fn cancel(
    State(room): State<Payouts>,
    caller: May<right::PayoutsWrite>,
    PathId(id): PathId<PayoutId>,
    RequiredKey(key): RequiredKey,
    body: JsonBody,
) -> Result<Response> {
    let mut fields = body.fields()?;
    let reason = fields.optional("reason", text(reason));
    people::end_user_ip(&mut fields);
    let reason = fields.finish(|| reason)?;
    let merchant = caller.merchant;
    let target = format!("/v1/payouts/{id}/cancel");
    let request = Request::new(merchant, "payouts.cancel", key, &target, &body.0);
    let answer = |payout: &Payout| Answer::json(200, &PayoutBody::of(payout)?);
    let by = (merchant, &caller.client_id);
    let answered = service::cancel(&room, by, id, reason.as_deref(), &request, answer).await?;
    Ok(answered.into_response())
}

fn reason(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if length == 0 || length > LONGEST_REASON || text.chars().any(char::is_control) {
        return Err(format!(
            "must have 1 to {LONGEST_REASON} characters, and no control characters"
        ));
    }
    Ok(text.to_owned())
}

/// What happened to a payout.
#[derive(Debug, Serialize, ToSchema)]
struct Timeline {
    #[schema(pattern = "^pay_[a-zA-Z0-9]+$")]
    payout_id: String,
    /// Where it is now.
    status: &'static str,
    /// Each step it has taken, the first one first.
    data: Vec<StepBody>,
}

/// See what happened to a payout
///
/// Every step with who took it and why. Steps are never changed and never removed.
#[utoipa::path(
    get, path = "/v1/payouts/{id}/timeline", tag = "Payouts",
    security(("oauth" = ["payouts:read"])),
    params(("id" = String, Path, description = "`pay_…`")),
    responses(
        (status = 200, body = Timeline, description = "Its steps"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn timeline(
    State(room): State<Payouts>,
    caller: May<right::PayoutsRead>,
    PathId(id): PathId<PayoutId>,
) -> Result<Json<Timeline>> {
    let (payout, steps) = service::timeline(&room.ctx, caller.merchant, id).await?;
    Ok(Json(Timeline {
        payout_id: id.to_string(),
        status: payout.status.as_str(),
        data: steps.iter().map(StepBody::from).collect(),
    }))
}
