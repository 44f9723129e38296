//! The statements of people.

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
};

use super::{Account, Person, Role, UserId, UserStatus};

const INSERT: &str = "INSERT INTO portal_users
    (merchant_id, id, email, name, role, status, password_hash, totp_last_step, created_at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)";

const FIND: &str = "SELECT merchant_id, id, email, name, role, status, password_hash, totp_sealed,
        totp_since_us, totp_last_step, created_at_us, signed_in_at_us
    FROM portal_users WHERE merchant_id = $1 AND id = $2";

const TEAM: &str = "SELECT merchant_id, id, email, name, role, status, password_hash, totp_sealed,
        totp_since_us, totp_last_step, created_at_us, signed_in_at_us
    FROM portal_users WHERE merchant_id = $1 AND status <> 'removed'
    ORDER BY created_at_us, id LIMIT 1000";

const OWNERS: &str = "SELECT COUNT(*) FROM portal_users
    WHERE merchant_id = $1 AND role = 'owner' AND status = 'active'";

const ANYBODY: &str = "SELECT COUNT(*) FROM (SELECT id FROM portal_users LIMIT 1) AS first_of_all";

const SET_PASSWORD: &str = "UPDATE portal_users SET password_hash = $3
    WHERE merchant_id = $1 AND id = $2 AND status = 'active'";

const ACTIVATE: &str = "UPDATE portal_users SET status = 'active', name = $3, password_hash = $4
    WHERE merchant_id = $1 AND id = $2 AND status = 'invited'";

const SET_ROLE: &str = "UPDATE portal_users SET role = $4
    WHERE merchant_id = $1 AND id = $2 AND role = $3 AND status <> 'removed'";

const REMOVE: &str = "UPDATE portal_users
    SET status = 'removed', password_hash = NULL, totp_sealed = NULL, totp_since_us = NULL
    WHERE merchant_id = $1 AND id = $2 AND role = $3 AND status <> 'removed'";

const NOTE_SIGN_IN: &str =
    "UPDATE portal_users SET signed_in_at_us = $3 WHERE merchant_id = $1 AND id = $2";

const SET_TOTP: &str = "UPDATE portal_users
    SET totp_sealed = $3, totp_since_us = $4, totp_last_step = $5
    WHERE merchant_id = $1 AND id = $2 AND status = 'active'";

const NOTE_STEP: &str = "UPDATE portal_users SET totp_last_step = $3
    WHERE merchant_id = $1 AND id = $2 AND totp_last_step < $3";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT),
    Statement::same(FIND),
    Statement::same(TEAM),
    Statement::same(OWNERS),
    Statement::same(ANYBODY),
    Statement::same(SET_PASSWORD),
    Statement::same(ACTIVATE),
    Statement::same(SET_ROLE),
    Statement::same(REMOVE),
    Statement::same(NOTE_SIGN_IN),
    Statement::same(SET_TOTP),
    Statement::same(NOTE_STEP),
];

db::row! {
    struct Row {
        merchant_id: MerchantId,
        id: UserId,
        email: String,
        name: String,
        role: String,
        status: String,
        password_hash: Option<String>,
        totp_sealed: Option<Vec<u8>>,
        totp_since_us: Option<Timestamp>,
        totp_last_step: i64,
        created_at_us: Timestamp,
        signed_in_at_us: Option<Timestamp>,
    }
}

impl TryFrom<Row> for Account {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let role = Role::parse(&row.role);
        let status = UserStatus::parse(&row.status);
        let person = Person {
            merchant: row.merchant_id,
            id: row.id,
            email: row.email,
            name: row.name,
            role: role.ok_or_else(|| DbError::unreadable("role", row.role))?,
            status: status.ok_or_else(|| DbError::unreadable("user status", row.status))?,
            totp_since: row.totp_since_us,
            created_at: row.created_at_us,
            signed_in_at: row.signed_in_at_us,
        };
        let (password_hash, totp_sealed) = (row.password_hash, row.totp_sealed);
        Ok(Self { person, password_hash, totp_sealed, totp_last_step: row.totp_last_step })
    }
}

pub(super) async fn insert(
    tx: &mut Tx,
    person: &Person,
    password_hash: Option<&str>,
) -> Result<(), DbError> {
    let Person { merchant, id, email, name, role, status, created_at, .. } = person;
    let (role, status) = (role.as_str(), status.as_str());
    db::exec!(tx, INSERT, merchant, id, email, name, role, status, password_hash, created_at)?;
    Ok(())
}

pub(super) async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    id: UserId,
) -> Result<Option<Account>, DbError> {
    db::optional!(tx, Row, FIND, merchant, id)?.map(Account::try_from).transpose()
}

pub(super) async fn team(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<Person>, DbError> {
    let rows = db::all!(tx, Row, TEAM, merchant)?;
    rows.into_iter().map(|row| Account::try_from(row).map(|account| account.person)).collect()
}

/// How many active owners there are.
pub(super) async fn owners(tx: &mut Tx, merchant: MerchantId) -> Result<i64, DbError> {
    Ok(db::one!(tx, (i64,), OWNERS, merchant)?.0)
}

/// Whether there is anybody at all.
pub(super) async fn anybody(tx: &mut Tx) -> Result<bool, DbError> {
    Ok(db::one!(tx, (i64,), ANYBODY)?.0 > 0)
}

/// False when there is no such active person.
pub(super) async fn set_password(
    tx: &mut Tx,
    person: &Person,
    hash: &str,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, SET_PASSWORD, person.merchant, person.id, hash)? == 1)
}

/// False when the invitation was accepted or withdrawn before.
pub(super) async fn activate(
    tx: &mut Tx,
    person: &Person,
    name: &str,
    hash: &str,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, ACTIVATE, person.merchant, person.id, name, hash)? == 1)
}

/// False when the role was changed meanwhile.
pub(super) async fn set_role(tx: &mut Tx, person: &Person, role: Role) -> Result<bool, DbError> {
    let Person { merchant, id, role: old, .. } = person;
    Ok(db::exec!(tx, SET_ROLE, merchant, id, old.as_str(), role.as_str())? == 1)
}

/// False when they were removed or changed meanwhile.
pub(super) async fn remove(tx: &mut Tx, person: &Person) -> Result<bool, DbError> {
    let Person { merchant, id, role, .. } = person;
    Ok(db::exec!(tx, REMOVE, merchant, id, role.as_str())? == 1)
}

/// Notes when somebody signed in.
pub(in crate::portal) async fn note_sign_in(
    tx: &mut Tx,
    merchant: MerchantId,
    user: UserId,
    now: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, NOTE_SIGN_IN, merchant, user, now)?;
    Ok(())
}

/// Sets or takes away the secret of somebody's codes; without `since` it waits for its first code.
pub(in crate::portal) async fn set_totp(
    tx: &mut Tx,
    person: &Person,
    sealed: Option<&[u8]>,
    since: Option<Timestamp>,
    last_step: i64,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, SET_TOTP, person.merchant, person.id, sealed, since, last_step)? == 1)
}

/// Claims a step; false when it, or a later one, was used before.
pub(in crate::portal) async fn note_step(
    tx: &mut Tx,
    person: &Person,
    step: i64,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, NOTE_STEP, person.merchant, person.id, step)? == 1)
}
