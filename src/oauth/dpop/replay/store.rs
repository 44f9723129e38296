//! The statements of the record in PostgreSQL, and of the number that tells records apart.
//!
//! `replay_claims` is unlogged: a crash of the server empties it. So the row that says which record
//! this is stands in the same table, under a name shorter than any claim: a crash takes it too, and
//! no claim is written where it is missing.

use super::ReplayKey;
use crate::{
    base::timestamp::Timestamp,
    db::{self, DbError, Statement, Tx},
};

const EPOCH: &str = "SELECT value FROM generations WHERE name = 'replay'";

const FIRST_EPOCH: &str =
    "INSERT INTO generations (name, value) VALUES ('replay', 1) ON CONFLICT (name) DO NOTHING";

const NEXT_EPOCH: &str =
    "UPDATE generations SET value = value + 1 WHERE name = 'replay' AND value = $1";

const FIND_RECORD: &str = "SELECT expires_at_us FROM replay_claims WHERE claim = $1";

const IS_USED: &str =
    "SELECT expires_at_us FROM replay_claims WHERE claim = $1 AND expires_at_us > $2";

const BEGIN_RECORD: &str = "INSERT INTO replay_claims (claim, expires_at_us) VALUES ($1, $2)";

/// Many claims in one statement. `$1` holds `$2` names of 16 bytes, `$5` names the record. Of two
/// that claim at once the second waits for the first and then finds a row that has not expired.
macro_rules! claim {
    ($names:literal) => {
        concat!(
            "WITH RECURSIVE place (i) AS
                (SELECT 0 UNION ALL SELECT i + 1 FROM place WHERE i + 1 < $2)
            INSERT INTO replay_claims (claim, expires_at_us)
            SELECT substr(",
            $names,
            ", i * 16 + 1, 16), $3 FROM place
            WHERE EXISTS (SELECT 1 FROM replay_claims WHERE claim = $5)
            ON CONFLICT (claim) DO UPDATE SET expires_at_us = excluded.expires_at_us
                WHERE replay_claims.expires_at_us <= $4
            RETURNING claim"
        )
    };
}
const CLAIM: Statement = Statement { sqlite: claim!("$1"), postgres: claim!("CAST($1 AS BYTEA)") };

const SWEEP: &str = "DELETE FROM replay_claims WHERE claim IN
    (SELECT claim FROM replay_claims WHERE expires_at_us <= $1 AND length(claim) = 16
     ORDER BY expires_at_us LIMIT $2)";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(EPOCH),
    Statement::same(FIRST_EPOCH),
    Statement::same(NEXT_EPOCH),
    Statement::same(FIND_RECORD),
    Statement::same(IS_USED),
    Statement::same(BEGIN_RECORD),
    CLAIM,
    Statement::same(SWEEP),
];

/// The number of the present record; none before the first.
pub(super) async fn epoch(tx: &mut Tx) -> Result<Option<i64>, DbError> {
    Ok(db::optional!(tx, (i64,), EPOCH)?.map(|(epoch,)| epoch))
}

/// Whether this was the first record ever.
pub(super) async fn first_epoch(tx: &mut Tx) -> Result<bool, DbError> {
    Ok(db::exec!(tx, FIRST_EPOCH)? == 1)
}

/// Whether this caller, and no other replica, may begin the record after `seen`.
pub(super) async fn next_epoch(tx: &mut Tx, seen: i64) -> Result<bool, DbError> {
    Ok(db::exec!(tx, NEXT_EPOCH, seen)? == 1)
}

/// Until when the record knows nothing, if it is there.
pub(super) async fn find_record(tx: &mut Tx, epoch: i64) -> Result<Option<Timestamp>, DbError> {
    let found = db::optional!(tx, (Timestamp,), FIND_RECORD, record_name(epoch).as_slice())?;
    Ok(found.map(|(until,)| until))
}

/// Whether a use is remembered now; claims nothing.
pub(super) async fn is_used(tx: &mut Tx, key: ReplayKey, now: Timestamp) -> Result<bool, DbError> {
    let found = db::optional!(tx, (Timestamp,), IS_USED, key.to_bytes().as_slice(), now)?;
    Ok(found.is_some())
}

pub(super) async fn begin_record(
    tx: &mut Tx,
    epoch: i64,
    forgotten_until: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, BEGIN_RECORD, record_name(epoch).as_slice(), forgotten_until)?;
    Ok(())
}

/// Writes these claims into the record of `epoch`; gives those that were new.
pub(super) async fn claim(
    tx: &mut Tx,
    epoch: i64,
    keys: &[ReplayKey],
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Vec<ReplayKey>, DbError> {
    let names: Vec<u8> = keys.iter().flat_map(|key| key.to_bytes()).collect();
    let count = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let (sql, record) = (CLAIM.on(tx.engine()), record_name(epoch));
    let rows =
        db::all!(tx, (Vec<u8>,), sql, names.as_slice(), count, expires_at, now, record.as_slice())?;
    let read = |(name,): (Vec<u8>,)| {
        let name = name.try_into().map_err(|_| DbError::unreadable("claim", "not 16 bytes"))?;
        Ok(ReplayKey::from_bytes(name))
    };
    rows.into_iter().map(read).collect()
}

/// Removes up to `most` claims that no longer count; gives how many there were.
pub(super) async fn sweep(tx: &mut Tx, now: Timestamp, most: i64) -> Result<u64, DbError> {
    db::exec!(tx, SWEEP, now, most)
}

/// Shorter than the 16 bytes of a claim, so that it can never be one.
fn record_name(epoch: i64) -> Vec<u8> {
    [b"record".as_slice(), &epoch.to_be_bytes()].concat()
}
