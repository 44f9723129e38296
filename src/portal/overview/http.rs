//! `/portal`.

use std::time::Duration;

use axum::{extract::State, http::Uri};

use super::{
    figures::Figures,
    view::{self, Seen},
};
use crate::{
    base::{failure::Result, ids::MerchantId, pagination::PageRequest, timestamp::Timestamp},
    ctx::Ctx,
    db, ledger,
    money::Currency,
    oauth::{credentials, merchants},
    payouts::{days, payout},
    portal::{
        Portal,
        frame::{
            Asked, Nav, Needs,
            http::{Pages, Reply},
        },
        users::Right,
    },
    web::query::Query,
};

/// How many payouts the page shows.
const LATEST: u16 = 10;
/// How many days the charts show.
const DAYS: u32 = 30;
const DAY: Duration = Duration::from_hours(24);

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages.get("/portal", Needs::Right(Right::SeeMoney), overview)
}

async fn overview(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let query = Query::read(&uri, &["currency"])?;
    // A link of last month may name a currency that is not shown any more: then the busiest is.
    let wanted = query.get("currency").and_then(|code| code.parse::<Currency>().ok());
    let (ctx, merchant) = (&room.ctx, asked.person()?.merchant);
    let (found, balances) = db::read!(ctx.db, |tx| {
        Ok((merchants::find(tx, merchant).await?, ledger::balances(tx, merchant).await?))
    })?;
    let latest = PageRequest { limit: LATEST, after: None };
    let payouts = payout::list(ctx, merchant, &payout::Filter::default(), &latest).await?;
    let waiting = asked.may(Right::ApprovePayouts) && waits(ctx, merchant).await?;
    let credentials = credentials::list(ctx, merchant).await?;
    let shown = last_days(ctx.now());
    let from = ctx.now().minus(DAY * (DAYS - 1));
    let counts = days::since(ctx, merchant, from).await?;
    let seen = Seen {
        figures: Figures::of(&shown, &counts, wanted),
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

/// The days of the charts as they are written, the oldest first.
fn last_days(now: Timestamp) -> Vec<String> {
    let day = |ago| now.minus(DAY * ago).date_time().date().to_string();
    (0..DAYS).rev().map(day).collect()
}
