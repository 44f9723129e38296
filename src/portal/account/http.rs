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
        passkeys::{self, PasskeyId},
        sessions::{self, SessionId},
        sign_in::counts,
        totp,
        trail::{self, Action},
        users::{self, Account},
    },
    web::query::Query,
};

/// What a passkey in the making is kept under, beside the session's cookie.
const NEW_PASSKEY: &str = "new-passkey";

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages
        .get("/portal/account", Needs::Person, account)
        .post("/portal/account/password", Needs::Person, password)
        .post("/portal/account/codes", Needs::Person, begin_codes)
        .post("/portal/account/codes/confirm", Needs::Person, confirm_codes)
        .post("/portal/account/codes/off", Needs::Person, codes_off)
        .post("/portal/account/passkeys", Needs::Person, add_passkey)
        .post("/portal/account/passkeys/challenge", Needs::Person, begin_passkey)
        .post("/portal/account/passkeys/{passkey}/name", Needs::Person, rename_passkey)
        .post("/portal/account/passkeys/{passkey}/remove", Needs::Person, remove_passkey)
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
        passkeys: &passkeys::list(&room.ctx, &account.person).await?,
        offers_passkeys: room.party.is_some(),
        passkey_name: asked.field("passkey-name"),
        sessions: &sessions::list(&room.ctx, &account.person).await?,
        own: asked.session()?.id,
        token: &asked.form_token(),
        done,
        failure,
        now: room.ctx.now(),
        account: &account,
    };
    Ok(asked.passkey_page(Some(Nav::Account), "Your account", &view::page(&seen)))
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
        if !knows_password(&room, &asked, &account).await? {
            let wrong = "is not your password";
            return Err(Failure::invalid(Vec::new()).field("current", wrong));
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

/// Whoever finds an open session must not be able to take the account over: what opens it later asks
/// for the password now, if there is one.
async fn knows_password(room: &Portal, asked: &Asked, account: &Account) -> Result<bool> {
    let Some(stored) = &account.password_hash else { return Ok(true) };
    counts::guess(room, asked.address(), &account.person.email, Some(&account.person)).await?;
    let current = Secret::new(asked.field("current").to_owned());
    room.authority.hasher().fits(&current, stored).await
}

/// For the script: what the browser is to make a passkey with.
async fn begin_passkey(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let account = loaded(&room, &asked).await?;
    if !knows_password(&room, &asked, &account).await? {
        return Err(Failure::because(Code::ValidationError, "that is not your password"));
    }
    use_code(&room, &asked, &account).await?;
    let (ceremony, name) = (asked.own_name(NEW_PASSKEY), asked.field("passkey-name"));
    Ok(Reply::Json(passkeys::begin(&room, &account.person, &ceremony, name).await?))
}

/// A passkey stands for the code too. Stops whoever knows a password and finds an open session from getting
/// round the codes for good.
async fn use_code(room: &Portal, asked: &Asked, account: &Account) -> Result<()> {
    let person = &account.person;
    if person.totp_since.is_none() {
        return Ok(());
    }
    counts::code(room, asked.address(), person).await?;
    let (ctx, who) = (&room.ctx, asked.who()?);
    let checked = totp::check(ctx, &room.vault, account, asked.field("code")).await?;
    db::write!(ctx.db, who.merchant, |tx| totp::claim(tx, ctx, &who, person, &checked).await)
}

async fn add_passkey(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let (ceremony, who) = (asked.own_name(NEW_PASSKEY), asked.who()?);
    let (name, given) = (asked.field("passkey-name"), asked.field("credential"));
    match passkeys::add(&room, &who, &ceremony, name, given).await {
        Ok(_) => Ok(done("passkey")),
        Err(failure) => refused(&room, &asked, failure).await,
    }
}

fn passkey_id(text: &str) -> Result<PasskeyId> {
    text.parse().map_err(|_: IdError| Failure::new(Code::NotFound))
}

async fn rename_passkey(
    State(room): State<Portal>,
    asked: Asked,
    Path(passkey): Path<String>,
) -> Result<Reply> {
    let (id, name) = (passkey_id(&passkey)?, asked.field("name"));
    match passkeys::rename(&room.ctx, &asked.who()?, id, name).await {
        Ok(()) => Ok(done("passkey-renamed")),
        Err(failure) if failure.code() == Code::ValidationError => {
            refused(&room, &asked, failure).await
        }
        Err(failure) => Err(failure),
    }
}

async fn remove_passkey(
    State(room): State<Portal>,
    asked: Asked,
    Path(passkey): Path<String>,
) -> Result<Reply> {
    passkeys::remove(&room.ctx, &asked.who()?, passkey_id(&passkey)?).await?;
    Ok(done("passkey-removed"))
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
