//! The statements of sessions.

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
    portal::{
        trail::Who,
        users::{Person, Role, UserId, UserStatus},
    },
};

use super::{Session, SessionId, Stage};

const INSERT: &str = "INSERT INTO portal_sessions
    (merchant_id, id, user_id, stage, address, agent, created_at_us, seen_at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";

const FIND: &str = "SELECT s.merchant_id, s.id, s.user_id, s.stage, s.address, s.agent,
        s.created_at_us, s.seen_at_us, u.email, u.name, u.role, u.totp_since_us,
        u.created_at_us AS user_created_at_us, u.signed_in_at_us
    FROM portal_sessions s JOIN portal_users u
        ON u.merchant_id = s.merchant_id AND u.id = s.user_id
    WHERE s.merchant_id = $1 AND s.id = $2 AND s.ended_at_us IS NULL AND u.status = 'active'";

const LIST: &str = "SELECT s.merchant_id, s.id, s.user_id, s.stage, s.address, s.agent,
        s.created_at_us, s.seen_at_us, u.email, u.name, u.role, u.totp_since_us,
        u.created_at_us AS user_created_at_us, u.signed_in_at_us
    FROM portal_sessions s JOIN portal_users u
        ON u.merchant_id = s.merchant_id AND u.id = s.user_id
    WHERE s.merchant_id = $1 AND s.user_id = $2 AND s.created_at_us > $3
        AND s.ended_at_us IS NULL AND s.stage = 'full' AND u.status = 'active'
    ORDER BY s.created_at_us DESC, s.id DESC LIMIT 200";

const SEE: &str = "UPDATE portal_sessions SET seen_at_us = $3
    WHERE merchant_id = $1 AND id = $2 AND ended_at_us IS NULL AND seen_at_us < $3";

const END: &str = "UPDATE portal_sessions SET ended_at_us = $3
    WHERE merchant_id = $1 AND id = $2 AND ended_at_us IS NULL";

const END_OWN: &str = "UPDATE portal_sessions SET ended_at_us = $4
    WHERE merchant_id = $1 AND user_id = $2 AND id = $3 AND ended_at_us IS NULL";

const END_OTHERS: &str = "UPDATE portal_sessions SET ended_at_us = $4
    WHERE merchant_id = $1 AND user_id = $2 AND id <> $3 AND ended_at_us IS NULL";

const END_ALL: &str = "UPDATE portal_sessions SET ended_at_us = $3
    WHERE merchant_id = $1 AND user_id = $2 AND ended_at_us IS NULL";

const KNOWS: &str = "SELECT COUNT(*) FROM (SELECT id FROM portal_sessions
    WHERE merchant_id = $1 AND user_id = $2 AND address = $3 AND stage = 'full' LIMIT 1) AS one";

const FORGET: &str = "DELETE FROM portal_sessions WHERE created_at_us < $1";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT),
    Statement::same(FIND),
    Statement::same(LIST),
    Statement::same(SEE),
    Statement::same(END),
    Statement::same(END_OWN),
    Statement::same(END_OTHERS),
    Statement::same(END_ALL),
    Statement::same(KNOWS),
    Statement::same(FORGET),
];

db::row! {
    struct Row {
        merchant_id: MerchantId,
        id: SessionId,
        user_id: UserId,
        stage: String,
        address: String,
        agent: String,
        created_at_us: Timestamp,
        seen_at_us: Timestamp,
        email: String,
        name: String,
        role: String,
        totp_since_us: Option<Timestamp>,
        user_created_at_us: Timestamp,
        signed_in_at_us: Option<Timestamp>,
    }
}

impl TryFrom<Row> for Session {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let (role, stage) = (Role::parse(&row.role), Stage::parse(&row.stage));
        let person = Person {
            merchant: row.merchant_id,
            id: row.user_id,
            email: row.email,
            name: row.name,
            role: role.ok_or_else(|| DbError::unreadable("role", row.role))?,
            // The statement leaves out all others.
            status: UserStatus::Active,
            totp_since: row.totp_since_us,
            created_at: row.user_created_at_us,
            signed_in_at: row.signed_in_at_us,
        };
        Ok(Self {
            id: row.id,
            person,
            stage: stage.ok_or_else(|| DbError::unreadable("stage", row.stage))?,
            address: row.address,
            agent: row.agent,
            created_at: row.created_at_us,
            seen_at: row.seen_at_us,
        })
    }
}

pub(super) async fn insert(
    tx: &mut Tx,
    who: &Who,
    id: SessionId,
    stage: Stage,
    agent: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let Who { merchant, user, address, .. } = who;
    db::exec!(tx, INSERT, merchant, id, user, stage.as_str(), address, agent, now)?;
    Ok(())
}

pub(super) async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    id: SessionId,
) -> Result<Option<Session>, DbError> {
    db::optional!(tx, Row, FIND, merchant, id)?.map(Session::try_from).transpose()
}

pub(super) async fn list(
    tx: &mut Tx,
    person: &Person,
    since: Timestamp,
) -> Result<Vec<Session>, DbError> {
    let rows = db::all!(tx, Row, LIST, person.merchant, person.id, since)?;
    rows.into_iter().map(Session::try_from).collect()
}

pub(super) async fn see(
    tx: &mut Tx,
    merchant: MerchantId,
    id: SessionId,
    now: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, SEE, merchant, id, now)?;
    Ok(())
}

/// False when it had ended.
pub(super) async fn end(
    tx: &mut Tx,
    merchant: MerchantId,
    id: SessionId,
    now: Timestamp,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, END, merchant, id, now)? == 1)
}

/// False when it had ended, or is not theirs.
pub(super) async fn end_own(
    tx: &mut Tx,
    who: &Who,
    id: SessionId,
    now: Timestamp,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, END_OWN, who.merchant, who.user, id, now)? == 1)
}

pub(super) async fn end_others(
    tx: &mut Tx,
    who: &Who,
    but: SessionId,
    now: Timestamp,
) -> Result<u64, DbError> {
    db::exec!(tx, END_OTHERS, who.merchant, who.user, but, now)
}

/// Ends every session of somebody.
pub(in crate::portal) async fn end_all(
    tx: &mut Tx,
    person: &Person,
    now: Timestamp,
) -> Result<u64, DbError> {
    db::exec!(tx, END_ALL, person.merchant, person.id, now)
}

pub(super) async fn knows(tx: &mut Tx, person: &Person, address: &str) -> Result<bool, DbError> {
    Ok(db::one!(tx, (i64,), KNOWS, person.merchant, person.id, address)?.0 > 0)
}

/// Drops sessions that began before this.
pub(in crate::portal) async fn forget(tx: &mut Tx, before: Timestamp) -> Result<u64, DbError> {
    db::exec!(tx, FORGET, before)
}
