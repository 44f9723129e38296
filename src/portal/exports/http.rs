//! `/portal/….csv` of the lists whose folders make no file of their own.

use axum::{extract::State, http::Uri};

use super::cells;
use crate::{
    base::{failure::Result, timestamp::Timestamp},
    oauth::credentials,
    payouts::{beneficiaries, payout},
    portal::{
        Portal,
        frame::{
            Asked, Needs, csv,
            http::{Pages, Reply},
        },
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

/// A day of the calendar, from its first moment on.
fn day(text: &str) -> std::result::Result<Timestamp, &'static str> {
    format!("{text}T00:00:00Z").parse().map_err(|_| "must be a day such as 2026-01-31")
}

fn payout_filter(query: &Query) -> Result<payout::Filter> {
    let status = |word: &str| payout::PayoutStatus::parse(word).ok_or("must be one of the choices");
    Ok(payout::Filter {
        status: query.filter("status", status)?,
        beneficiary: query.filter("beneficiary", str::parse)?,
        method: query.filter("method", str::parse)?,
        currency: query.filter("currency", str::parse)?,
        from: query.filter("from", day)?,
        until: query.filter("until", day)?,
        reference: query.get("reference").map(str::to_owned),
        quote: query.filter("quote", str::parse)?,
    })
}

async fn payouts(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let known =
        ["status", "beneficiary", "method", "currency", "from", "until", "reference", "quote"];
    let filter = payout_filter(&Query::read(&uri, &known)?)?;
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

fn beneficiary_filter(query: &Query) -> Result<beneficiaries::Filter> {
    let status = |word: &str| {
        let known = beneficiaries::STATUSES.iter().find(|known| **known == word).copied();
        known.ok_or("must be active, archived or blocked")
    };
    Ok(beneficiaries::Filter {
        status: query.filter("status", status)?,
        kind: query.filter("type", str::parse)?,
        country: query.filter("country", str::parse)?,
        external_ref: query.get("external_ref").map(str::to_owned),
    })
}

async fn people(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let query = Query::read(&uri, &["status", "type", "country", "external_ref"])?;
    let filter = beneficiary_filter(&query)?;
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
    let mut rows = Vec::new();
    for credential in credentials::list(&room.ctx, asked.person()?.merchant).await? {
        let uses = credentials::last_uses(&room.ctx, &credential).await?;
        rows.push((credential, uses));
    }
    Ok(csv::whole("credentials", cells::CREDENTIALS, cells::credential, &rows))
}

async fn team(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let team = users::team(&room.ctx, asked.person()?.merchant).await?;
    Ok(csv::whole("team", cells::TEAM, cells::person, &team))
}
