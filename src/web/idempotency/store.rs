//! The statements of idempotency keys.

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
};

use super::{Answer, Key, KeyUse, Request, model::Stored};

const INSERT_KEY: &str = "INSERT INTO idempotency_keys
    (merchant_id, operation, key, request_hash, resource_id, created_at_us)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

const FIND: &str = "SELECT k.request_hash, k.resource_id, a.status, a.body
    FROM idempotency_keys k
    LEFT JOIN idempotency_answers a
        ON a.merchant_id = k.merchant_id AND a.operation = k.operation AND a.key = k.key
    WHERE k.merchant_id = $1 AND k.operation = $2 AND k.key = $3";

const INSERT_ANSWER: &str = "INSERT INTO idempotency_answers
    (merchant_id, operation, key, status, body, created_at_us) VALUES ($1, $2, $3, $4, $5, $6)";

const FORGET: &str = "DELETE FROM idempotency_answers
    WHERE (merchant_id, operation, key) IN (
        SELECT merchant_id, operation, key FROM idempotency_answers
        WHERE created_at_us < $1 ORDER BY created_at_us LIMIT $2)";

/// From one operation to the next by the primary key: there are a few operations and many keys, and no
/// write shall pay for an index that only this question needs. A cross join keeps SQLite to this order.
const USES: &str = "WITH RECURSIVE operations (name) AS (
        SELECT (SELECT MIN(operation) FROM idempotency_keys WHERE merchant_id = $1)
        UNION ALL
        SELECT (SELECT MIN(k.operation) FROM idempotency_keys k
            WHERE k.merchant_id = $1 AND k.operation > operations.name)
        FROM operations WHERE operations.name IS NOT NULL)
    SELECT k.operation, k.resource_id, k.created_at_us, a.status
    FROM operations o CROSS JOIN idempotency_keys k
    LEFT JOIN idempotency_answers a
        ON a.merchant_id = k.merchant_id AND a.operation = k.operation AND a.key = k.key
    WHERE o.name IS NOT NULL AND k.merchant_id = $1 AND k.operation = o.name AND k.key = $2
    ORDER BY k.operation LIMIT 1000";

const ERASE_ANSWERS: &str = "DELETE FROM idempotency_answers WHERE merchant_id = $1";
const ERASE_KEYS: &str = "DELETE FROM idempotency_keys WHERE merchant_id = $1";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT_KEY),
    Statement::same(FIND),
    Statement::same(INSERT_ANSWER),
    Statement::same(FORGET),
    Statement::same(USES),
    Statement::same(ERASE_ANSWERS),
    Statement::same(ERASE_KEYS),
];

/// True when the key was free.
pub(super) async fn insert_key(
    tx: &mut Tx,
    request: &Request,
    makes: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let Request { merchant, operation, key, .. } = request;
    let key = key.as_str();
    let hash = request.hash();
    Ok(db::exec!(tx, INSERT_KEY, merchant, *operation, key, hash, makes, now)? == 1)
}

type Row = (Vec<u8>, String, Option<i64>, Option<Vec<u8>>);

pub(super) async fn find(tx: &mut Tx, request: &Request) -> Result<Stored, DbError> {
    read(db::one!(tx, Row, FIND, request.merchant, request.operation, request.key.as_str())?)
}

pub(super) async fn find_if_any(tx: &mut Tx, request: &Request) -> Result<Option<Stored>, DbError> {
    let Request { merchant, operation, key, .. } = request;
    db::optional!(tx, Row, FIND, merchant, *operation, key.as_str())?.map(read).transpose()
}

fn read(row: Row) -> Result<Stored, DbError> {
    let (hash, made, status, body) = row;
    let status = status
        .map(u16::try_from)
        .transpose()
        .map_err(|error| DbError::unreadable("answer status", error))?;
    Ok(Stored { hash, made, answer: status.zip(body) })
}

pub(super) async fn insert_answer(
    tx: &mut Tx,
    request: &Request,
    answer: &Answer,
    now: Timestamp,
) -> Result<(), DbError> {
    let Request { merchant, operation, key, .. } = request;
    let status = i64::from(answer.status);
    let body = answer.body.as_slice();
    db::exec!(tx, INSERT_ANSWER, merchant, *operation, key.as_str(), status, body, now)?;
    Ok(())
}

/// Drops some answers from before `before`; their keys stay, and refuse to act twice, for ever.
pub async fn forget_answers(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, DbError> {
    db::exec!(tx, FORGET, before, limit)
}

/// Every operation of a merchant that has used a key.
pub(super) async fn uses(
    tx: &mut Tx,
    merchant: MerchantId,
    key: &Key,
) -> Result<Vec<KeyUse>, DbError> {
    type Row = (String, String, Timestamp, Option<i64>);
    let rows = db::all!(tx, Row, USES, merchant, key.as_str())?;
    let read = |(operation, resource_id, at, status): Row| {
        let status = status.map(u16::try_from).transpose();
        let status = status.map_err(|error| DbError::unreadable("answer status", error))?;
        Ok(KeyUse { operation, resource_id, at, status })
    };
    rows.into_iter().map(read).collect()
}

/// Takes every key of a merchant away, with the answers.
pub(super) async fn erase(tx: &mut Tx, merchant: MerchantId) -> Result<(), DbError> {
    for sql in [ERASE_ANSWERS, ERASE_KEYS] {
        db::exec!(tx, sql, merchant)?;
    }
    Ok(())
}
