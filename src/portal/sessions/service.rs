//! Beginning, finding and ending sessions.

use super::{Session, SessionId, Stage, model::LIFE, store};
use crate::{
    base::failure::{Code, Failure, Result},
    ctx::Ctx,
    db::{self, Tx},
    portal::{
        names::{self, Token},
        trail::{self, Action, Who},
        users::{self, Person},
    },
};

const NAME: &str = "session";

/// Begins a session under a cookie that nobody has seen before. Stops fixation: a cookie that an
/// attacker has planted before the sign-in opens nothing after it.
pub(in crate::portal) async fn begin(
    tx: &mut Tx,
    ctx: &Ctx,
    who: &Who,
    stage: Stage,
    agent: &str,
    cookie: &Token,
) -> Result<()> {
    let (id, now) = (SessionId::make(&ctx.clock, &ctx.random), ctx.now());
    store::insert(tx, who, id, stage, agent, now).await?;
    let (name, forget_at) = (cookie.name(NAME), now.plus(LIFE));
    names::claim(tx, &name, who.merchant, &id.to_string(), Some(forget_at)).await?;
    if stage == Stage::Full {
        users::note_sign_in(tx, who.merchant, who.user, now).await?;
        trail::record(tx, ctx, who, Action::SignedIn, "", agent).await?;
    }
    Ok(())
}

/// Ends the session that waited for a code and begins the full one, under a new cookie again.
pub(in crate::portal) async fn promote(
    tx: &mut Tx,
    ctx: &Ctx,
    who: &Who,
    waiting: &Session,
    cookie: &Token,
) -> Result<()> {
    // Counted: two who bring the same code at once get one session.
    if !store::end(tx, who.merchant, waiting.id, ctx.now()).await? {
        return Err(Failure::because(Code::InvalidState, "this sign-in has ended; begin again"));
    }
    begin(tx, ctx, who, Stage::Full, &waiting.agent, cookie).await
}

/// The session of a cookie, as long as it lives.
pub(in crate::portal) async fn find(ctx: &Ctx, cookie: &Token) -> Result<Option<Session>> {
    let (name, now) = (cookie.name(NAME), ctx.now());
    let found = db::read!(ctx.db, |tx| {
        let Some((merchant, id)) = names::find(tx, &name).await? else { return Ok(None) };
        let id = id.parse().map_err(Failure::internal)?;
        Ok(store::find(tx, merchant, id).await?)
    })?;
    let session = found.filter(|session| session.is_alive(now));
    if let Some(session) = session.as_ref().filter(|session| session.is_note_due(now)) {
        let merchant = session.person.merchant;
        db::write!(ctx.db, merchant, |tx| Ok(store::see(tx, merchant, session.id, now).await?))?;
    }
    Ok(session)
}

/// Somebody's sessions that live, the newest first.
pub async fn list(ctx: &Ctx, person: &Person) -> Result<Vec<Session>> {
    let now = ctx.now();
    let since = now.minus(LIFE);
    let all = db::read!(ctx.db, |tx| Ok(store::list(tx, person, since).await?))?;
    Ok(all.into_iter().filter(|session| session.is_alive(now)).collect())
}

/// Ends one session of the person themselves; somebody else's is not found.
pub async fn end(ctx: &Ctx, who: &Who, id: SessionId, action: Action) -> Result<()> {
    db::write!(ctx.db, who.merchant, |tx| {
        if !store::end_own(tx, who, id, ctx.now()).await? {
            return Err(Failure::because(Code::NotFound, "this session has ended already"));
        }
        trail::record(tx, ctx, who, action, &id.to_string(), "").await
    })
}

/// Ends all sessions of the person but this one; gives how many.
pub async fn end_others(tx: &mut Tx, ctx: &Ctx, who: &Who, but: SessionId) -> Result<u64> {
    Ok(store::end_others(tx, who, but, ctx.now()).await?)
}

/// Whether this person has been signed in at this address before. What strangers use up of an
/// account's allowance must not keep its owner out.
pub async fn is_known_address(ctx: &Ctx, person: &Person, address: &str) -> Result<bool> {
    db::read!(ctx.db, |tx| Ok(store::knows(tx, person, address).await?))
}
