//! `/portal/beneficiaries`.

use axum::{
    extract::{Path, State},
    http::Uri,
};

use super::{filter, service, view};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::IdError,
        pagination::Page,
    },
    payouts::{
        BeneficiaryId,
        beneficiaries::{self, Beneficiary},
    },
    portal::{
        Portal,
        frame::{
            Asked, Nav, Needs,
            http::{Pages, Reply},
        },
        users::Right,
    },
    web::{edge::RequestName, query::Query},
};

const SEE: Needs = Needs::Right(Right::SeeMoney);

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages
        .get("/portal/beneficiaries", SEE, list)
        .get("/portal/beneficiaries/{beneficiary}", SEE, one)
        .post("/portal/beneficiaries/{beneficiary}/person", Needs::Right(Right::SeePersons), person)
}

async fn list(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let query = Query::read(&uri, filter::KNOWN)?;
    let page = |found| {
        let body = view::list(&query, found, room.ctx.now());
        asked.page(Some(Nav::Beneficiaries), "Beneficiaries", &body)
    };
    match found(&room, &asked, &query).await {
        Ok(found) => Ok(page(Ok(&found))),
        Err(failure) if failure.kind().is_ours() => Err(failure),
        Err(failure) => Ok(page(Err(&failure)).refused(&failure)),
    }
}

async fn found(room: &Portal, asked: &Asked, query: &Query) -> Result<Page<Beneficiary>> {
    let filter = filter::read(query)?;
    let page = query.page().check(BeneficiaryId::PREFIX)?;
    beneficiaries::list(&room.ctx, asked.person()?.merchant, &filter, &page).await
}

fn id(text: &str) -> Result<BeneficiaryId> {
    text.parse().map_err(|_: IdError| {
        Failure::because(Code::NotFound, "there is no beneficiary with this id")
    })
}

async fn one(
    State(room): State<Portal>,
    asked: Asked,
    Path(beneficiary): Path<String>,
) -> Result<Reply> {
    let seen = service::see(&room.ctx, asked.person()?.merchant, id(&beneficiary)?).await?;
    let may_look = asked.may(Right::SeePersons);
    let body = view::one(&seen, &asked.form_token(), may_look, None);
    Ok(asked.page(Some(Nav::Beneficiaries), "Beneficiary", &body))
}

/// The same page with what is personal. A form and no link: neither a preview nor a reload of some tab
/// shall leave a line in the record.
async fn person(
    State(room): State<Portal>,
    asked: Asked,
    Path(beneficiary): Path<String>,
    RequestName(request): RequestName,
) -> Result<Reply> {
    let id = id(&beneficiary)?;
    let seen = service::see(&room.ctx, asked.person()?.merchant, id).await?;
    let pii = service::person(&room, &asked.who()?, id, request).await?;
    let body = view::one(&seen, &asked.form_token(), true, Some(&pii));
    Ok(asked.page(Some(Nav::Beneficiaries), "Beneficiary", &body))
}
