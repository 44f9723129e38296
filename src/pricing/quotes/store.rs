//! The statements of quotes and of the volumes that they count.

use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
        pagination::PageRequest,
        timestamp::Timestamp,
    },
    db::{self, DbError, Statement, Tx},
    money::{Amount, Currency},
    pricing::{PlanId, QuoteId},
};

use super::{Facts, Quote, QuoteState, SignedQuote};

/// Comes after every id in the order of bytes: where a list without a cursor begins.
const AFTER_ALL: &str = "pq_~";

/// Many in one trip: `$1` is a JSON array of [`written`] quotes.
const INSERT: Statement = db::statement!(
    "INSERT INTO quotes
    (merchant_id, id, state, facts, fee_minor, dest_minor, signature, created_at_us, expires_at_us)
    SELECT j.value->>0, j.value->>1, 'open', j.value->>2, CAST(j.value->>3 AS BIGINT),
        CAST(j.value->>4 AS BIGINT), j.value->>5, CAST(j.value->>6 AS BIGINT),
        CAST(j.value->>7 AS BIGINT)
    FROM ",
    JSON_ROWS("$1"),
    ""
);

const FIND: &str = "SELECT merchant_id, id, state, facts, fee_minor, dest_minor, signature,
        created_at_us, expires_at_us, consumed_at_us, consumed_by
    FROM quotes WHERE merchant_id = $1 AND id = $2";

const LIST: &str = "SELECT merchant_id, id, state, facts, fee_minor, dest_minor, signature,
        created_at_us, expires_at_us, consumed_at_us, consumed_by
    FROM quotes WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

const EACH: &str = "SELECT merchant_id, id, state, facts, fee_minor, dest_minor, signature,
        created_at_us, expires_at_us, consumed_at_us, consumed_by
    FROM quotes WHERE (merchant_id, id) > ($1, $2) ORDER BY merchant_id, id LIMIT 500";

/// The same question that the model has asked, asked again where nobody can come between; and the
/// amount counts towards the merchant's month.
const CONSUME: Statement = db::statement!(
    "UPDATE quotes SET state = 'consumed', consumed_at_us = $3, consumed_by = $4
    WHERE merchant_id = $1 AND id = $2 AND state = 'open' AND expires_at_us > $3",
    IF_CHANGED("quotes WHERE merchant_id = $1 AND id = $2"),
    "INSERT INTO monthly_volumes (merchant_id, month, currency, plan_id, minor)
    SELECT merchant_id, $5, $6, $7, CAST($8 AS BIGINT)",
    "ON CONFLICT (merchant_id, month, currency, plan_id)
        DO UPDATE SET minor = monthly_volumes.minor + excluded.minor"
);

const USED_BY: &str = "SELECT consumed_by FROM quotes
    WHERE merchant_id = $1 AND id = $2 AND state = 'consumed'";

const COUNT_VOLUME: &str =
    "INSERT INTO monthly_volumes (merchant_id, month, currency, plan_id, minor)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (merchant_id, month, currency, plan_id)
        DO UPDATE SET minor = monthly_volumes.minor + excluded.minor";

const VOLUME: &str = "SELECT CAST(COALESCE(SUM(minor), 0) AS BIGINT) FROM monthly_volumes
    WHERE merchant_id = $1 AND month = $2 AND currency = $3";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    INSERT,
    Statement::same(FIND),
    Statement::same(LIST),
    Statement::same(EACH),
    CONSUME,
    Statement::same(USED_BY),
    Statement::same(COUNT_VOLUME),
    Statement::same(VOLUME),
];

/// A quote as [`insert`] takes it.
pub(super) fn written(signed: &SignedQuote) -> Result<String> {
    let SignedQuote { quote, signature, .. } = signed;
    let (fee, dest) = (quote.outcome.fee.amount.minor(), quote.outcome.dest_amount.minor());
    let Quote { id, merchant, facts, created_at, expires_at, .. } = quote;
    let (made, ends) = (created_at.micros(), expires_at.micros());
    let row = (merchant, id, facts.write()?, fee, dest, signature, made, ends);
    serde_json::to_string(&row).map_err(Failure::internal)
}

/// Stores open quotes, all of them or none.
pub(super) async fn insert(tx: &mut Tx, quotes: &[String]) -> Result<(), DbError> {
    let rows = format!("[{}]", quotes.join(","));
    let sql = INSERT.on(tx.engine());
    let stored = db::exec!(tx, sql, rows)?;
    // An engine that breaks off without an error must not make us promise what is not there.
    let all = u64::try_from(quotes.len()).is_ok_and(|count| count == stored);
    if all { Ok(()) } else { Err(DbError::NotOneRow(stored)) }
}

db::row! {
    struct QuoteRow {
        merchant_id: MerchantId,
        id: QuoteId,
        state: String,
        facts: String,
        fee_minor: i64,
        dest_minor: i64,
        signature: String,
        created_at_us: Timestamp,
        expires_at_us: Timestamp,
        consumed_at_us: Option<Timestamp>,
        consumed_by: Option<String>,
    }
}

impl TryFrom<QuoteRow> for SignedQuote {
    type Error = DbError;

    fn try_from(row: QuoteRow) -> Result<Self, DbError> {
        let damaged = |why: String| DbError::unreadable("quote", why);
        let state = match (row.state.as_str(), row.consumed_at_us, row.consumed_by) {
            ("open", None, None) => QuoteState::Open,
            ("consumed", Some(at), Some(by)) => QuoteState::Consumed { at, by },
            _ => return Err(damaged(format!("its state is {}", row.state))),
        };
        let facts = Facts::read(&row.facts).map_err(damaged)?;
        let outcome = facts.compute().map_err(|failure| damaged(failure.to_string()))?;
        // What was promised and what follows from the facts must stay one thing: a quote for which
        // they differ is shown to nobody and used by nobody.
        if (outcome.fee.amount.minor(), outcome.dest_amount.minor())
            != (row.fee_minor, row.dest_minor)
        {
            return Err(damaged(format!("{} does not follow from its facts any more", row.id)));
        }
        let quote = Quote {
            id: row.id,
            merchant: row.merchant_id,
            facts,
            outcome,
            created_at: row.created_at_us,
            expires_at: row.expires_at_us,
            state,
        };
        Ok(Self { offer: quote.offer().into(), quote, signature: row.signature })
    }
}

pub(super) async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    id: QuoteId,
) -> Result<Option<SignedQuote>, DbError> {
    db::optional!(tx, QuoteRow, FIND, merchant, id)?.map(SignedQuote::try_from).transpose()
}

/// The newest first; the primary key alone answers, however many there are.
pub(super) async fn list(
    tx: &mut Tx,
    merchant: MerchantId,
    page: &PageRequest,
) -> Result<Vec<SignedQuote>, DbError> {
    let after = page.after.as_deref().unwrap_or(AFTER_ALL);
    let rows = db::all!(tx, QuoteRow, LIST, merchant, after, page.fetch())?;
    rows.into_iter().map(SignedQuote::try_from).collect()
}

/// Uses a quote, and counts its amount in a month; false when it was not open any more at `now`.
pub(super) async fn consume(
    tx: &mut Tx,
    quote: &Quote,
    month: &str,
    now: Timestamp,
    by: &str,
) -> Result<bool, DbError> {
    let (plan, sent) = (quote.facts.plan, quote.facts.payment.amount);
    let (currency, minor) = (sent.currency().code(), sent.minor());
    let sql = CONSUME.on(tx.engine());
    let (merchant, id) = (quote.merchant, quote.id);
    Ok(db::exec!(tx, sql, merchant, id, now, by, month, currency, plan, minor)? > 0)
}

/// Who has used a quote, if anybody has.
pub(super) async fn used_by(
    tx: &mut Tx,
    merchant: MerchantId,
    id: QuoteId,
) -> Result<Option<String>, DbError> {
    let row = db::optional!(tx, (Option<String>,), USED_BY, merchant, id)?;
    Ok(row.and_then(|(by,)| by))
}

/// Adds to what the merchant has sent in a month; takes away when negative.
pub(super) async fn count_volume(
    tx: &mut Tx,
    merchant: MerchantId,
    plan: PlanId,
    month: &str,
    sent: Amount,
) -> Result<(), DbError> {
    let currency = sent.currency().code();
    db::exec!(tx, COUNT_VOLUME, merchant, month, currency, plan, sent.minor())?;
    Ok(())
}

/// What the merchant has sent in a month, by all plans.
pub(super) async fn volume(
    tx: &mut Tx,
    merchant: MerchantId,
    month: &str,
    currency: Currency,
) -> Result<Amount, DbError> {
    let (minor,) = db::one!(tx, (i64,), VOLUME, merchant, month, currency.code())?;
    Ok(Amount::from_minor(minor, currency))
}

/// The next quotes of all merchants after a place, each with what is wrong with it.
pub(super) async fn each(
    tx: &mut Tx,
    after: &(String, String),
) -> Result<Vec<((String, String), Option<String>)>, DbError> {
    let rows = db::all!(tx, QuoteRow, EACH, &after.0, &after.1)?;
    let read = |row: QuoteRow| {
        let place = (row.merchant_id.to_string(), row.id.to_string());
        let fault = SignedQuote::try_from(row).err().map(Failure::from);
        (place, fault.and_then(|failure| failure.cause_chain()))
    };
    Ok(rows.into_iter().map(read).collect())
}
