//! `/portal/….csv` of the lists whose folders make no file of their own.

use axum::{extract::State, http::Uri};

use super::cells;
use crate::{
    base::failure::Result,
    oauth::credentials,
    payouts::{beneficiaries, payout},
    portal::{
        Portal,
        beneficiaries::filter as people_seen,
        frame::{
            Asked, Needs, csv,
            http::{Pages, Reply},
        },
        payouts::filter as seen,
        trail,
        users::{self, Right},
    },
    pricing::quotes,
    web::query::Query,
};

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages
        .get("/portal/payouts.csv", Needs::Right(Right::SeeMoney), payouts)
        .get("/portal/quotes.csv", Needs::Right(Right::SeeMoney), all_quotes)
        .get("/portal/beneficiaries.csv", Needs::Right(Right::SeeMoney), people)
        .get("/portal/credentials.csv", Needs::Right(Right::SeeCredentials), all_credentials)
        .get("/portal/team.csv", Needs::Right(Right::SeeTeam), team)
        .get("/portal/trail.csv", Needs::Right(Right::SeeTrail), whole_trail)
}

async fn payouts(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let filter = seen::read(&Query::read(&uri, seen::NARROW)?)?;
    let (merchant, ctx) = (asked.person()?.merchant, room.ctx.clone());
    csv::sheet("payouts", cells::PAYOUTS, cells::payout, move |page| {
        let (ctx, filter) = (ctx.clone(), filter.clone());
        async move { payout::list(&ctx, merchant, &filter, &page).await }
    })
    .await
}

async fn all_quotes(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let (merchant, ctx) = (asked.person()?.merchant, room.ctx.clone());
    csv::sheet("quotes", cells::QUOTES, cells::quote, move |page| {
        let ctx = ctx.clone();
        async move { quotes::list(&ctx, merchant, &page).await }
    })
    .await
}

async fn people(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let filter = people_seen::read(&Query::read(&uri, people_seen::NARROW)?)?;
    let (merchant, ctx) = (asked.person()?.merchant, room.ctx.clone());
    csv::sheet("beneficiaries", cells::BENEFICIARIES, cells::beneficiary, move |page| {
        let (ctx, filter) = (ctx.clone(), filter.clone());
        async move { beneficiaries::list(&ctx, merchant, &filter, &page).await }
    })
    .await
}

async fn whole_trail(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let (merchant, ctx) = (asked.person()?.merchant, room.ctx.clone());
    csv::sheet("trail", cells::TRAIL, cells::line, move |page| {
        let ctx = ctx.clone();
        async move { trail::page(&ctx, merchant, &page).await }
    })
    .await
}

async fn all_credentials(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let rows = credentials::list_with_uses(&room.ctx, asked.person()?.merchant).await?;
    Ok(csv::whole("credentials", cells::CREDENTIALS, cells::credential, &rows))
}

async fn team(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let team = users::team(&room.ctx, asked.person()?.merchant).await?;
    Ok(csv::whole("team", cells::TEAM, cells::person, &team))
}
