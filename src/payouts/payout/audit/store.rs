//! The statements of the audit of payouts.

use super::rules::{Step, Vote};
use crate::{
    base::ids::MerchantId,
    db::{self, DbError, Statement, Tx},
    payouts::PayoutId,
};

const STEPS: &str = "SELECT payout_id, number, from_status, to_status, actor, at_us
    FROM payout_transitions WHERE merchant_id = $1 AND payout_id >= $2 AND payout_id <= $3
    ORDER BY payout_id, number LIMIT 20000";

const ATTEMPTS: &str = "SELECT payout_id, COUNT(*) FROM payout_attempts
    WHERE merchant_id = $1 AND payout_id >= $2 AND payout_id <= $3
    GROUP BY payout_id ORDER BY payout_id LIMIT 20000";

const DECISIONS: &str = "SELECT payout_id, number, decision, actor, digest FROM payout_decisions
    WHERE merchant_id = $1 AND payout_id >= $2 AND payout_id <= $3
    ORDER BY payout_id, number LIMIT 20000";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] =
    &[Statement::same(STEPS), Statement::same(ATTEMPTS), Statement::same(DECISIONS)];

/// The steps of each payout between two ids, in order, as they are written.
pub(super) async fn steps(
    tx: &mut Tx,
    merchant: MerchantId,
    first: &str,
    last: &str,
) -> Result<Vec<(PayoutId, Step)>, DbError> {
    let rows = db::all!(tx, (PayoutId, _, _, _, _, _), STEPS, merchant, first, last)?;
    let step = |(id, number, from, to, actor, at)| (id, Step { number, from, to, actor, at });
    Ok(rows.into_iter().map(step).collect())
}

/// How often each was handed to a rail.
pub(super) async fn attempts(
    tx: &mut Tx,
    merchant: MerchantId,
    first: &str,
    last: &str,
) -> Result<Vec<(PayoutId, i64)>, DbError> {
    db::all!(tx, (PayoutId, i64), ATTEMPTS, merchant, first, last)
}

/// What people have said about each.
pub(super) async fn decisions(
    tx: &mut Tx,
    merchant: MerchantId,
    first: &str,
    last: &str,
) -> Result<Vec<(PayoutId, Vote)>, DbError> {
    let rows = db::all!(tx, (PayoutId, _, _, _, _), DECISIONS, merchant, first, last)?;
    let vote =
        |(id, number, decision, actor, digest)| (id, Vote { number, decision, actor, digest });
    Ok(rows.into_iter().map(vote).collect())
}
