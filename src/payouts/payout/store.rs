//! The statements of payouts.

use std::time::Duration;

use super::{
    Actor, Amounts, FeeBearer, Filter, FixedSide, Moments, Payout, PayoutStatus, Railed, Transition,
};
use crate::{
    base::{
        ids::{self, MerchantId},
        metadata::Metadata,
        pagination::PageRequest,
        timestamp::Timestamp,
    },
    db::{self, DbError, Statement, Tx},
    ledger::HoldId,
    money::{Amount, Currency},
    payouts::{
        BeneficiaryId, InstrumentId, PayoutId,
        rails::{Attempt, RailType},
    },
    pricing::{Method, PlanId, QuoteId},
};

/// Comes after every id in the order of bytes: where a list without a cursor begins.
const AFTER_ALL: &str = "pay_~";
/// Longer than any write waits for its turn.
const WRITTEN_WITHIN: Duration = Duration::from_hours(1);

macro_rules! columns {
    () => {
        "merchant_id, id, beneficiary_id, instrument_id, quote_id, plan_id,
        source_currency, source_minor, dest_currency, dest_minor, fee_currency, fee_minor, fee_bearer,
        fixed_side, buffer_minor, margin_minor, exchange_rate, method, rail_type, network, purpose,
        reference, metadata, made_by, hold_id, fee_hold_id, status, reason, rail_provider,
        rail_reference, steps, screened_at_us, approved_at_us, processed_at_us, completed_at_us,
        failed_at_us, cancelled_at_us, created_at_us, updated_at_us"
    };
}

/// A payout with its first step.
const INSERT: Statement = db::statement!(
    "INSERT INTO payouts
    (merchant_id, id, beneficiary_id, instrument_id, quote_id, plan_id,
     source_currency, source_minor, dest_currency, dest_minor, fee_currency, fee_minor, fee_bearer,
     fixed_side, buffer_minor, margin_minor, exchange_rate, method, rail_type, network, purpose,
     reference, metadata, made_by, hold_id, fee_hold_id, status, steps, created_at_us, updated_at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
     $21, $22, $23, $24, $25, $26, $27, $28, $29, $29)",
    IF_CHANGED("payouts WHERE merchant_id = $1 AND id = $2"),
    "INSERT INTO payout_transitions
    (merchant_id, payout_id, number, to_status, actor, cause, at_us)
    SELECT merchant_id, id, steps, status, made_by, $30, created_at_us",
    ""
);

const FIND: &str =
    concat!("SELECT ", columns!(), " FROM payouts WHERE merchant_id = $1 AND id = $2");

const EACH: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payouts WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3"
);

const NEXT_MERCHANT: &str = "SELECT MIN(merchant_id) FROM payouts WHERE merchant_id > $1";

/// A step is taken from the step before it and from no other.
const STEP: &str = "UPDATE payouts
    SET status = $4, reason = $5, rail_provider = $6, rail_reference = $7, steps = $8,
        screened_at_us = $9, approved_at_us = $10, processed_at_us = $11, completed_at_us = $12,
        failed_at_us = $13, cancelled_at_us = $14, updated_at_us = $15
    WHERE merchant_id = $1 AND id = $2 AND steps = $3";

const RECORD: &str = "INSERT INTO payout_transitions
    (merchant_id, payout_id, number, from_status, to_status, actor, cause, at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const TIMELINE: &str = "SELECT number, from_status, to_status, actor, cause, at_us
    FROM payout_transitions WHERE merchant_id = $1 AND payout_id = $2 ORDER BY number LIMIT 100";

const INSERT_ATTEMPT: &str = "INSERT INTO payout_attempts
    (merchant_id, payout_id, id, rail, submitted_at_us) VALUES ($1, $2, $3, $4, $5)";

const FIND_ATTEMPT: &str = "SELECT id, rail, submitted_at_us
    FROM payout_attempts WHERE merchant_id = $1 AND payout_id = $2";

/// A payout that came to nothing proves nothing about its instrument.
const EARLIER: &str = "SELECT COUNT(*) FROM (SELECT id FROM payouts
    WHERE merchant_id = $1 AND beneficiary_id = $2 AND instrument_id = $3 AND id <> $4
      AND status IN ('sent', 'completed') LIMIT 1) AS earlier";

/// One list for each filter that can be narrow, so that each has an index to walk; the wide ones are
/// looked at on the way.
macro_rules! list {
    ($index:literal, $narrow:literal) => {
        db::statement!(
            concat!("SELECT ", columns!(), " FROM payouts"),
            INDEXED_BY($index),
            concat!(
                "WHERE merchant_id = $1 AND id < $2 AND ",
                $narrow,
                " AND (CAST($5 AS TEXT) IS NULL OR method = $5)
              AND (CAST($6 AS TEXT) IS NULL OR source_currency = $6 OR dest_currency = $6)
              AND created_at_us >= $7 AND created_at_us < $8
              AND (CAST($9 AS TEXT) IS NULL OR status = $9)
              AND (CAST($10 AS TEXT) IS NULL OR beneficiary_id = $10)
              AND (CAST($11 AS TEXT) IS NULL OR reference = $11)
              AND id >= $12
            ORDER BY id DESC LIMIT $3"
            )
        )
    };
}

/// The last id among so many, by the same index as the list.
macro_rules! floor {
    ($index:literal, $narrow:literal) => {
        db::statement!(
            "SELECT id FROM payouts",
            INDEXED_BY($index),
            concat!(
                "WHERE merchant_id = $1 AND id < $2 AND id >= $5 AND ",
                $narrow,
                " ORDER BY id DESC LIMIT 1 OFFSET $3"
            )
        )
    };
}

const LIST: Statement = list!("sqlite_autoindex_payouts_1", "CAST($4 AS TEXT) IS NULL");
const LIST_BY_STATUS: Statement = list!("payouts_by_status", "status = $4");
const LIST_BY_BENEFICIARY: Statement = list!("payouts_by_beneficiary", "beneficiary_id = $4");
const LIST_BY_REFERENCE: Statement = list!("payouts_by_reference", "reference = $4");
const LIST_BY_QUOTE: Statement = list!("sqlite_autoindex_payouts_2", "quote_id = $4");

const FLOOR: Statement = floor!("sqlite_autoindex_payouts_1", "CAST($4 AS TEXT) IS NULL");
const FLOOR_BY_STATUS: Statement = floor!("payouts_by_status", "status = $4");
const FLOOR_BY_BENEFICIARY: Statement = floor!("payouts_by_beneficiary", "beneficiary_id = $4");
const FLOOR_BY_REFERENCE: Statement = floor!("payouts_by_reference", "reference = $4");
const FLOOR_BY_QUOTE: Statement = floor!("sqlite_autoindex_payouts_2", "quote_id = $4");

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    INSERT,
    Statement::same(FIND),
    Statement::same(EACH),
    Statement::same(NEXT_MERCHANT),
    Statement::same(STEP),
    Statement::same(RECORD),
    Statement::same(TIMELINE),
    Statement::same(INSERT_ATTEMPT),
    Statement::same(FIND_ATTEMPT),
    Statement::same(EARLIER),
    LIST,
    LIST_BY_STATUS,
    LIST_BY_BENEFICIARY,
    LIST_BY_REFERENCE,
    LIST_BY_QUOTE,
    FLOOR,
    FLOOR_BY_STATUS,
    FLOOR_BY_BENEFICIARY,
    FLOOR_BY_REFERENCE,
    FLOOR_BY_QUOTE,
];

/// Writes a payout and its first step.
pub(super) async fn insert(tx: &mut Tx, payout: &Payout, cause: &str) -> Result<(), DbError> {
    let Amounts { source, dest, fee, bearer, fixed, buffer, rate, margin } = payout.amounts;
    let sql = INSERT.on(tx.engine());
    db::exec!(
        tx,
        sql,
        payout.merchant,
        payout.id,
        payout.beneficiary,
        payout.instrument,
        payout.quote,
        payout.plan,
        source.currency().code(),
        source.minor(),
        dest.currency().code(),
        dest.minor(),
        fee.currency().code(),
        fee.minor(),
        bearer.as_str(),
        fixed.as_str(),
        buffer.minor(),
        margin.minor(),
        rate.map(|rate| rate.to_string()),
        payout.method.as_str(),
        payout.rail_type.as_str(),
        payout.network.as_deref(),
        payout.purpose.as_deref(),
        payout.reference.as_deref(),
        payout.metadata.to_json(),
        payout.made_by.to_string(),
        payout.hold,
        payout.fee_hold,
        payout.status.as_str(),
        payout.steps,
        payout.created_at,
        cause
    )?;
    Ok(())
}

db::row! {
    struct PayoutRow {
        merchant_id: MerchantId,
        id: PayoutId,
        beneficiary_id: BeneficiaryId,
        instrument_id: InstrumentId,
        quote_id: QuoteId,
        plan_id: PlanId,
        source_currency: String,
        source_minor: i64,
        dest_currency: String,
        dest_minor: i64,
        fee_currency: String,
        fee_minor: i64,
        fee_bearer: String,
        fixed_side: String,
        buffer_minor: i64,
        margin_minor: i64,
        exchange_rate: Option<String>,
        method: String,
        rail_type: String,
        network: Option<String>,
        purpose: Option<String>,
        reference: Option<String>,
        metadata: String,
        made_by: String,
        hold_id: HoldId,
        fee_hold_id: Option<HoldId>,
        status: String,
        reason: Option<String>,
        rail_provider: Option<String>,
        rail_reference: Option<String>,
        steps: i64,
        screened_at_us: Option<Timestamp>,
        approved_at_us: Option<Timestamp>,
        processed_at_us: Option<Timestamp>,
        completed_at_us: Option<Timestamp>,
        failed_at_us: Option<Timestamp>,
        cancelled_at_us: Option<Timestamp>,
        created_at_us: Timestamp,
        updated_at_us: Timestamp,
    }
}

impl PayoutRow {
    fn amounts(&self) -> Option<Amounts> {
        let currency = |code: &str| code.parse::<Currency>().ok();
        let source = currency(&self.source_currency)?;
        let dest = currency(&self.dest_currency)?;
        let rate = self.exchange_rate.as_deref().map(str::parse).transpose().ok()?;
        Some(Amounts {
            source: Amount::from_minor(self.source_minor, source),
            dest: Amount::from_minor(self.dest_minor, dest),
            fee: Amount::from_minor(self.fee_minor, currency(&self.fee_currency)?),
            bearer: FeeBearer::parse(&self.fee_bearer)?,
            fixed: FixedSide::parse(&self.fixed_side)?,
            buffer: Amount::from_minor(self.buffer_minor, source),
            rate,
            margin: Amount::from_minor(self.margin_minor, dest),
        })
    }

    fn read(self) -> Option<Payout> {
        Some(Payout {
            amounts: self.amounts()?,
            id: self.id,
            merchant: self.merchant_id,
            beneficiary: self.beneficiary_id,
            instrument: self.instrument_id,
            quote: self.quote_id,
            plan: self.plan_id,
            method: self.method.parse::<Method>().ok()?,
            rail_type: RailType::parse(&self.rail_type)?,
            network: self.network,
            purpose: self.purpose,
            reference: self.reference,
            metadata: Metadata::stored(&self.metadata).ok()?,
            made_by: self.made_by.parse::<Actor>().ok()?,
            hold: self.hold_id,
            fee_hold: self.fee_hold_id,
            status: PayoutStatus::parse(&self.status)?,
            reason: self.reason,
            moments: Moments {
                screened: self.screened_at_us,
                approved: self.approved_at_us,
                processed: self.processed_at_us,
                completed: self.completed_at_us,
                failed: self.failed_at_us,
                cancelled: self.cancelled_at_us,
            },
            railed: Railed { provider: self.rail_provider, reference: self.rail_reference },
            steps: self.steps,
            created_at: self.created_at_us,
            updated_at: self.updated_at_us,
        })
    }
}

impl TryFrom<PayoutRow> for Payout {
    type Error = DbError;

    fn try_from(row: PayoutRow) -> Result<Self, DbError> {
        let id = row.id;
        row.read().ok_or_else(|| DbError::unreadable("payout", format!("{id} holds unknown words")))
    }
}

pub(super) async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    id: PayoutId,
) -> Result<Option<Payout>, DbError> {
    db::optional!(tx, PayoutRow, FIND, merchant, id)?.map(Payout::try_from).transpose()
}

/// A merchant's payouts after one, the oldest first; one that cannot be read is an error of its own.
pub(super) async fn each(
    tx: &mut Tx,
    merchant: MerchantId,
    after: &str,
    limit: i64,
) -> Result<Vec<(PayoutId, Result<Payout, DbError>)>, DbError> {
    let rows = db::all!(tx, PayoutRow, EACH, merchant, after, limit)?;
    Ok(rows.into_iter().map(|row| (row.id, Payout::try_from(row))).collect())
}

/// The next merchant that has payouts: one step in the index, however many payouts there are.
pub(super) async fn next_merchant(
    tx: &mut Tx,
    after: Option<MerchantId>,
) -> Result<Option<MerchantId>, DbError> {
    let after = after.map(|merchant| merchant.to_string()).unwrap_or_default();
    let (next,) = db::one!(tx, (Option<MerchantId>,), NEXT_MERCHANT, after)?;
    Ok(next)
}

/// The statements of a filter, of the list and of its floor, and what they are narrowed by.
fn narrowest(filter: &Filter) -> (Statement, Statement, Option<String>) {
    let status = filter.status.map(|status| status.as_str().to_owned());
    let quote = filter.quote.map(|id| id.to_string());
    let payee = filter.beneficiary.map(|id| id.to_string());
    match (quote, filter.reference.clone(), payee, status) {
        (quote @ Some(_), ..) => (LIST_BY_QUOTE, FLOOR_BY_QUOTE, quote),
        (_, reference @ Some(_), ..) => (LIST_BY_REFERENCE, FLOOR_BY_REFERENCE, reference),
        (_, _, payee @ Some(_), _) => (LIST_BY_BENEFICIARY, FLOOR_BY_BENEFICIARY, payee),
        (_, _, _, status @ Some(_)) => (LIST_BY_STATUS, FLOOR_BY_STATUS, status),
        _ => (LIST, FLOOR, None),
    }
}

/// Between which ids a filter can find anything. An id is made a moment before its payout is written,
/// so that both ends keep a distance; the times themselves decide.
fn bounds(filter: &Filter, page: &PageRequest) -> (String, String) {
    let place = |at: Timestamp| format!("{}{}", PayoutId::PREFIX, ids::first_at(at));
    let after = page.after.clone().unwrap_or_else(|| AFTER_ALL.to_owned());
    let until = filter.until.map(|until| place(until.plus(WRITTEN_WITHIN)));
    let below = until.map_or_else(|| after.clone(), |until| until.min(after.clone()));
    let from = filter.from.map(|from| place(from.minus(WRITTEN_WITHIN)));
    (below, from.unwrap_or_default())
}

/// The newest first, none of them older than the floor.
pub(super) async fn list(
    tx: &mut Tx,
    merchant: MerchantId,
    filter: &Filter,
    page: &PageRequest,
    floor: Option<PayoutId>,
) -> Result<Vec<Payout>, DbError> {
    let (below, lowest) = bounds(filter, page);
    let lowest = floor.map_or(lowest, |floor| floor.to_string());
    let (list, _, narrow) = narrowest(filter);
    let sql = list.on(tx.engine());
    let rows = db::all!(
        tx,
        PayoutRow,
        sql,
        merchant,
        below,
        page.fetch(),
        narrow,
        filter.method.map(Method::as_str),
        filter.currency.map(Currency::code),
        filter.from.unwrap_or(Timestamp::from_micros(0)),
        filter.until.unwrap_or(Timestamp::from_micros(i64::MAX)),
        filter.status.map(PayoutStatus::as_str),
        filter.beneficiary.map(|id| id.to_string()),
        filter.reference.as_deref(),
        lowest
    )?;
    rows.into_iter().map(Payout::try_from).collect()
}

/// The last of so many payouts that the index of a filter leads through, if there are as many.
pub(super) async fn floor(
    tx: &mut Tx,
    merchant: MerchantId,
    filter: &Filter,
    page: &PageRequest,
    many: i64,
) -> Result<Option<PayoutId>, DbError> {
    let (below, lowest) = bounds(filter, page);
    let (_, floor, narrow) = narrowest(filter);
    let sql = floor.on(tx.engine());
    let row = db::optional!(tx, (PayoutId,), sql, merchant, below, many - 1, narrow, lowest)?;
    Ok(row.map(|(id,)| id))
}

/// False when somebody else took a step first.
pub(super) async fn step(tx: &mut Tx, payout: &Payout, before: i64) -> Result<bool, DbError> {
    let Moments { screened, approved, processed, completed, failed, cancelled } = payout.moments;
    let changed = db::exec!(
        tx,
        STEP,
        payout.merchant,
        payout.id,
        before,
        payout.status.as_str(),
        payout.reason.as_deref(),
        payout.railed.provider.as_deref(),
        payout.railed.reference.as_deref(),
        payout.steps,
        screened,
        approved,
        processed,
        completed,
        failed,
        cancelled,
        payout.updated_at
    )?;
    Ok(changed == 1)
}

pub(super) async fn record(
    tx: &mut Tx,
    merchant: MerchantId,
    payout: PayoutId,
    transition: &Transition,
) -> Result<(), DbError> {
    let Transition { number, from, to, actor, cause, at } = transition;
    let (from, actor) = (from.map(PayoutStatus::as_str), actor.to_string());
    db::exec!(tx, RECORD, merchant, payout, number, from, to.as_str(), actor, cause, at)?;
    Ok(())
}

pub(super) async fn timeline(
    tx: &mut Tx,
    merchant: MerchantId,
    payout: PayoutId,
) -> Result<Vec<Transition>, DbError> {
    type Row = (i64, Option<String>, String, String, String, Timestamp);
    let rows = db::all!(tx, Row, TIMELINE, merchant, payout)?;
    let read = |(number, from, to, actor, cause, at): Row| {
        let from = match from {
            Some(word) => Some(PayoutStatus::parse(&word)?),
            None => None,
        };
        let (to, actor) = (PayoutStatus::parse(&to)?, actor.parse().ok()?);
        Some(Transition { number, from, to, actor, cause, at })
    };
    let damaged = || DbError::unreadable("payout", format!("{payout} has taken unknown steps"));
    rows.into_iter().map(|row| read(row).ok_or_else(damaged)).collect()
}

pub(super) async fn insert_attempt(
    tx: &mut Tx,
    merchant: MerchantId,
    payout: PayoutId,
    attempt: &Attempt,
) -> Result<(), DbError> {
    let Attempt { id, rail, submitted_at } = attempt;
    db::exec!(tx, INSERT_ATTEMPT, merchant, payout, id, rail, submitted_at)?;
    Ok(())
}

pub(super) async fn find_attempt(
    tx: &mut Tx,
    merchant: MerchantId,
    payout: PayoutId,
) -> Result<Option<Attempt>, DbError> {
    let row = db::optional!(tx, (_, String, Timestamp), FIND_ATTEMPT, merchant, payout)?;
    Ok(row.map(|(id, rail, submitted_at)| Attempt { id, rail, submitted_at }))
}

/// Whether nothing was ever paid through this instrument.
pub(super) async fn is_first(tx: &mut Tx, payout: &Payout) -> Result<bool, DbError> {
    let Payout { merchant, beneficiary, instrument, id, .. } = payout;
    let (earlier,) = db::one!(tx, (i64,), EARLIER, merchant, beneficiary, instrument, id)?;
    Ok(earlier == 0)
}
