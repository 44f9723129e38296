//! The way in by a passkey, which stands for password and code: the device is one factor, the finger or the
//! PIN that it insists on is the other, and it signs for our origin only.

use serde_json::Value;

use super::{
    counts,
    service::{Entered, drawn, note_refusal},
};
use crate::{
    base::failure::{Code, Failure, Result},
    db,
    portal::{
        Portal,
        frame::Asked,
        passkeys::{self, Assertion, Found, Key, Refusal},
        sessions::{self, Stage},
        users::UserStatus,
    },
};

/// What a challenge is kept under, beside the cookie from before the sign-in.
const CEREMONY: &str = "passkey-sign-in";

/// A challenge for this browser; an older one ends with it.
pub(super) async fn challenge(room: &Portal, asked: &Asked) -> Result<Value> {
    counts::address(room, asked.address()).await?;
    passkeys::challenge(room, &asked.own_name(CEREMONY)).await
}

/// By what the authenticator has answered. Whatever is wrong is refused with the same words: nobody
/// learns which passkeys there are, or whose.
pub(super) async fn by_passkey(room: &Portal, asked: &Asked, given: &str) -> Result<Entered> {
    counts::address(room, asked.address()).await?;
    let given = Assertion::read(given).ok_or_else(refused)?;
    let found = passkeys::find(&room.ctx, &asked.own_name(CEREMONY), &given).await?;
    let (state, found) = found
        .filter(|(_, found)| found.account.person.status == UserStatus::Active)
        .ok_or_else(refused)?;
    counts::passkey(room, asked.address(), &found.account.person).await?;
    match passkeys::check(room, &state, &given, &found)? {
        Ok(key) => enter(room, asked, &found, &key).await,
        Err(Refusal::Copied) => {
            let copied = "its counter went back, so there may be a copy of it";
            Err(turned_away(room, asked, &found, copied).await?)
        }
        Err(Refusal::Wrong) => Err(turned_away(room, asked, &found, "its answer was wrong").await?),
    }
}

async fn enter(room: &Portal, asked: &Asked, found: &Found, key: &Key) -> Result<Entered> {
    let (ctx, cookie) = (&room.ctx, drawn(room));
    let who = asked.as_person(&found.account.person);
    let entered = db::write!(ctx.db, who.merchant, |tx| {
        if !passkeys::used(tx, ctx, &who, &found.passkey, key).await? {
            return Ok(false);
        }
        sessions::begin(tx, ctx, &who, Stage::Full, asked.agent(), &cookie).await?;
        Ok(true)
    })?;
    if !entered {
        let meanwhile = "it was used or removed at the same moment";
        return Err(turned_away(room, asked, found, meanwhile).await?);
    }
    Ok(Entered { cookie, needs_code: false })
}

async fn turned_away(room: &Portal, asked: &Asked, found: &Found, why: &str) -> Result<Failure> {
    let what = format!("passkey {}: {why}", found.passkey.name);
    note_refusal(room, asked, &found.account, &what).await?;
    Ok(refused())
}

fn refused() -> Failure {
    let what = "this passkey opens nothing here, or you have waited for too long; try again, or sign in with \
        your password";
    Failure::because(Code::Unauthorized, what)
}
