//! `/v1/merchant/sandbox/…`.

use std::time::Duration;

use axum::{
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{ResetScope, only_in_sandbox, payouts, people, people::Seeded, service};
use crate::{
    base::{failure::Result, ids::MerchantId},
    db,
    oauth::{access::May, scopes::right},
    payouts::{Payouts, beneficiaries::BeneficiaryBody, payout::PayoutBody},
    web::{
        idempotency::{self, Answer, Key, OptionalKey, Request, maybe},
        query::Query,
        rate_limit::Quota,
        routes::{Routes, routes},
    },
};

/// As published.
const RESETS: Quota = Quota { name: "sandbox_reset", calls: 10, window: Duration::from_hours(1) };

/// All routes.
pub(crate) fn routes() -> Routes<Payouts> {
    routes![reset, seed_beneficiaries, seed_payouts]
}

/// What was started over.
#[derive(Debug, Serialize, ToSchema)]
struct ResetAnswer {
    /// `reset`, or `deleted` after `delete-all`.
    status: &'static str,
    scope: &'static str,
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    merchant_id: String,
}

/// Start the sandbox over
///
/// `balances` (without a word): balances and what moved them; payouts under way go on. `all`: payouts, quotes,
/// instruments, beneficiaries and keys too. `delete-all`: the same, and balances stay empty. `full-reset`:
/// the same, and balances, beneficiaries and payouts are made. Events stay. Ten times an hour.
#[utoipa::path(
    post, path = "/v1/merchant/sandbox/reset", tag = "Sandbox", security(("oauth" = ["sandbox:write"])),
    params(
        ("scope" = Option<String>, Query, description = "`balances`, `all`, `delete-all` or `full-reset`"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters"),
    ),
    responses(
        (status = 200, body = ResetAnswer, description = "It was started over"),
        (status = 400, description = "`invalid_parameter`"),
        (status = 403, description = "`sandbox_only`"),
        (status = 429, description = "`rate_limited`"),
    )
)]
async fn reset(
    State(room): State<Payouts>,
    caller: May<right::SandboxWrite>,
    OptionalKey(key): OptionalKey,
    uri: Uri,
) -> Result<Response> {
    only_in_sandbox(&room)?;
    let query = Query::read(&uri, &["scope"])?;
    let scope = query.filter("scope", |word| {
        ResetScope::parse(word).ok_or("must be balances, all, delete-all or full-reset")
    })?;
    let (scope, merchant) = (scope.unwrap_or(ResetScope::Balances), caller.merchant);
    room.pricing.limiter.check(RESETS, &merchant.to_string()).await?;
    let (status, word) = (scope.status(), scope.as_str());
    let answer = ResetAnswer { status, scope: word, merchant_id: merchant.to_string() };
    let answer = Answer::json(200, &answer)?;
    let request = request(merchant, "sandbox.reset", key, word);
    let by = (merchant, &caller.client_id);
    Ok(service::reset(&room, by, scope, request.as_ref(), &answer).await?.into_response())
}

/// Who was made.
#[derive(Debug, Serialize, ToSchema)]
struct SeededBeneficiaries {
    /// `seeded`.
    status: &'static str,
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    merchant_id: String,
    /// The new ones, each with one instrument.
    data: Vec<BeneficiaryBody>,
    /// How many were there already.
    skipped: usize,
}

/// Make play beneficiaries
///
/// The same individuals and businesses in every sandbox, in several countries and by several methods, each
/// with one instrument. Who is there already is left as it is.
#[utoipa::path(
    post, path = "/v1/merchant/sandbox/seed-beneficiaries", tag = "Sandbox",
    security(("oauth" = ["sandbox:write"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters")),
    responses(
        (status = 201, body = SeededBeneficiaries, description = "Who was made"),
        (status = 403, description = "`sandbox_only`"),
    )
)]
async fn seed_beneficiaries(
    State(room): State<Payouts>,
    caller: May<right::SandboxWrite>,
    OptionalKey(key): OptionalKey,
) -> Result<Response> {
    let merchant = caller.merchant;
    let request = request(merchant, "sandbox.seed_beneficiaries", key, "");
    let answer = |seeded: &Seeded| {
        let body = SeededBeneficiaries {
            status: "seeded",
            merchant_id: merchant.to_string(),
            data: seeded.made.iter().map(BeneficiaryBody::from).collect(),
            skipped: seeded.skipped,
        };
        Answer::json(201, &body)
    };
    Ok(people::seed(&room, merchant, request.as_ref(), answer).await?.into_response())
}

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
struct SeededPayouts {
    /// `seeded`.
    status: &'static str,
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    merchant_id: String,
    /// In the states that they have reached.
    data: Vec<PayoutBody>,
}

/// Make play payouts
///
/// Two that are `completed`, and one each that is `failed`, `returned`, `cancelled`, in `manual_review`, in
/// `pending_approval` and `sent`, to your own beneficiaries in turn. What they need is paid in first.
#[utoipa::path(
    post, path = "/v1/merchant/sandbox/seed-payouts", tag = "Sandbox",
    security(("oauth" = ["sandbox:write"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters")),
    responses(
        (status = 201, body = SeededPayouts, description = "What was made"),
        (status = 403, description = "`sandbox_only`"),
        (status = 422, description = "`no_beneficiaries`: nobody who can be paid by SEPA, ACH or Faster Payments"),
    )
)]
async fn seed_payouts(
    State(room): State<Payouts>,
    caller: May<right::SandboxWrite>,
    OptionalKey(key): OptionalKey,
) -> Result<Response> {
    only_in_sandbox(&room)?;
    let (ctx, merchant) = (&room.ctx, caller.merchant);
    let request = request(merchant, "sandbox.seed_payouts", key, "");
    if let Some(request) = &request
        && let Some(earlier) = db::read!(ctx.db, |tx| idempotency::recall(tx, request).await)?
    {
        return Ok(earlier.into_response());
    }
    let made = payouts::seed(&room, (merchant, &caller.client_id)).await?;
    let body = SeededPayouts {
        status: "seeded",
        merchant_id: merchant.to_string(),
        data: made.iter().map(PayoutBody::of).collect::<Result<_>>()?,
    };
    let answer = Answer::json(201, &body)?;
    let (name, now) = (merchant.to_string(), ctx.now());
    let answer = db::write!(ctx.db, merchant, |tx| {
        match maybe::claim(tx, request.as_ref(), &name, now).await? {
            Some(earlier) => Ok(earlier),
            None => maybe::keep(tx, request.as_ref(), answer.clone(), now).await,
        }
    })?;
    Ok(answer.into_response())
}

fn request(
    merchant: MerchantId,
    operation: &'static str,
    key: Option<Key>,
    target: &str,
) -> Option<Request> {
    key.map(|key| Request::new(merchant, operation, key, target, &json!({})))
}
