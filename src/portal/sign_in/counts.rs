//! How often somebody may try. Strangers lock out themselves, not the owner.

use std::time::Duration;

use crate::{
    base::failure::Result,
    portal::{Portal, sessions, users::Person},
    web::rate_limit::Quota,
};

/// How many times as generous the limits are that many share.
const WIDE: u32 = 10;
/// Wrong codes: six digits are few, so tries are fewer.
const CODES: u32 = 5;

/// Counts a try from this address before it causes any work: one machine keeps argon2 busy for nobody.
pub(super) async fn address(room: &Portal, address: &str) -> Result<()> {
    let calls = room.guesses_per_minute.saturating_mul(WIDE);
    check(room, "portal-address", calls, address).await
}

/// Counts a guess at a password: by address and account, so that one stranger stops soon; and by
/// account over all addresses, so that many strangers stop too. The latter leaves out addresses where this
/// person has been signed in before: whatever strangers use up, the owner gets in from their own desk.
pub(in crate::portal) async fn guess(
    room: &Portal,
    address: &str,
    email: &str,
    person: Option<&Person>,
) -> Result<()> {
    let email = email.trim().to_lowercase();
    check(room, "portal-pair", room.guesses_per_minute, &format!("{address} {email}")).await?;
    if let Some(person) = person
        && sessions::is_known_address(&room.ctx, person, address).await?
    {
        return Ok(());
    }
    let calls = room.guesses_per_minute.saturating_mul(WIDE);
    check(room, "portal-account", calls, &email).await
}

/// Counts a try at a code, by person and address; and by person, the same way as passwords.
pub(in crate::portal) async fn code(room: &Portal, address: &str, person: &Person) -> Result<()> {
    check(room, "portal-code", CODES, &format!("{address} {}", person.id)).await?;
    if sessions::is_known_address(&room.ctx, person, address).await? {
        return Ok(());
    }
    check(room, "portal-codes", CODES * WIDE, &person.id.to_string()).await
}

/// Counts an answer of a passkey, by person and address. Nobody guesses a signature: what this bounds is
/// the lines that a stranger who knows a credential's id could have written into the trail.
pub(super) async fn passkey(room: &Portal, address: &str, person: &Person) -> Result<()> {
    let who = format!("{address} {}", person.id);
    check(room, "portal-passkey", room.guesses_per_minute, &who).await
}

async fn check(room: &Portal, name: &'static str, calls: u32, who: &str) -> Result<()> {
    let quota = Quota { name, calls, window: Duration::from_mins(1) };
    room.limiter.check(quota, who).await.map(|_| ())
}
