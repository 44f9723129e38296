//! `/portal/quotes`.

use axum::{
    extract::{Path, State},
    http::Uri,
};

use super::view;
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::IdError,
    },
    portal::{
        Portal,
        frame::{
            Asked, Nav, Needs,
            http::{Pages, Reply},
        },
        users::Right,
    },
    pricing::{QuoteId, quotes},
    web::query::Query,
};

const SEE: Needs = Needs::Right(Right::SeeMoney);

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages.get("/portal/quotes", SEE, list).get("/portal/quotes/{quote}", SEE, one)
}

async fn list(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let query = Query::read(&uri, &["cursor"])?;
    let page = query.page().check(QuoteId::PREFIX)?;
    let found = quotes::list(&room.ctx, asked.person()?.merchant, &page).await?;
    let body = view::list(&query, &found, room.ctx.now());
    Ok(asked.page(Some(Nav::Quotes), "Quotes", &body))
}

async fn one(State(room): State<Portal>, asked: Asked, Path(quote): Path<String>) -> Result<Reply> {
    let missing = |_: IdError| Failure::because(Code::NotFound, "there is no quote with this id");
    let id: QuoteId = quote.parse().map_err(missing)?;
    let merchant = asked.person()?.merchant;
    let explained = quotes::explain(&room.rooms.pricing, merchant, id).await?;
    let body = view::one(&explained, room.ctx.now())?;
    Ok(asked.page(Some(Nav::Quotes), "Quote", &body))
}
