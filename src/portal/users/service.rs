//! Making people, changing what they are, and letting them go.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{Account, Person, Role, UserId, UserStatus, model::checked_password, store};
use crate::{
    base::{
        contact,
        failure::{Code, Failure, Result},
        ids::MerchantId,
        secret::Secret,
    },
    ctx::Ctx,
    db::{self, Tx},
    oauth::{
        merchants::{self, Merchant, NewMerchant},
        secrets::Hasher,
    },
    portal::{
        links::{self, LinkId, NewLink},
        names, passkeys, sessions,
        trail::{self, Action, Who},
    },
};

/// The owner that a sandbox begins with.
const FIRST_OWNER: &str = "owner@sandbox.example";

/// Makes a merchant and its owner, whose first password is shown once and stored as a hash.
pub async fn found(
    ctx: &Ctx,
    hasher: &Hasher,
    new: &NewMerchant,
) -> Result<(Merchant, Secret<String>)> {
    let password = Secret::new(BASE64_URL_SAFE_NO_PAD.encode(ctx.random.bytes::<18>()));
    let hash = hasher.hash(&password, &ctx.random).await?;
    let merchant = with_owner(ctx, new, Some(&hash)).await?;
    tracing::info!(merchant = %merchant.id, "A merchant was made.");
    Ok((merchant, password))
}

async fn with_owner(ctx: &Ctx, new: &NewMerchant, hash: Option<&str>) -> Result<Merchant> {
    let merchant = new.named(ctx);
    let owner = person(ctx, merchant.id, &merchant.email, Role::Owner, UserStatus::Active);
    db::write!(ctx.db, merchant.id, |tx| {
        merchants::add(tx, &merchant).await?;
        add(tx, &owner, hash).await
    })?;
    Ok(merchant)
}

/// In a sandbox: the owner it begins with, made if there is nobody yet, as long as they have never
/// signed in.
pub async fn of_sandbox(ctx: &Ctx) -> Result<Option<Person>> {
    if !db::read!(ctx.db, |tx| Ok(store::anybody(tx).await?))? {
        let new = NewMerchant::check("Sandbox", FIRST_OWNER)?;
        with_owner(ctx, &new, None).await?;
        tracing::info!("The sandbox has its first merchant.");
    }
    let owner = by_email(ctx, FIRST_OWNER).await?.map(|account| account.person);
    Ok(owner.filter(|owner| owner.signed_in_at.is_none() && owner.status == UserStatus::Active))
}

fn person(ctx: &Ctx, merchant: MerchantId, email: &str, role: Role, status: UserStatus) -> Person {
    Person {
        merchant,
        id: UserId::make(&ctx.clock, &ctx.random),
        email: email.to_owned(),
        name: String::new(),
        role,
        status,
        totp_since: None,
        created_at: ctx.now(),
        signed_in_at: None,
    }
}

async fn add(tx: &mut Tx, person: &Person, hash: Option<&str>) -> Result<()> {
    let name = names::of_mail(&person.email);
    let claimed = names::claim(tx, &name, person.merchant, &person.id.to_string(), None).await;
    claimed.map_err(|error| {
        if error.is_taken() {
            Failure::because(Code::AlreadyExists, "somebody with this e-mail address exists")
        } else {
            error.into()
        }
    })?;
    Ok(store::insert(tx, person, hash).await?)
}

/// Whoever signs in with this address.
pub async fn by_email(ctx: &Ctx, email: &str) -> Result<Option<Account>> {
    let name = names::of_mail(&email.trim().to_lowercase());
    db::read!(ctx.db, |tx| {
        let Some((merchant, id)) = names::find(tx, &name).await? else { return Ok(None) };
        let id = id.parse().map_err(Failure::internal)?;
        Ok(store::find(tx, merchant, id).await?)
    })
}

/// Somebody of a merchant, inside a caller's transaction.
pub async fn load(tx: &mut Tx, merchant: MerchantId, id: UserId) -> Result<Option<Account>> {
    Ok(store::find(tx, merchant, id).await?)
}

/// Everybody who may sign in for a merchant, or is invited to.
pub async fn team(ctx: &Ctx, merchant: MerchantId) -> Result<Vec<Person>> {
    db::read!(ctx.db, |tx| Ok(store::team(tx, merchant).await?))
}

/// Sets a password; every other session of this person ends, since somebody may have known the old one.
pub async fn choose_password(
    ctx: &Ctx,
    hasher: &Hasher,
    who: &Who,
    account: &Account,
    password: &str,
    session: sessions::SessionId,
) -> Result<()> {
    let password = checked_password(password, &account.person.email)?;
    let hash = hasher.hash(&password, &ctx.random).await?;
    db::write!(ctx.db, who.merchant, |tx| {
        if !store::set_password(tx, &account.person, &hash).await? {
            return Err(changed_meanwhile());
        }
        let ended = sessions::end_others(tx, ctx, who, session).await?;
        let note = format!("{ended} other sessions ended");
        trail::record(tx, ctx, who, Action::PasswordChanged, "", &note).await
    })
}

/// Invites somebody; the link is theirs alone.
pub async fn invite(
    ctx: &Ctx,
    who: &Who,
    actor: Role,
    email: &str,
    role: Role,
    link: &NewLink,
) -> Result<Person> {
    let email = email.trim().to_lowercase();
    if !contact::is_email(&email) {
        let wanted = "must be an e-mail address such as name@example.com";
        return Err(Failure::invalid(Vec::new()).field("email", wanted));
    }
    handled(actor, role)?;
    let invited = person(ctx, who.merchant, &email, role, UserStatus::Invited);
    db::write!(ctx.db, who.merchant, |tx| {
        add(tx, &invited, None).await.map_err(|failure| match failure.code() {
            Code::AlreadyExists => Failure::invalid(Vec::new())
                .field("email", "is somebody's who signs in here, or is invited, already"),
            _ => failure,
        })?;
        links::write(tx, ctx, who.merchant, invited.id, link).await?;
        trail::record(tx, ctx, who, Action::Invited, &email, role.as_str()).await
    })?;
    Ok(invited)
}

/// Accepts an invitation inside a caller's transaction, which also begins the session.
pub async fn accept(
    tx: &mut Tx,
    ctx: &Ctx,
    who: &Who,
    (link, account): (LinkId, &Account),
    name: &str,
    hash: &str,
) -> Result<()> {
    links::used(tx, ctx, &account.person, link).await?;
    if !store::activate(tx, &account.person, name, hash).await? {
        return Err(changed_meanwhile());
    }
    trail::record(tx, ctx, who, Action::Joined, "", account.person.role.as_str()).await
}

/// Gives somebody another role.
pub async fn change_role(
    ctx: &Ctx,
    who: &Who,
    actor: Role,
    id: UserId,
    role: Role,
) -> Result<Person> {
    db::write!(ctx.db, who.merchant, |tx| {
        let person = target(tx, who, actor, id).await?;
        handled(actor, role)?;
        if !store::set_role(tx, &person, role).await? {
            return Err(changed_meanwhile());
        }
        keeps_an_owner(tx, who.merchant).await?;
        let note = format!("{} → {}", person.role.as_str(), role.as_str());
        trail::record(tx, ctx, who, Action::RoleChanged, &person.email, &note).await?;
        Ok(person)
    })
}

/// Lets somebody go: their sessions end with that, and their address is free again.
pub async fn remove(ctx: &Ctx, who: &Who, actor: Role, id: UserId) -> Result<Person> {
    db::write!(ctx.db, who.merchant, |tx| {
        let person = target(tx, who, actor, id).await?;
        if !store::remove(tx, &person).await? {
            return Err(changed_meanwhile());
        }
        keeps_an_owner(tx, who.merchant).await?;
        sessions::end_all(tx, &person, ctx.now()).await?;
        passkeys::drop_all(tx, &person).await?;
        names::release(tx, &names::of_mail(&person.email)).await?;
        trail::record(tx, ctx, who, Action::Removed, &person.email, person.role.as_str()).await?;
        Ok(person)
    })
}

async fn target(tx: &mut Tx, who: &Who, actor: Role, id: UserId) -> Result<Person> {
    let found = store::find(tx, who.merchant, id).await?.map(|account| account.person);
    let person = found.filter(|person| person.status != UserStatus::Removed);
    let person = person.ok_or_else(|| {
        Failure::because(Code::NotFound, "there is nobody with this id in your team")
    })?;
    handled(actor, person.role)?;
    Ok(person)
}

fn handled(actor: Role, other: Role) -> Result<()> {
    if actor.may_handle(other) {
        return Ok(());
    }
    Err(Failure::because(Code::Forbidden, "only an owner gives, changes or takes this role"))
}

/// Stops a merchant from locking itself out.
async fn keeps_an_owner(tx: &mut Tx, merchant: MerchantId) -> Result<()> {
    if store::owners(tx, merchant).await? > 0 {
        return Ok(());
    }
    let why = "a team needs an owner: make somebody else one first";
    Err(Failure::because(Code::InvalidState, why))
}

fn changed_meanwhile() -> Failure {
    Failure::because(Code::InvalidState, "somebody else has changed this meanwhile; look again")
}
