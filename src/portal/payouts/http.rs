//! `/portal/payouts`.

use axum::{
    extract::{Path, State},
    http::Uri,
};

use super::{
    detail::{self, Look},
    filter, receipt,
    service::{self, Listed, Word},
    view::{self, PATH},
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::IdError,
    },
    payouts::{PayoutId, payout, receipts},
    portal::{
        Portal,
        frame::{
            Asked, File, Nav, Needs,
            http::{Pages, Reply},
        },
        users::Right,
    },
    web::query::Query,
};

const SEE: Needs = Needs::Right(Right::SeeMoney);
const DECIDE: Needs = Needs::Right(Right::ApprovePayouts);

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages
        .get("/portal/payouts", SEE, list)
        .get("/portal/payouts/{payout}", SEE, one)
        .post("/portal/payouts/{payout}/approve", DECIDE, approve)
        .post("/portal/payouts/{payout}/reject", DECIDE, reject)
        .post("/portal/payouts/{payout}/cancel", Needs::Right(Right::ManagePayouts), cancel)
        .get("/portal/payouts/{payout}/receipt", SEE, show_receipt)
        .get("/portal/payouts/{payout}/receipt/file", SEE, receipt_file)
}

async fn list(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let query = Query::read(&uri, filter::KNOWN)?;
    if let Some(id) = filter::named(&query) {
        return Ok(Reply::See(format!("{PATH}/{id}")));
    }
    let page = |found| asked.page(Some(Nav::Payouts), "Payouts", &view::list(&query, found));
    match found(&room, &asked, &query).await {
        Ok(listed) => Ok(page(Ok(&listed))),
        Err(failure) if failure.kind().is_ours() => Err(failure),
        Err(failure) => Ok(page(Err(&failure)).refused(&failure)),
    }
}

async fn found(room: &Portal, asked: &Asked, query: &Query) -> Result<Listed> {
    let filter = filter::read(query)?;
    let page = query.page().check(PayoutId::PREFIX)?;
    service::list(&room.ctx, asked.person()?.merchant, &filter, &page).await
}

/// Nobody learns from the answer whether somebody else has a payout of this id.
fn id(text: &str) -> Result<PayoutId> {
    text.parse()
        .map_err(|_: IdError| Failure::because(Code::NotFound, "there is no payout with this id"))
}

async fn one(
    State(room): State<Portal>,
    asked: Asked,
    Path(payout): Path<String>,
    uri: Uri,
) -> Result<Reply> {
    let done = Query::read(&uri, &["done"])?.get("done").unwrap_or_default().to_owned();
    shown(&room, &asked, id(&payout)?, &done, None).await
}

async fn shown(
    room: &Portal,
    asked: &Asked,
    id: PayoutId,
    done: &str,
    failure: Option<&Failure>,
) -> Result<Reply> {
    let seen = service::see(&room.ctx, &asked.who()?, id).await?;
    let look = Look {
        token: &asked.form_token(),
        approves: asked.may(Right::ApprovePayouts),
        manages: asked.may(Right::ManagePayouts),
        credentials: asked.may(Right::SeeCredentials),
        done,
        reason: asked.field("reason"),
        failure,
        origin: room.origin(),
    };
    Ok(asked.page(Some(Nav::Payouts), "Payout", &detail::page(&seen, &look)?))
}

/// Onward when it went well; else the payout as it is now, with what was typed.
async fn answered(
    room: &Portal,
    asked: &Asked,
    id: PayoutId,
    outcome: Result<payout::Payout>,
    done: &str,
) -> Result<Reply> {
    match outcome {
        Ok(_) => Ok(Reply::See(format!("{PATH}/{id}?done={done}"))),
        Err(failure) if failure.kind().is_ours() => Err(failure),
        Err(failure) => Ok(shown(room, asked, id, "", Some(&failure)).await?.refused(&failure)),
    }
}

async fn approve(
    State(room): State<Portal>,
    asked: Asked,
    Path(payout): Path<String>,
) -> Result<Reply> {
    decide(&room, &asked, id(&payout)?, true).await
}

async fn reject(
    State(room): State<Portal>,
    asked: Asked,
    Path(payout): Path<String>,
) -> Result<Reply> {
    decide(&room, &asked, id(&payout)?, false).await
}

async fn decide(room: &Portal, asked: &Asked, id: PayoutId, approves: bool) -> Result<Reply> {
    let word = Word {
        approves,
        reason: asked.field("reason"),
        digest: asked.field("digest"),
        seen: asked.field("seen"),
    };
    let outcome = service::decide(&room.ctx, &asked.who()?, id, &word).await;
    answered(room, asked, id, outcome, if approves { "approved" } else { "rejected" }).await
}

async fn cancel(
    State(room): State<Portal>,
    asked: Asked,
    Path(payout): Path<String>,
) -> Result<Reply> {
    let id = id(&payout)?;
    let outcome = service::cancel(&room.ctx, &asked.who()?, id, asked.field("reason")).await;
    answered(&room, &asked, id, outcome, "cancelled").await
}

async fn signed(room: &Portal, asked: &Asked, text: &str) -> Result<(payout::Payout, String)> {
    let (merchant, id) = (asked.person()?.merchant, id(text)?);
    let payout = payout::get(&room.ctx, merchant, id).await?;
    Ok((payout, receipts::issue(&room.rooms.payouts, merchant, id).await?))
}

async fn show_receipt(
    State(room): State<Portal>,
    asked: Asked,
    Path(payout): Path<String>,
) -> Result<Reply> {
    let (payout, jws) = signed(&room, &asked, &payout).await?;
    let body = receipt::page(&payout, &jws, room.origin())?;
    Ok(asked.page(Some(Nav::Payouts), "Receipt", &body))
}

async fn receipt_file(
    State(room): State<Portal>,
    asked: Asked,
    Path(payout): Path<String>,
) -> Result<Reply> {
    let (payout, jws) = signed(&room, &asked, &payout).await?;
    Ok(Reply::File(File::whole(detail::file_name(&payout), "application/jose", jws)))
}
