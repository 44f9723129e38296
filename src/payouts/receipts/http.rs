//! `GET /v1/payouts/{id}/receipt`.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::service;
use crate::{
    base::failure::Result,
    oauth::{access::May, scopes::right},
    payouts::{PayoutId, Payouts},
    web::{
        query::PathId,
        routes::{Routes, routes},
    },
};

/// The route of receipts.
pub(crate) fn routes() -> Routes<Payouts> {
    routes![receipt]
}

/// A receipt. Whatever it says stands under its signature; there is nothing beside it to be believed.
#[derive(Debug, Serialize, ToSchema)]
struct Receipt {
    #[schema(pattern = "^pay_[a-zA-Z0-9]+$")]
    payout_id: String,
    /// A compact JWS (RFC 7515) of type `receipt+jws`; `/.well-known/jwks.json` has the key.
    #[schema(pattern = "^[\\w-]+\\.[\\w-]+\\.[\\w-]+$")]
    receipt: String,
}

/// Take a receipt
///
/// What is known of the payout now, signed: amounts, fee, quote, rate, the masked instrument, and each
/// step. It can be had in every state and says which; `final` is true at an end only. Keep it with the
/// JWKS of the day: keys rotate, and a new receipt is signed by the key of its own day.
#[utoipa::path(
    get, path = "/v1/payouts/{id}/receipt", tag = "Payouts",
    security(("oauth" = ["payouts:read"])),
    params(("id" = String, Path, description = "`pay_…`")),
    responses(
        (status = 200, body = Receipt, description = "The receipt"),
        (status = 404, description = "`not_found`"),
    )
)]
async fn receipt(
    State(room): State<Payouts>,
    caller: May<right::PayoutsRead>,
    PathId(id): PathId<PayoutId>,
) -> Result<Json<Receipt>> {
    let receipt = service::issue(&room, caller.merchant, id).await?;
    Ok(Json(Receipt { payout_id: id.to_string(), receipt }))
}
