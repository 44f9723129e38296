//! Turning codes on and off, and checking them.

use super::{Enrolment, Recovery, model, store};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        hex,
        secret::Secret,
    },
    ctx::Ctx,
    db::{self, Tx},
    portal::{
        trail::{self, Action, Who},
        users::{self, Account, Person},
    },
    vault::Vault,
};

/// A code that is right, and not yet used up.
#[derive(Debug)]
pub enum Checked {
    /// From the app.
    Step(i64),
    /// From the list, by its hash.
    Recovery(String),
}

fn about(person: &Person) -> String {
    format!("portal_users/{}/totp", person.id)
}

/// Draws a secret that waits for its first code.
pub async fn begin(ctx: &Ctx, vault: &Vault, who: &Who, account: &Account) -> Result<()> {
    if account.person.totp_since.is_some() {
        return Err(Failure::because(Code::InvalidState, "sign-in codes are on already"));
    }
    let sealed = vault.seal(&about(&account.person), &ctx.random.bytes::<20>())?;
    db::write!(ctx.db, who.merchant, |tx| {
        users::set_totp(tx, &account.person, Some(&sealed), None, 0).await?;
        Ok(())
    })
}

/// What is to be put into the app, as long as codes are not on.
pub async fn enrolment(vault: &Vault, account: &Account) -> Result<Option<Enrolment>> {
    if account.person.totp_since.is_some() {
        return Ok(None);
    }
    let secret = secret(vault, account).await?;
    Ok(secret.map(|secret| Enrolment::new(secret, &account.person.email)))
}

async fn secret(vault: &Vault, account: &Account) -> Result<Option<Secret<Vec<u8>>>> {
    let Some(sealed) = &account.totp_sealed else { return Ok(None) };
    let clear = vault.open_sealed(&about(&account.person), sealed).await?;
    Ok(Some(Secret::new(clear.to_vec())))
}

/// Turns codes on, after the first one has shown that the app has the secret.
pub async fn confirm(
    ctx: &Ctx,
    vault: &Vault,
    who: &Who,
    account: &Account,
    given: &str,
) -> Result<Recovery> {
    let now = ctx.now();
    let Some(secret) =
        secret(vault, account).await?.filter(|_| account.person.totp_since.is_none())
    else {
        return Err(Failure::because(
            Code::InvalidState,
            "begin again: there is no secret to confirm",
        ));
    };
    let step =
        model::fits(secret.expose(), given, now, account.totp_last_step).ok_or_else(wrong)?;
    let recovery = Recovery::draw(&ctx.random);
    let hashes = recovery.hashes(|code| hashed(vault, &account.person, code))?;
    let sealed = account.totp_sealed.as_deref();
    db::write!(ctx.db, who.merchant, |tx| {
        users::set_totp(tx, &account.person, sealed, Some(now), step).await?;
        store::clear(tx, &account.person).await?;
        for hash in &hashes {
            store::insert(tx, &account.person, hash).await?;
        }
        trail::record(tx, ctx, who, Action::TotpOn, "", "").await
    })?;
    Ok(recovery)
}

/// Whether a code is right: one from the app, or one from the list.
pub async fn check(ctx: &Ctx, vault: &Vault, account: &Account, given: &str) -> Result<Checked> {
    let secret = secret(vault, account).await?.ok_or_else(wrong)?;
    if let Some(step) = model::fits(secret.expose(), given, ctx.now(), account.totp_last_step) {
        return Ok(Checked::Step(step));
    }
    let folded = model::folded(given);
    if folded.len() != 16 {
        return Err(wrong());
    }
    Ok(Checked::Recovery(hashed(vault, &account.person, &folded)?))
}

/// Uses a code up in the transaction of what it opens. Stops one code from opening two doors.
pub async fn claim(
    tx: &mut Tx,
    ctx: &Ctx,
    who: &Who,
    person: &Person,
    checked: &Checked,
) -> Result<()> {
    match checked {
        Checked::Step(step) => {
            if users::note_step(tx, person, *step).await? {
                Ok(())
            } else {
                Err(wrong())
            }
        }
        Checked::Recovery(hash) => {
            if !store::take(tx, person, hash).await? {
                return Err(wrong());
            }
            let left = store::count(tx, person).await?;
            let note = format!("{left} left");
            trail::record(tx, ctx, who, Action::RecoveryCodeUsed, "", &note).await
        }
    }
}

/// Turns codes off, by a code: whoever finds an open session must not be able to.
pub async fn turn_off(
    ctx: &Ctx,
    vault: &Vault,
    who: &Who,
    account: &Account,
    given: &str,
) -> Result<()> {
    let checked = check(ctx, vault, account, given).await?;
    db::write!(ctx.db, who.merchant, |tx| {
        claim(tx, ctx, who, &account.person, &checked).await?;
        users::set_totp(tx, &account.person, None, None, 0).await?;
        store::clear(tx, &account.person).await?;
        trail::record(tx, ctx, who, Action::TotpOff, "", "").await
    })
}

/// How many recovery codes are left.
pub async fn left(ctx: &Ctx, person: &Person) -> Result<i64> {
    db::read!(ctx.db, |tx| Ok(store::count(tx, person).await?))
}

/// A keyed hash: the key is not in the database, so the hash there helps nobody to guess.
fn hashed(vault: &Vault, person: &Person, folded: &str) -> Result<String> {
    let about = format!("portal_users/{}/recovery", person.id);
    Ok(hex::encode(&vault.fingerprint(&about, folded.as_bytes())?))
}

fn wrong() -> Failure {
    let what = "is not the current code, or was used already; wait for the next one";
    Failure::invalid(Vec::new()).field("code", what)
}
