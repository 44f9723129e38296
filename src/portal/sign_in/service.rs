//! The ways in.

use super::counts;
use crate::{
    base::{
        failure::{Code, Failure, Result},
        secret::Secret,
    },
    db,
    portal::{
        Portal,
        frame::Asked,
        links::{self, LinkId, Purpose},
        names::Token,
        sessions::{self, Stage},
        totp,
        trail::{self, Action},
        users::{self, Account, UserStatus, checked_password},
    },
};

/// What a way in has led to.
#[derive(Debug)]
pub(super) struct Entered {
    /// The new cookie.
    pub(super) cookie: Token,
    /// Whether the code is still to come.
    pub(super) needs_code: bool,
}

/// By password. Nobody learns from the answer, or from its time, whether the address is known.
pub(super) async fn by_password(
    room: &Portal,
    asked: &Asked,
    email: &str,
    password: &str,
) -> Result<Entered> {
    counts::address(room, asked.address()).await?;
    let account = users::by_email(&room.ctx, email).await?;
    let account = account.filter(|account| account.person.status == UserStatus::Active);
    let person = account.as_ref().map(|account| &account.person);
    counts::guess(room, asked.address(), email, person).await?;
    let hasher = room.authority.hasher();
    let stored = account.as_ref().and_then(|account| account.password_hash.clone());
    let password = Secret::new(password.to_owned());
    let right = hasher.fits(&password, stored.as_deref().unwrap_or(hasher.dummy())).await?;
    match account {
        Some(account) if right && stored.is_some() => enter(room, asked, &account).await,
        Some(account) => {
            note_refusal(room, asked, &account, "password").await?;
            Err(wrong())
        }
        None => Err(wrong()),
    }
}

/// Writes down that somebody was turned away who said to be this person.
pub(super) async fn note_refusal(
    room: &Portal,
    asked: &Asked,
    account: &Account,
    what: &str,
) -> Result<()> {
    let who = asked.as_person(&account.person);
    db::write!(room.ctx.db, who.merchant, |tx| {
        trail::record(tx, &room.ctx, &who, Action::SignInRefused, "", what).await
    })
}

async fn enter(room: &Portal, asked: &Asked, account: &Account) -> Result<Entered> {
    let (ctx, who, cookie) = (&room.ctx, asked.as_person(&account.person), drawn(room));
    let stage = stage_of(account);
    db::write!(ctx.db, who.merchant, |tx| {
        sessions::begin(tx, ctx, &who, stage, asked.agent(), &cookie).await
    })?;
    Ok(Entered { cookie, needs_code: stage == Stage::Code })
}

pub(super) fn drawn(room: &Portal) -> Token {
    Token::draw(&room.ctx.random)
}

fn stage_of(account: &Account) -> Stage {
    if account.person.totp_since.is_some() { Stage::Code } else { Stage::Full }
}

/// By the code, after the password.
pub(super) async fn by_code(room: &Portal, asked: &Asked, given: &str) -> Result<Token> {
    let (ctx, waiting, who) = (&room.ctx, asked.session()?, asked.who()?);
    counts::code(room, asked.address(), &waiting.person).await?;
    let (merchant, user) = (who.merchant, who.user);
    let account = db::read!(ctx.db, |tx| users::load(tx, merchant, user).await)?;
    let account = account.ok_or_else(wrong)?;
    let cookie = drawn(room);
    let entered = match totp::check(ctx, &room.vault, &account, given).await {
        Err(refused) => Err(refused),
        Ok(checked) => db::write!(ctx.db, merchant, |tx| {
            totp::claim(tx, ctx, &who, &account.person, &checked).await?;
            sessions::promote(tx, ctx, &who, waiting, &cookie).await
        }),
    };
    if let Err(refused) = entered {
        if refused.code() == Code::ValidationError {
            note_refusal(room, asked, &account, "code").await?;
        }
        return Err(refused);
    }
    Ok(cookie)
}

/// What a one-time link opens. Asking uses nothing up: programs that look at links in letters before
/// their readers do must not.
pub(super) async fn behind(
    room: &Portal,
    asked: &Asked,
    token: &str,
) -> Result<(LinkId, Purpose, Account)> {
    counts::address(room, asked.address()).await?;
    links::found(&room.ctx, token).await
}

/// By a sign-in link, in place of the password; the code is asked for all the same.
pub(super) async fn by_link(
    room: &Portal,
    asked: &Asked,
    (link, account): (LinkId, &Account),
) -> Result<Entered> {
    let (ctx, who, cookie) = (&room.ctx, asked.as_person(&account.person), drawn(room));
    let stage = stage_of(account);
    db::write!(ctx.db, who.merchant, |tx| {
        links::used(tx, ctx, &account.person, link).await?;
        sessions::begin(tx, ctx, &who, stage, asked.agent(), &cookie).await
    })?;
    Ok(Entered { cookie, needs_code: stage == Stage::Code })
}

/// By an invitation: the account is finished, and its owner is in.
pub(super) async fn by_invitation(
    room: &Portal,
    asked: &Asked,
    (link, account): (LinkId, &Account),
    name: &str,
    password: &str,
) -> Result<Entered> {
    let name = name.trim();
    let password = checked_password(password, &account.person.email);
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        let failure = password.err().unwrap_or_else(|| Failure::invalid(Vec::new()));
        return Err(failure.field("name", "must be 1 to 100 printable characters"));
    }
    let hash = room.authority.hasher().hash(&password?, &room.ctx.random).await?;
    let (ctx, who, cookie) = (&room.ctx, asked.as_person(&account.person), drawn(room));
    db::write!(ctx.db, who.merchant, |tx| {
        users::accept(tx, ctx, &who, (link, account), name, &hash).await?;
        sessions::begin(tx, ctx, &who, Stage::Full, asked.agent(), &cookie).await
    })?;
    Ok(Entered { cookie, needs_code: false })
}

fn wrong() -> Failure {
    let what = "e-mail address or password is wrong";
    Failure::because(Code::Unauthorized, what)
}
