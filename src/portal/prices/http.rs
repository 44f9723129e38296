//! `/portal/prices`.

use axum::{extract::State, http::Uri};

use super::view::{self, Seen};
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
    },
    money::Currency,
    portal::{
        Portal,
        frame::{
            Asked, Nav, Needs,
            http::{Pages, Reply},
        },
        users::Right,
    },
    pricing::quotes::{self, NewQuote, Preview, RawQuote},
    web::query::Query,
};

/// The fields of the two forms.
const KNOWN: &[&str] =
    &["amount", "source_currency", "dest_currency", "dest_country", "method", "base"];

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages.get("/portal/prices", Needs::Right(Right::SeeMoney), prices)
}

async fn prices(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let query = Query::read(&uri, KNOWN)?;
    let (ctx, merchant) = (&room.ctx, asked.person()?.merchant);
    let (preview, refused) = match previewed(&room, merchant, &query).await {
        Ok(preview) => (preview, None),
        Err(failure) if failure.kind().is_ours() => return Err(failure),
        Err(failure) => (None, Some(failure)),
    };
    let (base, strange) = match query.filter("base", str::parse::<Currency>) {
        Ok(base) => (base.unwrap_or(Currency::EUR), None),
        Err(failure) => (Currency::EUR, Some(failure)),
    };
    let book = room.rooms.pricing.plans.book(ctx).await?;
    let table = room.rooms.pricing.rates.table(ctx).await?;
    let seen = Seen {
        query: &query,
        plans: book.visible_to(merchant).collect(),
        table: &table,
        base,
        preview: preview.as_ref(),
        refused: refused.as_ref(),
        strange: strange.as_ref(),
        now: ctx.now(),
    };
    let page = asked.page(Some(Nav::Prices), "Prices", &view::page(&seen));
    Ok(match refused.or(strange) {
        Some(failure) => page.refused(&failure),
        None => page,
    })
}

/// The price of what was typed, if anything was. Nothing is saved: this is a page, not an offer.
async fn previewed(
    room: &Portal,
    merchant: MerchantId,
    query: &Query,
) -> Result<Option<Preview>, Failure> {
    if query.pairs().all(|(name, _)| name == "base") {
        return Ok(None);
    }
    let new = NewQuote::check(&RawQuote {
        source_currency: query.get("source_currency"),
        dest_currency: query.get("dest_currency"),
        amount: query.get("amount"),
        dest_country: query.get("dest_country"),
        method: query.get("method"),
    })?;
    quotes::preview(&room.rooms.pricing, merchant, new.payment).await.map(Some)
}
