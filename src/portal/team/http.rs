//! `/portal/team` and `/portal/trail`.

use axum::extract::{Path, State};

use super::view::{self, Handed};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::IdError,
    },
    db,
    oauth::merchants,
    portal::{
        Portal,
        frame::{
            Asked, Nav, Needs,
            http::{Pages, Reply},
        },
        links::{self, Purpose},
        mail::Letter,
        trail,
        users::{self, Right, Role, UserId},
    },
    web::query::Query,
};

const SEE: Needs = Needs::Right(Right::SeeTeam);
const MANAGE: Needs = Needs::Right(Right::ManageTeam);

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages
        .get("/portal/team", SEE, team)
        .post("/portal/team/invite", MANAGE, invite)
        .post("/portal/team/{user}/role", MANAGE, change_role)
        .post("/portal/team/{user}/remove", MANAGE, remove)
        .get("/portal/trail", Needs::Right(Right::SeeTrail), trail_page)
}

async fn team(State(room): State<Portal>, asked: Asked, uri: axum::http::Uri) -> Result<Reply> {
    let done = Query::read(&uri, &["done"])?.get("done").unwrap_or_default().to_owned();
    shown(&room, &asked, &done, None, None).await
}

async fn shown(
    room: &Portal,
    asked: &Asked,
    done: &str,
    handed: Option<&Handed>,
    failure: Option<&Failure>,
) -> Result<Reply> {
    let own = asked.person()?;
    let team = users::team(&room.ctx, own.merchant).await?;
    let typed = match failure {
        Some(_) => (asked.field("email"), asked.field("role")),
        None => ("", ""),
    };
    let token = asked.form_token();
    let body = view::team(&team, own, &token, done, handed, (typed, failure), room.ctx.now());
    Ok(asked.page(Some(Nav::Team), "Team", &body))
}

async fn invite(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    match invited(&room, &asked).await {
        Ok(handed) => shown(&room, &asked, "", Some(&handed), None).await,
        Err(failure) if failure.kind().is_ours() => Err(failure),
        Err(failure) => Ok(shown(&room, &asked, "", None, Some(&failure)).await?.refused(&failure)),
    }
}

async fn invited(room: &Portal, asked: &Asked) -> Result<Handed> {
    let (who, own) = (asked.who()?, asked.person()?);
    let link = links::make(&room.ctx, Purpose::Invitation);
    let role = role(asked)?;
    let person =
        users::invite(&room.ctx, &who, own.role, asked.field("email"), role, &link).await?;
    let merchant = db::read!(room.ctx.db, |tx| merchants::find(tx, who.merchant).await)?;
    let address = link.address(room.origin());
    let letter = Letter {
        to: person.email.clone(),
        subject: format!("{} invites you to Counterfoil", merchant.name),
        text: format!(
            "{} invites you to join {} as {}.\n\nOpen this link within three days, and choose a \
             password:\n\n{address}\n\nIt works once. If you do not know what this is about, throw it \
             away.\n",
            own.shown(),
            merchant.name,
            role.as_str(),
        ),
    };
    // After the commit: a letter cannot be called back. One that is not sent is handed over.
    let sent = room.mail.send(&letter).await;
    if let Err(failure) = &sent {
        tracing::warn!(cause = failure.cause_chain(), "An invitation was not sent.");
    }
    let arrives = sent.is_ok() && room.mail.is_delivered();
    Ok(Handed { email: person.email, link: (!arrives).then_some(address) })
}

fn role(asked: &Asked) -> Result<Role> {
    Role::parse(asked.field("role"))
        .ok_or_else(|| Failure::invalid(Vec::new()).field("role", "must be one of the choices"))
}

fn id(text: &str) -> Result<UserId> {
    text.parse().map_err(|_: IdError| {
        Failure::because(Code::NotFound, "there is nobody with this id in your team")
    })
}

async fn change_role(
    State(room): State<Portal>,
    asked: Asked,
    Path(user): Path<String>,
) -> Result<Reply> {
    let (who, actor) = (asked.who()?, asked.person()?.role);
    users::change_role(&room.ctx, &who, actor, id(&user)?, role(&asked)?).await?;
    Ok(Reply::See("/portal/team?done=role".to_owned()))
}

async fn remove(
    State(room): State<Portal>,
    asked: Asked,
    Path(user): Path<String>,
) -> Result<Reply> {
    let (who, actor) = (asked.who()?, asked.person()?.role);
    users::remove(&room.ctx, &who, actor, id(&user)?).await?;
    Ok(Reply::See("/portal/team?done=removed".to_owned()))
}

async fn trail_page(
    State(room): State<Portal>,
    asked: Asked,
    uri: axum::http::Uri,
) -> Result<Reply> {
    let query = Query::read(&uri, &["cursor"])?;
    let request = query.page().check("trl_")?;
    let lines = trail::page(&room.ctx, asked.person()?.merchant, &request).await?;
    let body = view::trail(&lines, request.after.is_some());
    Ok(asked.page(Some(Nav::Trail), "Audit trail", &body))
}
