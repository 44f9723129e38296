//! `/portal/proofs`.

use std::time::Duration;

use axum::extract::State;

use super::view::{self, Typed};
use crate::{
    base::failure::{Failure, Result},
    oauth::explain::{Explanation, Question, RawQuestion, explain},
    portal::{
        Portal,
        frame::{
            Asked, Nav, Needs,
            http::{Pages, Reply},
        },
        users::Right,
    },
    web::rate_limit::Quota,
};

const SEE: Needs = Needs::Right(Right::SeeCredentials);
/// Each costs a signature, which is cheap, and nobody reads faster.
const PER_MINUTE: u32 = 60;

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    // Sent as a form and not as a query: proofs and tokens must not stand in addresses, which are
    // kept in histories and logs.
    pages.get("/portal/proofs", SEE, form).post("/portal/proofs", SEE, answer)
}

async fn form(asked: Asked) -> Reply {
    shown(&asked, None, None)
}

async fn answer(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    match explained(&room, &asked).await {
        Ok(explanation) => Ok(shown(&asked, Some(&explanation), None)),
        Err(failure) if failure.kind().is_ours() => Err(failure),
        Err(failure) => Ok(shown(&asked, None, Some(&failure)).refused(&failure)),
    }
}

async fn explained(room: &Portal, asked: &Asked) -> Result<Explanation> {
    let person = asked.person()?;
    let quota = Quota { name: "portal-proofs", calls: PER_MINUTE, window: Duration::from_mins(1) };
    room.limiter.check(quota, &person.id.to_string()).await?;
    let question = Question::read(&RawQuestion {
        proof: asked.field("proof"),
        method: asked.field("method"),
        url: asked.field("url"),
        token: asked.field("token"),
        sent_at: asked.field("sent_at"),
    })?;
    explain(&room.authority, person.merchant, &question).await
}

fn shown(asked: &Asked, explanation: Option<&Explanation>, failure: Option<&Failure>) -> Reply {
    let typed = Typed {
        method: asked.field("method"),
        url: asked.field("url"),
        sent_at: asked.field("sent_at"),
    };
    let body = view::page(&asked.form_token(), &typed, explanation, failure);
    asked.page(Some(Nav::Proofs), "Proof explainer", &body)
}
