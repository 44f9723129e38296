//! The queue's statements.

use crate::{
    base::{ids::JobId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx, expect_one, statement},
};

use super::{Job, NewJob};

const INSERT: &str = "INSERT INTO jobs
    (id, kind, unique_key, payload, state, run_at_us, attempts, created_at_us)
    VALUES ($1, $2, $3, $4, 'due', $5, 0, $6) ON CONFLICT (unique_key) DO NOTHING";

/// A running job whose lease ran out belongs to a replica that died: it is due as well.
const LEASE: Statement = statement!(
    "WITH ready AS (
        SELECT id FROM jobs
        WHERE state <> 'dead' AND run_at_us <= $1
        ORDER BY run_at_us LIMIT $2 ",
    SKIP_LOCKED,
    "
    )
    UPDATE jobs SET state = 'running', lease_id = $3, run_at_us = $4, attempts = attempts + 1
    FROM ready WHERE jobs.id = ready.id
    RETURNING jobs.id, jobs.kind, jobs.attempts, jobs.payload, jobs.lease_id"
);

const RENEW: &str =
    "UPDATE jobs SET run_at_us = $3 WHERE id = $1 AND lease_id = $2 AND state = 'running'";

const DELETE: &str = "DELETE FROM jobs WHERE id = $1 AND lease_id = $2 AND state = 'running'";

const PUT_BACK: &str = "UPDATE jobs
    SET state = $3, run_at_us = $4, attempts = $5, last_error = $6, lease_id = NULL
    WHERE id = $1 AND lease_id = $2 AND state = 'running'";

const COUNT: &str = "SELECT state, COUNT(*) FROM jobs GROUP BY state ORDER BY state";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT),
    LEASE,
    Statement::same(RENEW),
    Statement::same(DELETE),
    Statement::same(PUT_BACK),
    Statement::same(COUNT),
];

pub(super) async fn insert(
    tx: &mut Tx,
    id: JobId,
    new: &NewJob,
    now: Timestamp,
) -> Result<(), DbError> {
    let NewJob { kind, payload, run_at, unique_key } = new;
    db::exec!(tx, INSERT, id, *kind, unique_key.as_deref(), payload.as_slice(), run_at, now)?;
    Ok(())
}

db::row! {
    struct JobRow {
        id: JobId,
        kind: String,
        attempts: i64,
        payload: Vec<u8>,
        lease_id: String,
    }
}

pub(super) async fn lease(
    tx: &mut Tx,
    now: Timestamp,
    most: i64,
    lease_id: &str,
    until: Timestamp,
) -> Result<Vec<Job>, DbError> {
    let sql = LEASE.on(tx.engine());
    let rows = db::all!(tx, JobRow, sql, now, most, lease_id, until)?;
    Ok(rows
        .into_iter()
        .map(|JobRow { id, kind, attempts, payload, lease_id }| Job {
            id,
            kind,
            attempts,
            payload,
            lease_id,
        })
        .collect())
}

pub(super) async fn renew(tx: &mut Tx, job: &Job, until: Timestamp) -> Result<(), DbError> {
    expect_one(db::exec!(tx, RENEW, job.id, &job.lease_id, until)?)
}

pub(super) async fn delete(tx: &mut Tx, job: &Job) -> Result<(), DbError> {
    expect_one(db::exec!(tx, DELETE, job.id, &job.lease_id)?)
}

/// Gives a job back: due again at `at` with `attempts` counted, or dead.
pub(super) async fn put_back(
    tx: &mut Tx,
    job: &Job,
    at: Option<Timestamp>,
    attempts: i64,
    now: Timestamp,
    error: Option<&str>,
) -> Result<(), DbError> {
    let state = if at.is_some() { "due" } else { "dead" };
    let at = at.unwrap_or(now);
    expect_one(db::exec!(tx, PUT_BACK, job.id, &job.lease_id, state, at, attempts, error)?)
}

pub(super) async fn count_by_state(tx: &mut Tx) -> Result<Vec<(String, i64)>, DbError> {
    db::all!(tx, (String, i64), COUNT)
}
