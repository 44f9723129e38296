//! The statements of exchanges.

use super::FxExchange;
use crate::{
    base::{ids::MerchantId, pagination::PageRequest, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
    pricing::{FxExchangeId, FxQuoteId, fx::FxQuote},
};

const INSERT: &str = "INSERT INTO fx_exchanges (merchant_id, id, quote_id, entry_id, created_at_us)
    VALUES ($1, $2, $3, $4, $5)";

/// The quote's facts are the exchange's numbers: they were kept, never copied.
const LIST: &str = "SELECT x.id, x.quote_id, x.created_at_us, q.facts
    FROM fx_exchanges x
    JOIN fx_quotes q ON q.merchant_id = x.merchant_id AND q.id = x.quote_id
    WHERE x.merchant_id = $1 AND x.id < $2 ORDER BY x.id DESC LIMIT $3";

/// After every id in the order of bytes.
const AFTER_ALL: &str = "fxx_~";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[Statement::same(INSERT), Statement::same(LIST)];

pub(super) async fn insert(
    tx: &mut Tx,
    merchant: MerchantId,
    exchange: &FxExchange,
    entry: &str,
) -> Result<(), DbError> {
    let FxExchange { id, quote_id, at, .. } = exchange;
    db::exec!(tx, INSERT, merchant, id, quote_id, entry, at)?;
    Ok(())
}

/// The newest first; the primary key alone answers, however many there are.
pub(super) async fn list(
    tx: &mut Tx,
    merchant: MerchantId,
    page: &PageRequest,
) -> Result<Vec<FxExchange>, DbError> {
    type Row = (FxExchangeId, FxQuoteId, Timestamp, String);
    let after = page.after.as_deref().unwrap_or(AFTER_ALL);
    let rows = db::all!(tx, Row, LIST, merchant, after, page.fetch())?;
    let read = |(id, quote_id, at, facts): Row| {
        let numbers =
            FxQuote::read(&facts).map_err(|error| DbError::unreadable("FX quote", error))?;
        Ok(FxExchange { id, quote_id, numbers, at })
    };
    rows.into_iter().map(read).collect()
}
