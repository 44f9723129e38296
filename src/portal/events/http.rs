//! `/portal/events`.

use axum::{
    extract::{Path, State},
    http::Uri,
};

use super::{file, service, view};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        pagination::{Page, PageRequest},
    },
    events::{
        deliveries::Which,
        log::{self, EventType, Narrowed},
    },
    portal::{
        Portal,
        frame::{
            Asked, Nav, Needs, csv,
            http::{Pages, Reply},
        },
        users::Right,
    },
    web::query::Query,
};

const SEE: Needs = Needs::Right(Right::SeeEvents);
const MANAGE: Needs = Needs::Right(Right::ManageWebhooks);
/// Ids are shorter.
const LONGEST_ABOUT: usize = 64;

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages
        .get("/portal/events", SEE, list)
        .get("/portal/events.csv", SEE, whole)
        .get("/portal/events/{event}", SEE, one)
        .post("/portal/events/{event}/deliver", MANAGE, deliver)
}

fn narrowed(query: &Query) -> Result<Narrowed> {
    let kind = |word: &str| EventType::parse(word).ok_or("must be one of the choices");
    let about = |id: &str| {
        let id = id.trim();
        if id.len() > LONGEST_ABOUT { Err("must be an id") } else { Ok(id.to_owned()) }
    };
    Ok(Narrowed { kind: query.filter("type", kind)?, about: query.filter("about", about)? })
}

fn asked_for(query: &Query) -> Result<(Narrowed, PageRequest)> {
    let is_number = |place: &str| place.parse::<i64>().is_ok_and(|number| number > 0);
    Ok((narrowed(query)?, query.page().check_by(is_number)?))
}

async fn list(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let query = Query::read(&uri, &["type", "about", "limit", "cursor"])?;
    let merchant = asked.person()?.merchant;
    let found = match asked_for(&query) {
        Ok((narrowed, page)) => log::newest(&room.ctx, merchant, &narrowed, &page).await,
        Err(failure) => Err(failure),
    };
    let (events, failure) = match found {
        Ok(events) => (events, None),
        Err(failure) if failure.kind().is_ours() => return Err(failure),
        Err(failure) => (Page::up_to(Vec::new(), None), Some(failure)),
    };
    let page = view::list(&events, &query, failure.as_ref());
    let reply = asked.page(Some(Nav::Events), "Events", &page);
    Ok(match &failure {
        Some(failure) => reply.refused(failure),
        None => reply,
    })
}

async fn whole(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let query = Query::read(&uri, &["type", "about"])?;
    let (narrowed, merchant, ctx) = (narrowed(&query)?, asked.person()?.merchant, room.ctx.clone());
    csv::sheet("events", file::EVENTS, file::event_cells, move |page| {
        let (ctx, narrowed) = (ctx.clone(), narrowed.clone());
        async move { log::newest(&ctx, merchant, &narrowed, &page).await }
    })
    .await
}

async fn one(
    State(room): State<Portal>,
    asked: Asked,
    Path(event): Path<String>,
    uri: Uri,
) -> Result<Reply> {
    let done = Query::read(&uri, &["done"])?.get("done").unwrap_or_default().to_owned();
    shown(&room, &asked, &event, &done, None).await
}

async fn shown(
    room: &Portal,
    asked: &Asked,
    event: &str,
    done: &str,
    failure: Option<&Failure>,
) -> Result<Reply> {
    let seen = service::own(&room.ctx, &asked.who()?, event).await?;
    let token = asked.may(Right::ManageWebhooks).then(|| asked.form_token());
    let body = view::one(&seen, token.as_deref(), done, failure, room.ctx.now());
    Ok(asked.page(Some(Nav::Events), "Event", &body))
}

async fn deliver(
    State(room): State<Portal>,
    asked: Asked,
    Path(event): Path<String>,
) -> Result<Reply> {
    let who = asked.who()?;
    let id = service::own(&room.ctx, &who, &event).await?.event.id;
    let again = service::again(&room.ctx, &who, asked.field("endpoint"), Which::One(id)).await;
    match again {
        Ok(again) => {
            let done = if again.planned == 0 { "waiting" } else { "again" };
            Ok(Reply::See(format!("/portal/events/{id}?done={done}")))
        }
        Err(failure) if failure.kind().is_ours() || failure.code() == Code::NotFound => {
            Err(failure)
        }
        Err(failure) => {
            Ok(shown(&room, &asked, &event, "", Some(&failure)).await?.refused(&failure))
        }
    }
}
