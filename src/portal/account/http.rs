//! `/portal/account`.

use axum::extract::{Path, State};

use super::view::{self, Seen};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::IdError,
        secret::Secret,
    },
    db,
    portal::{
        Portal,
        frame::{
            Asked, Nav, Needs,
            http::{Pages, Reply},
        },
        sessions::{self, SessionId},
        sign_in::counts,
        totp,
        trail::{self, Action},
        users::{self, Account},
    },
    web::query::Query,
};

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages
        .get("/portal/account", Needs::Person, account)
        .post("/portal/account/password", Needs::Person, password)
        .post("/portal/account/codes", Needs::Person, begin_codes)
        .post("/portal/account/codes/confirm", Needs::Person, confirm_codes)
        .post("/portal/account/codes/off", Needs::Person, codes_off)
        .post("/portal/account/sessions/others/end", Needs::Person, end_others)
        .post("/portal/account/sessions/{session}/end", Needs::Person, end_session)
}

async fn loaded(room: &Portal, asked: &Asked) -> Result<Account> {
    let (merchant, id) = (asked.person()?.merchant, asked.person()?.id);
    let found = db::read!(room.ctx.db, |tx| users::load(tx, merchant, id).await)?;
    found.ok_or_else(|| Failure::new(Code::NotFound))
}

async fn account(State(room): State<Portal>, asked: Asked, uri: axum::http::Uri) -> Result<Reply> {
    let done = Query::read(&uri, &["done"])?.get("done").unwrap_or_default().to_owned();
    shown(&room, &asked, &done, None).await
}

/// The page, with what is wrong with one of its forms.
async fn shown(
    room: &Portal,
    asked: &Asked,
    done: &str,
    failure: Option<&Failure>,
) -> Result<Reply> {
    let account = loaded(room, asked).await?;
    let seen = Seen {
        enrolment: totp::enrolment(&room.vault, &account).await?,
        recovery_left: totp::left(&room.ctx, &account.person).await?,
        sessions: &sessions::list(&room.ctx, &account.person).await?,
        own: asked.session()?.id,
        token: &asked.form_token(),
        done,
        failure,
        now: room.ctx.now(),
        account: &account,
    };
    Ok(asked.page(Some(Nav::Account), "Your account", &view::page(&seen)))
}

async fn refused(room: &Portal, asked: &Asked, failure: Failure) -> Result<Reply> {
    if failure.kind().is_ours() {
        return Err(failure);
    }
    Ok(shown(room, asked, "", Some(&failure)).await?.refused(&failure))
}

fn done(what: &str) -> Reply {
    Reply::See(format!("/portal/account?done={what}"))
}

async fn password(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let account = loaded(&room, &asked).await?;
    let outcome = async {
        // Whoever finds an open session must not be able to take the account over.
        if let Some(stored) = &account.password_hash {
            counts::guess(&room, asked.address(), &account.person.email, None).await?;
            let current = Secret::new(asked.field("current").to_owned());
            if !room.authority.hasher().fits(&current, stored).await? {
                let wrong = "is not your password";
                return Err(Failure::invalid(Vec::new()).field("current", wrong));
            }
        }
        let (who, session) = (asked.who()?, asked.session()?.id);
        let hasher = room.authority.hasher();
        let chosen = asked.field("password");
        users::choose_password(&room.ctx, hasher, &who, &account, chosen, session).await
    };
    match outcome.await {
        Ok(()) => Ok(done("password")),
        Err(failure) => refused(&room, &asked, failure).await,
    }
}

async fn begin_codes(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let account = loaded(&room, &asked).await?;
    match totp::begin(&room.ctx, &room.vault, &asked.who()?, &account).await {
        Ok(()) => Ok(Reply::See("/portal/account#codes".to_owned())),
        Err(failure) => refused(&room, &asked, failure).await,
    }
}

async fn confirm_codes(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let account = loaded(&room, &asked).await?;
    counts::code(&room, asked.address(), &account.person).await?;
    let given = asked.field("code");
    match totp::confirm(&room.ctx, &room.vault, &asked.who()?, &account, given).await {
        Ok(recovery) => {
            let body = view::recovery(&recovery);
            Ok(asked.page(Some(Nav::Account), "Recovery codes", &body))
        }
        Err(failure) => refused(&room, &asked, failure).await,
    }
}

async fn codes_off(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let account = loaded(&room, &asked).await?;
    counts::code(&room, asked.address(), &account.person).await?;
    let given = asked.field("code");
    match totp::turn_off(&room.ctx, &room.vault, &asked.who()?, &account, given).await {
        Ok(()) => Ok(done("codes-off")),
        Err(failure) => refused(&room, &asked, failure).await,
    }
}

async fn end_others(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let (who, own) = (asked.who()?, asked.session()?.id);
    db::write!(room.ctx.db, who.merchant, |tx| {
        let ended = sessions::end_others(tx, &room.ctx, &who, own).await?;
        let note = format!("{ended} other sessions");
        trail::record(tx, &room.ctx, &who, Action::SessionEnded, "", &note).await
    })?;
    Ok(done("sessions"))
}

async fn end_session(
    State(room): State<Portal>,
    asked: Asked,
    Path(session): Path<String>,
) -> Result<Reply> {
    let id: SessionId = session.parse().map_err(|_: IdError| Failure::new(Code::NotFound))?;
    sessions::end(&room.ctx, &asked.who()?, id, Action::SessionEnded).await?;
    Ok(done("sessions"))
}
