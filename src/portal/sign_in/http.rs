//! `/portal/sign-in`, `/portal/link`, `/portal/sign-out`.

use axum::extract::{Path, State};

use super::{
    passkey,
    service::{self, Entered},
    view,
};
use crate::{
    base::failure::{Failure, Result},
    portal::{
        Portal,
        frame::{
            Asked, Needs,
            http::{Pages, Reply},
            local,
        },
        links::Purpose,
        sessions,
        trail::Action,
    },
    web::query::Query,
};

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages
        .get("/portal/sign-in", Needs::Anybody, form)
        .post("/portal/sign-in", Needs::Anybody, sign_in)
        .post("/portal/sign-in/passkey", Needs::Anybody, by_passkey)
        .post("/portal/sign-in/passkey/challenge", Needs::Anybody, challenge)
        .get("/portal/sign-in/code", Needs::Code, code_form)
        .post("/portal/sign-in/code", Needs::Code, code)
        .get("/portal/link/{link}", Needs::Anybody, link_form)
        .post("/portal/link/{link}", Needs::Anybody, link)
        .post("/portal/sign-out", Needs::Anybody, sign_out)
}

async fn form(State(room): State<Portal>, asked: Asked, uri: axum::http::Uri) -> Result<Reply> {
    let query = Query::read(&uri, &["next"])?;
    let next = local(query.get("next").unwrap_or_default()).unwrap_or_default();
    Ok(door(&room, &asked, next, "", None))
}

/// The page in front of the door.
fn door(room: &Portal, asked: &Asked, next: &str, email: &str, failure: Option<&Failure>) -> Reply {
    let token = asked.form_token();
    let passkey = room.party.is_some().then(|| view::passkey(&token, next));
    let body = view::password(&token, next, email, failure, passkey.as_ref());
    match passkey {
        Some(_) => asked.passkey_page(None, "Sign in", &body),
        None => asked.page(None, "Sign in", &body),
    }
}

async fn sign_in(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let (email, next) = (asked.field("email"), next(&asked));
    match service::by_password(&room, &asked, email, asked.field("password")).await {
        Ok(entered) => Ok(after(entered, next)),
        Err(failure) => {
            let failure = ours(failure)?;
            Ok(door(&room, &asked, next, email, Some(&failure)).refused(&failure))
        }
    }
}

/// For the script: what an authenticator is to sign.
async fn challenge(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    Ok(Reply::Json(passkey::challenge(&room, &asked).await?))
}

async fn by_passkey(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let next = next(&asked);
    match passkey::by_passkey(&room, &asked, asked.field("credential")).await {
        Ok(entered) => Ok(after(entered, next)),
        Err(failure) => {
            let failure = ours(failure)?;
            Ok(door(&room, &asked, next, "", Some(&failure)).refused(&failure))
        }
    }
}

/// A refusal that the form itself can show; breakdowns get the page for those.
fn ours(failure: Failure) -> Result<Failure> {
    if failure.kind().is_ours() { Err(failure) } else { Ok(failure) }
}

fn next(asked: &Asked) -> &str {
    local(asked.field("next")).unwrap_or_default()
}

fn after(entered: Entered, next: &str) -> Reply {
    let goal = match (entered.needs_code, next) {
        (false, "") => "/portal".to_owned(),
        (false, next) => next.to_owned(),
        (true, _) => "/portal/sign-in/code".to_owned(),
    };
    Reply::SeeWith(goal, Some(entered.cookie))
}

async fn code_form(asked: Asked) -> Reply {
    asked.page(None, "Your code", &view::code(&asked.form_token(), "", None))
}

async fn code(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    match service::by_code(&room, &asked, asked.field("code")).await {
        Ok(cookie) => Ok(after(Entered { cookie, needs_code: false }, next(&asked))),
        Err(failure) => {
            let failure = ours(failure)?;
            let body = view::code(&asked.form_token(), next(&asked), Some(&failure));
            Ok(asked.page(None, "Your code", &body).refused(&failure))
        }
    }
}

async fn link_form(
    State(room): State<Portal>,
    asked: Asked,
    Path(token): Path<String>,
) -> Result<Reply> {
    let (_, purpose, account) = service::behind(&room, &asked, &token).await?;
    let form_token = asked.form_token();
    Ok(match purpose {
        Purpose::SignIn => {
            asked.page(None, "One-time sign-in", &view::link(&form_token, &token, &account))
        }
        Purpose::Invitation => {
            let body = view::invitation(&form_token, &token, &account, "", None);
            asked.page(None, "Join the team", &body)
        }
    })
}

async fn link(
    State(room): State<Portal>,
    asked: Asked,
    Path(token): Path<String>,
) -> Result<Reply> {
    let (link, purpose, account) = service::behind(&room, &asked, &token).await?;
    let opened = (link, &account);
    if purpose == Purpose::SignIn {
        return Ok(after(
            service::by_link(&room, &asked, opened).await?,
            "/portal/account?done=link",
        ));
    }
    let (name, password) = (asked.field("name"), asked.field("password"));
    match service::by_invitation(&room, &asked, opened, name, password).await {
        Ok(entered) => Ok(after(entered, "")),
        Err(failure) => {
            let failure = ours(failure)?;
            let body =
                view::invitation(&asked.form_token(), &token, &account, name, Some(&failure));
            Ok(asked.page(None, "Join the team", &body).refused(&failure))
        }
    }
}

/// Signing out twice is no mistake.
async fn sign_out(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    if let Ok(session) = asked.session() {
        sessions::end(&room.ctx, &asked.who()?, session.id, Action::SignedOut).await?;
    }
    Ok(Reply::SeeWith("/portal/sign-in".to_owned(), None))
}
