//! `/portal/requests`.

use axum::{extract::State, http::Uri};

use super::view;
use crate::{
    base::{
        failure::{Code, Failure, Result},
        pagination::{Page, PageRequest},
    },
    portal::{
        Portal,
        frame::{
            Asked, Nav, Needs, csv,
            http::{Pages, Reply},
        },
        users::Right,
    },
    web::{
        query::Query,
        requests::{self, Filter, Line, LineId},
    },
};

const SEE: Needs = Needs::Right(Right::SeeEvents);
/// Longer names are not taken from callers.
const LONGEST_NAME: usize = 128;

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages.get("/portal/requests", SEE, list).get("/portal/requests.csv", SEE, file)
}

fn filter(query: &Query) -> Result<Filter> {
    let wrong = |field: &str, why: &str| Failure::new(Code::InvalidParameter).field(field, why);
    match (query.get("outcome"), query.get("request_id")) {
        (None, None) => Ok(Filter::All),
        (Some("refused"), None) => Ok(Filter::Refused),
        (Some("refused"), Some(_)) => {
            Err(wrong("outcome", "must be left open when a request id is given"))
        }
        (None, Some(name)) if name.len() <= LONGEST_NAME => {
            Ok(Filter::Named(name.trim().to_owned()))
        }
        (_, Some(_)) => Err(wrong("request_id", "must have at most 128 characters")),
        (Some(_), None) => Err(wrong("outcome", "must be refused, or open")),
    }
}

fn asked_for(query: &Query) -> Result<(Filter, PageRequest)> {
    Ok((filter(query)?, query.page().check(LineId::PREFIX)?))
}

async fn list(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let query = Query::read(&uri, &["outcome", "request_id", "limit", "cursor"])?;
    let merchant = asked.person()?.merchant;
    let found = match asked_for(&query) {
        Ok((filter, page)) => requests::page(&room.ctx, merchant, &filter, &page).await,
        Err(failure) => Err(failure),
    };
    let is_on = room.rooms.requests.is_on();
    let (lines, failure) = match found {
        Ok(lines) => (lines, None),
        Err(failure) if failure.kind().is_ours() => return Err(failure),
        Err(failure) => (Page::up_to(Vec::new(), None), Some(failure)),
    };
    let page = view::list(&lines, &query, failure.as_ref(), is_on);
    let reply = asked.page(Some(Nav::Requests), "API requests", &page);
    Ok(match &failure {
        Some(failure) => reply.refused(failure),
        None => reply,
    })
}

async fn file(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    const HEADS: &[&str] =
        &["at", "method", "path", "status", "code", "client_id", "request_id", "micros"];
    let query = Query::read(&uri, &["outcome", "request_id"])?;
    let (filter, merchant, ctx) = (filter(&query)?, asked.person()?.merchant, room.ctx.clone());
    let cells = |line: &Line| {
        let code = line.code.clone().unwrap_or_default();
        vec![
            line.at.to_string(),
            line.method.clone(),
            line.path.clone(),
            line.status.to_string(),
            code,
            line.client.clone(),
            line.request.clone(),
            line.micros.to_string(),
        ]
    };
    csv::sheet("requests", HEADS, cells, move |page| {
        let (ctx, filter) = (ctx.clone(), filter.clone());
        async move { requests::page(&ctx, merchant, &filter, &page).await }
    })
    .await
}
