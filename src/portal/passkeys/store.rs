//! The statements of passkeys, and of challenges that wait for an answer.

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
    oauth::jose::base64url,
    portal::{trail::Who, users::UserId},
};

use super::{Key, Listed, Passkey, PasskeyId};

const INSERT: &str = "INSERT INTO portal_passkeys
    (merchant_id, id, user_id, credential_id, name, passkey, created_at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

const FIND: &str = "SELECT user_id, name, passkey
    FROM portal_passkeys WHERE merchant_id = $1 AND id = $2";

const LIST: &str = "SELECT id, name, credential_id, passkey, created_at_us, used_at_us
    FROM portal_passkeys WHERE merchant_id = $1 AND user_id = $2
    ORDER BY created_at_us, id LIMIT 100";

const RENAME: &str = "UPDATE portal_passkeys SET name = $4
    WHERE merchant_id = $1 AND user_id = $2 AND id = $3";

/// Only on the state that was judged: of two answers at once with one counter, one counts.
const USE: &str = "UPDATE portal_passkeys SET passkey = $5, used_at_us = $6
    WHERE merchant_id = $1 AND user_id = $2 AND id = $3 AND passkey = $4";

const REMOVE: &str = "DELETE FROM portal_passkeys
    WHERE merchant_id = $1 AND user_id = $2 AND id = $3 RETURNING name, credential_id";

const KEEP: &str = "INSERT INTO portal_ceremonies (name, state, expires_at_us) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET state = excluded.state, expires_at_us = excluded.expires_at_us";

const TAKE: &str = "DELETE FROM portal_ceremonies WHERE name = $1 RETURNING state, expires_at_us";

const FORGET: &str = "DELETE FROM portal_ceremonies WHERE name IN
    (SELECT c.name FROM portal_ceremonies c WHERE c.expires_at_us < $1
     ORDER BY c.expires_at_us LIMIT $2)";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT),
    Statement::same(FIND),
    Statement::same(LIST),
    Statement::same(RENAME),
    Statement::same(USE),
    Statement::same(REMOVE),
    Statement::same(KEEP),
    Statement::same(TAKE),
    Statement::same(FORGET),
];

db::row! {
    struct Row {
        id: PasskeyId,
        name: String,
        credential_id: String,
        passkey: String,
        created_at_us: Timestamp,
        used_at_us: Option<Timestamp>,
    }
}

impl Row {
    fn read(self) -> Result<Listed, DbError> {
        Ok(Listed {
            id: self.id,
            name: self.name,
            credential_id: credential_id(&self.credential_id)?,
            readable: Key::read(self.passkey).is_some(),
            created_at: self.created_at_us,
            used_at: self.used_at_us,
        })
    }
}

fn credential_id(stored: &str) -> Result<Vec<u8>, DbError> {
    base64url::decode(stored).ok_or_else(|| DbError::unreadable("credential id", stored))
}

pub(super) async fn insert(
    tx: &mut Tx,
    who: &Who,
    passkey: &Passkey,
    created_at: Timestamp,
) -> Result<(), DbError> {
    let Passkey { id, name, key } = passkey;
    let (credential_id, written) = (base64url::encode(key.credential_id()), key.written());
    let (merchant, user) = (who.merchant, who.user);
    db::exec!(tx, INSERT, merchant, id, user, credential_id, name, written, created_at)?;
    Ok(())
}

/// Its owner, and what it signs in with, unless this version cannot read that.
pub(super) async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    id: PasskeyId,
) -> Result<Option<(UserId, Option<Passkey>)>, DbError> {
    let found = db::optional!(tx, (UserId, String, String), FIND, merchant, id)?;
    Ok(found.map(|(user, name, written)| {
        (user, Key::read(written).map(|key| Passkey { id, name, key }))
    }))
}

pub(super) async fn list(
    tx: &mut Tx,
    merchant: MerchantId,
    user: UserId,
) -> Result<Vec<Listed>, DbError> {
    db::all!(tx, Row, LIST, merchant, user)?.into_iter().map(Row::read).collect()
}

/// False when it is gone, or is not theirs.
pub(super) async fn rename(
    tx: &mut Tx,
    who: &Who,
    id: PasskeyId,
    name: &str,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, RENAME, who.merchant, who.user, id, name)? == 1)
}

/// False when it was used or removed since it was read.
pub(super) async fn note_use(
    tx: &mut Tx,
    who: &Who,
    id: PasskeyId,
    (before, after): (&Key, &Key),
    now: Timestamp,
) -> Result<bool, DbError> {
    let (before, after) = (before.written(), after.written());
    Ok(db::exec!(tx, USE, who.merchant, who.user, id, before, after, now)? == 1)
}

/// Its name and its credential's id; none when it is gone, or is not theirs.
pub(super) async fn remove(
    tx: &mut Tx,
    merchant: MerchantId,
    user: UserId,
    id: PasskeyId,
) -> Result<Option<(String, Vec<u8>)>, DbError> {
    let removed = db::optional!(tx, (String, String), REMOVE, merchant, user, id)?;
    removed.map(|(name, stored)| Ok((name, credential_id(&stored)?))).transpose()
}

/// Keeps a challenge; an older one of the same cookie ends with that.
pub(super) async fn keep(
    tx: &mut Tx,
    name: &str,
    state: &str,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, KEEP, name, state, expires_at)?;
    Ok(())
}

/// Takes a challenge away, for one caller only, with the end of its life.
pub(super) async fn take(tx: &mut Tx, name: &str) -> Result<Option<(String, Timestamp)>, DbError> {
    db::optional!(tx, (String, Timestamp), TAKE, name)
}

/// Drops some challenges that nobody has answered.
pub(in crate::portal) async fn forget(
    tx: &mut Tx,
    now: Timestamp,
    most: i64,
) -> Result<u64, DbError> {
    db::exec!(tx, FORGET, now, most)
}
