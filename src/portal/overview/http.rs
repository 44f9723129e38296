//! `/portal`.

use axum::extract::State;

use super::view::{self, Seen};
use crate::{
    base::{failure::Result, ids::MerchantId, pagination::PageRequest},
    ctx::Ctx,
    db, ledger,
    oauth::{credentials, merchants},
    payouts::payout,
    portal::{
        Portal,
        frame::{
            Asked, Nav, Needs,
            http::{Pages, Reply},
        },
        users::Right,
    },
};

/// How many payouts the page shows.
const LATEST: u16 = 10;

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages.get("/portal", Needs::Right(Right::SeeMoney), overview)
}

async fn overview(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let (ctx, merchant) = (&room.ctx, asked.person()?.merchant);
    let (found, balances) = db::read!(ctx.db, |tx| {
        Ok((merchants::find(tx, merchant).await?, ledger::balances(tx, merchant).await?))
    })?;
    let latest = PageRequest { limit: LATEST, after: None };
    let payouts = payout::list(ctx, merchant, &payout::Filter::default(), &latest).await?;
    let waiting = asked.may(Right::ApprovePayouts) && waits(ctx, merchant).await?;
    let credentials = credentials::list(ctx, merchant).await?;
    let seen = Seen {
        merchant: &found,
        balances: &balances,
        payouts: &payouts.data,
        credentials: credentials.len(),
        waiting,
        manages: asked.may(Right::ManageCredentials),
        environment: room.environment,
        now: ctx.now(),
    };
    Ok(asked.page(Some(Nav::Overview), "Overview", &view::page(&seen)))
}

/// Whether any payout waits for approval; the index by state answers.
async fn waits(ctx: &Ctx, merchant: MerchantId) -> Result<bool> {
    let status = Some(payout::PayoutStatus::PendingApproval);
    let filter = payout::Filter { status, ..payout::Filter::default() };
    let one = PageRequest { limit: 1, after: None };
    Ok(!payout::list(ctx, merchant, &filter, &one).await?.data.is_empty())
}
