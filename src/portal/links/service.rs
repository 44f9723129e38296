//! Making links and using them up.

use super::{LinkId, Purpose, store};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
    },
    ctx::Ctx,
    db::{self, Tx},
    portal::{
        names::{self, Token},
        users::{self, Account, Person, UserId, UserStatus},
    },
};

const NAME: &str = "link";

/// A link that is made and not yet written.
#[derive(Debug)]
pub struct NewLink {
    id: LinkId,
    token: Token,
    purpose: Purpose,
}

/// Draws a link; it opens nothing before [`write()`].
pub fn make(ctx: &Ctx, purpose: Purpose) -> NewLink {
    let id = LinkId::make(&ctx.clock, &ctx.random);
    NewLink { id, token: Token::draw(&ctx.random), purpose }
}

impl NewLink {
    /// Its address. Whoever has it, has what it opens: show it to its reader only.
    pub fn address(&self, origin: &str) -> String {
        format!("{origin}/portal/link/{}", self.token.expose())
    }
}

/// Writes a link; older ones of the same person and purpose end with that.
pub async fn write(
    tx: &mut Tx,
    ctx: &Ctx,
    merchant: MerchantId,
    user: UserId,
    link: &NewLink,
) -> Result<()> {
    let expires_at = ctx.now().plus(link.purpose.life());
    store::end_older(tx, merchant, user, link.purpose, ctx.now()).await?;
    store::insert(tx, merchant, link.id, user, link.purpose, expires_at).await?;
    let name = link.token.name(NAME);
    Ok(names::claim(tx, &name, merchant, &link.id.to_string(), Some(expires_at)).await?)
}

/// What a link opens, and for whom, as long as it is open.
pub async fn found(ctx: &Ctx, token: &str) -> Result<(LinkId, Purpose, Account)> {
    let Some(token) = Token::brought(token) else { return Err(gone()) };
    let name = token.name(NAME);
    let found = db::read!(ctx.db, |tx| {
        let Some((merchant, id)) = names::find(tx, &name).await? else { return Ok(None) };
        let link = id.parse().map_err(Failure::internal)?;
        let open = store::open(tx, merchant, link, ctx.now()).await?;
        let Some((user, purpose)) = open else { return Ok(None) };
        let account = users::load(tx, merchant, user).await?;
        Ok(account.map(|account| (link, purpose, account)))
    })?;
    let fits = |(_, purpose, account): &(LinkId, Purpose, Account)| {
        let wanted = match purpose {
            Purpose::SignIn => UserStatus::Active,
            Purpose::Invitation => UserStatus::Invited,
        };
        account.person.status == wanted
    };
    found.filter(fits).ok_or_else(gone)
}

/// Uses a link up; refuses when somebody else was first.
pub async fn used(tx: &mut Tx, ctx: &Ctx, person: &Person, link: LinkId) -> Result<()> {
    if store::take(tx, person.merchant, link, ctx.now()).await? { Ok(()) } else { Err(gone()) }
}

/// A link that signs somebody in, for whoever runs the server to hand over.
pub async fn sign_in_link(ctx: &Ctx, person: &Person, origin: &str) -> Result<String> {
    let link = make(ctx, Purpose::SignIn);
    db::write!(ctx.db, person.merchant, |tx| {
        write(tx, ctx, person.merchant, person.id, &link).await
    })?;
    Ok(link.address(origin))
}

fn gone() -> Failure {
    Failure::because(
        Code::NotFound,
        "this link was used, has expired, or never was; ask whoever gave it to you for a new one",
    )
}
