//! The statements of the operator's desk.

use super::{Actor, Decision, Payout, PayoutStatus};
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
    payouts::PayoutId,
};

const OWNER: &str = "SELECT merchant_id FROM payouts WHERE id = $1";

const OF_STATUS: &str = "SELECT id FROM payouts
    WHERE merchant_id = $1 AND status = $2 ORDER BY id LIMIT $3";

const DECISIONS: &str = "SELECT number, decision, actor, digest, reason, at_us
    FROM payout_decisions WHERE merchant_id = $1 AND payout_id = $2 ORDER BY number LIMIT 100";

const INSERT_DECISION: &str = "INSERT INTO payout_decisions
    (merchant_id, payout_id, number, decision, actor, digest, reason, at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(OWNER),
    Statement::same(OF_STATUS),
    Statement::same(DECISIONS),
    Statement::same(INSERT_DECISION),
];

pub(super) async fn owner(tx: &mut Tx, id: PayoutId) -> Result<Option<MerchantId>, DbError> {
    Ok(db::optional!(tx, (MerchantId,), OWNER, id)?.map(|(merchant,)| merchant))
}

pub(super) async fn of_status(
    tx: &mut Tx,
    merchant: MerchantId,
    status: PayoutStatus,
    limit: i64,
) -> Result<Vec<PayoutId>, DbError> {
    let rows = db::all!(tx, (PayoutId,), OF_STATUS, merchant, status.as_str(), limit)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn decisions(
    tx: &mut Tx,
    merchant: MerchantId,
    payout: PayoutId,
) -> Result<Vec<Decision>, DbError> {
    type Row = (i64, String, String, String, Option<String>, Timestamp);
    let rows = db::all!(tx, Row, DECISIONS, merchant, payout)?;
    let read = |(number, decision, actor, digest, reason, at): Row| {
        let actor =
            actor.parse().map_err(|error: String| DbError::unreadable("decision", error))?;
        Ok(Decision { number, approved: decision == "approve", actor, digest, reason, at })
    };
    rows.into_iter().map(read).collect()
}

pub(in crate::payouts::payout) async fn insert_decision(
    tx: &mut Tx,
    payout: &Payout,
    by: &Actor,
    to: PayoutStatus,
    digest: &str,
    reason: &str,
    at: Timestamp,
) -> Result<(), DbError> {
    let decision = if to == PayoutStatus::Approved { "approve" } else { "reject" };
    let (merchant, id, number) = (payout.merchant, payout.id, payout.steps);
    let by = by.to_string();
    db::exec!(tx, INSERT_DECISION, merchant, id, number, decision, by, digest, reason, at)?;
    Ok(())
}
