//! `/portal`.

use axum::extract::State;

use super::view::{self, Seen};
use crate::{
    base::{failure::Result, pagination::PageRequest},
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
    let credentials = credentials::list(ctx, merchant).await?;
    let seen = Seen {
        merchant: &found,
        balances: &balances,
        payouts: &payouts.data,
        credentials: credentials.len(),
        manages: asked.may(Right::ManageCredentials),
        environment: room.environment,
        now: ctx.now(),
    };
    Ok(asked.page(Some(Nav::Overview), "Overview", &view::page(&seen)))
}
