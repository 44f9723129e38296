//! The statements of replicas.

use crate::{
    base::{ids::ReplicaId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
};

const FORGET: &str = "DELETE FROM replicas WHERE seen_at_us < $1";

const BEAT: &str = "INSERT INTO replicas (id, replay_store, seen_at_us) VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET seen_at_us = excluded.seen_at_us";

const OTHERS: &str = "SELECT replay_store FROM replicas WHERE id <> $1 LIMIT 1000";

const LEAVE: &str = "DELETE FROM replicas WHERE id = $1";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(FORGET),
    Statement::same(BEAT),
    Statement::same(OTHERS),
    Statement::same(LEAVE),
];

pub(super) async fn forget(tx: &mut Tx, before: Timestamp) -> Result<(), DbError> {
    db::exec!(tx, FORGET, before)?;
    Ok(())
}

pub(super) async fn beat(
    tx: &mut Tx,
    id: ReplicaId,
    replay_store: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, BEAT, id, replay_store, now)?;
    Ok(())
}

pub(super) async fn others(tx: &mut Tx, id: ReplicaId) -> Result<Vec<String>, DbError> {
    Ok(db::all!(tx, (String,), OTHERS, id)?.into_iter().map(|(store,)| store).collect())
}

pub(super) async fn leave(tx: &mut Tx, id: ReplicaId) -> Result<(), DbError> {
    db::exec!(tx, LEAVE, id)?;
    Ok(())
}
