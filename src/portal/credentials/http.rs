//! `/portal/credentials`.

use axum::extract::{Path, State};
use serde_json::json;

use super::{
    service::{self, Wish},
    shown, view,
};
use crate::{
    base::failure::{Failure, Result},
    oauth::credentials,
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

const SEE: Needs = Needs::Right(Right::SeeCredentials);
const MANAGE: Needs = Needs::Right(Right::ManageCredentials);
/// What the name of each box in front of a right begins with.
const SCOPE: &str = "scope.";

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages
        .get("/portal/credentials", SEE, list)
        .post("/portal/credentials", MANAGE, register)
        .get("/portal/credentials/new", MANAGE, form)
        .post("/portal/credentials/challenge", MANAGE, challenge)
        .get("/portal/credentials/{client}", SEE, one)
        .get("/portal/credentials/{client}/keys/new", MANAGE, key_form)
        .post("/portal/credentials/{client}/keys", MANAGE, add_key)
        .post("/portal/credentials/{client}/keys/{jkt}/retire", MANAGE, retire_key)
        .post("/portal/credentials/{client}/rotate", MANAGE, rotate)
        .post("/portal/credentials/{client}/revoke", MANAGE, revoke)
}

async fn list(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let seen = service::list(&room.ctx, asked.person()?.merchant).await?;
    let body = view::list(&seen, asked.may(Right::ManageCredentials), room.ctx.now());
    Ok(asked.page(Some(Nav::Credentials), "Credentials", &body))
}

async fn form(asked: Asked) -> Reply {
    let body = view::register(&asked.form_token(), &Wish::default(), None);
    asked.key_page("Register a credential", &body)
}

/// For the script: what the new key is to sign.
async fn challenge(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let challenge = credentials::challenge(&room.ctx, asked.person()?.merchant).await?;
    Ok(Reply::Json(json!({ "challenge": challenge })))
}

async fn register(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let wish = Wish {
        label: asked.field("label"),
        scopes: asked.fields().filter_map(|name| name.strip_prefix(SCOPE)).collect(),
        jwk: asked.field("jwk"),
        proof: asked.field("proof"),
    };
    match service::register(&room, &asked.who()?, &wish).await {
        Ok(made) => {
            let body = shown::registered(&made, room.origin());
            Ok(asked.page(Some(Nav::Credentials), "Your new credential", &body))
        }
        Err(failure) => {
            let failure = ours(failure)?;
            let body = view::register(&asked.form_token(), &wish, Some(&failure));
            Ok(asked.key_page("Register a credential", &body).refused(&failure))
        }
    }
}

/// A refusal that the form itself can show; breakdowns get the page for those.
fn ours(failure: Failure) -> Result<Failure> {
    if failure.kind().is_ours() { Err(failure) } else { Ok(failure) }
}

async fn one(
    State(room): State<Portal>,
    asked: Asked,
    Path(client): Path<String>,
    uri: axum::http::Uri,
) -> Result<Reply> {
    let done = Query::read(&uri, &["done"])?.get("done").unwrap_or_default().to_owned();
    let seen = service::own(&room.ctx, asked.person()?.merchant, &client).await?;
    let manages = asked.may(Right::ManageCredentials);
    let body = view::one(&seen, &asked.form_token(), manages, &done, room.ctx.now());
    Ok(asked.page(Some(Nav::Credentials), "Credential", &body))
}

async fn key_form(
    State(room): State<Portal>,
    asked: Asked,
    Path(client): Path<String>,
) -> Result<Reply> {
    let seen = service::own(&room.ctx, asked.person()?.merchant, &client).await?;
    let body = view::add_key(&asked.form_token(), &seen.client.credential, None);
    Ok(asked.key_page("Add a key", &body))
}

async fn add_key(
    State(room): State<Portal>,
    asked: Asked,
    Path(client): Path<String>,
) -> Result<Reply> {
    let seen = service::own(&room.ctx, asked.person()?.merchant, &client).await?;
    let (jwk, proof) = (asked.field("jwk"), asked.field("proof"));
    match service::add_key(&room, &asked.who()?, &seen, jwk, proof).await {
        Ok(_) => Ok(back(&seen, "key")),
        Err(failure) => {
            let failure = ours(failure)?;
            let credential = &seen.client.credential;
            let body = view::add_key(&asked.form_token(), credential, Some(&failure));
            Ok(asked.key_page("Add a key", &body).refused(&failure))
        }
    }
}

fn back(seen: &service::Seen, done: &str) -> Reply {
    Reply::See(format!("/portal/credentials/{}?done={done}", seen.client.credential.client_id))
}

async fn retire_key(
    State(room): State<Portal>,
    asked: Asked,
    Path((client, jkt)): Path<(String, String)>,
) -> Result<Reply> {
    let seen = service::own(&room.ctx, asked.person()?.merchant, &client).await?;
    service::retire_key(&room, &asked.who()?, &seen, &jkt).await?;
    Ok(back(&seen, "retired"))
}

async fn rotate(
    State(room): State<Portal>,
    asked: Asked,
    Path(client): Path<String>,
) -> Result<Reply> {
    let seen = service::own(&room.ctx, asked.person()?.merchant, &client).await?;
    let secret = service::rotate(&room, &asked.who()?, &seen, asked.field("overlap")).await?;
    let body = shown::rotated(&seen.client.credential, &secret);
    Ok(asked.page(Some(Nav::Credentials), "The new secret", &body))
}

async fn revoke(
    State(room): State<Portal>,
    asked: Asked,
    Path(client): Path<String>,
) -> Result<Reply> {
    let seen = service::own(&room.ctx, asked.person()?.merchant, &client).await?;
    service::revoke(&room, &asked.who()?, &seen).await?;
    Ok(back(&seen, "revoked"))
}
