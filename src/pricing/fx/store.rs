//! The statements of rates and FX quotes.

use std::collections::BTreeMap;

use time::{Date, format_description::BorrowedFormatItem, macros::format_description};

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
    money::{Currency, Rate},
    pricing::FxQuoteId,
};

use super::{DayRates, FxQuote, FxQuoteState, Source};

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// A day that was corrected by its source is corrected here; one that is the same is not touched.
const SAVE_DAY: &str = "INSERT INTO fx_day_rates (source, day, rates, stored_at_us)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (source, day) DO UPDATE
        SET rates = excluded.rates, stored_at_us = excluded.stored_at_us
        WHERE fx_day_rates.rates <> excluded.rates";

const NEWEST_DAY: &str = "SELECT day, rates FROM fx_day_rates
    WHERE source = $1 ORDER BY day DESC LIMIT 1";

const INSERT_QUOTE: &str = "INSERT INTO fx_quotes
    (merchant_id, id, state, locked, facts, created_at_us, expires_at_us)
    VALUES ($1, $2, 'open', $3, $4, $5, $6)";

const FIND_QUOTE: &str = "SELECT merchant_id, id, state, locked, facts, created_at_us,
        expires_at_us, consumed_at_us, consumed_by
    FROM fx_quotes WHERE merchant_id = $1 AND id = $2";

/// The same question that the model has asked, asked again where nobody can come between.
const CONSUME_QUOTE: &str = "UPDATE fx_quotes
    SET state = 'consumed', consumed_at_us = $3, consumed_by = $4
    WHERE merchant_id = $1 AND id = $2 AND state = 'open' AND expires_at_us > $3";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(SAVE_DAY),
    Statement::same(NEWEST_DAY),
    Statement::same(INSERT_QUOTE),
    Statement::same(FIND_QUOTE),
    Statement::same(CONSUME_QUOTE),
];

/// True when the day was new or has changed.
pub(super) async fn save_day(
    tx: &mut Tx,
    source: Source,
    day: &DayRates,
    now: Timestamp,
) -> Result<bool, DbError> {
    let date = day.date.format(DAY).map_err(|error| DbError::unreadable("day", error))?;
    let rates: BTreeMap<Currency, String> = day
        .currencies()
        .filter(|currency| *currency != Currency::EUR)
        .filter_map(|currency| Some((currency, day.per_euro(currency)?.to_string())))
        .collect();
    let rates =
        serde_json::to_string(&rates).map_err(|error| DbError::unreadable("rates", error))?;
    Ok(db::exec!(tx, SAVE_DAY, source.as_str(), date, rates, now)? == 1)
}

/// The newest day of a source.
pub(super) async fn newest_day(tx: &mut Tx, source: Source) -> Result<Option<DayRates>, DbError> {
    let Some((day, rates)) = db::optional!(tx, (String, String), NEWEST_DAY, source.as_str())?
    else {
        return Ok(None);
    };
    let date = Date::parse(&day, DAY).map_err(|error| DbError::unreadable("day", error))?;
    let texts: BTreeMap<Currency, String> =
        serde_json::from_str(&rates).map_err(|error| DbError::unreadable("rates", error))?;
    let parsed: Result<BTreeMap<Currency, Rate>, _> =
        texts.into_iter().map(|(currency, text)| Ok((currency, text.parse()?))).collect();
    let rates = parsed
        .map_err(|error: crate::money::MoneyError| DbError::unreadable("exchange rate", error))?;
    Ok(Some(DayRates::new(date, rates)))
}

pub(super) async fn insert_quote(tx: &mut Tx, quote: &FxQuote) -> Result<(), DbError> {
    let FxQuote { id, merchant, locked, created_at, expires_at, .. } = quote;
    let facts = quote.write().map_err(|error| DbError::unreadable("FX quote", error))?;
    let locked = i64::from(*locked);
    db::exec!(tx, INSERT_QUOTE, merchant, id, locked, facts, created_at, expires_at)?;
    Ok(())
}

db::row! {
    struct QuoteRow {
        merchant_id: MerchantId,
        id: FxQuoteId,
        state: String,
        locked: i64,
        facts: String,
        created_at_us: Timestamp,
        expires_at_us: Timestamp,
        consumed_at_us: Option<Timestamp>,
        consumed_by: Option<String>,
    }
}

pub(super) async fn find_quote(
    tx: &mut Tx,
    merchant: MerchantId,
    id: FxQuoteId,
) -> Result<Option<FxQuote>, DbError> {
    db::optional!(tx, QuoteRow, FIND_QUOTE, merchant, id)?.map(FxQuote::try_from).transpose()
}

impl TryFrom<QuoteRow> for FxQuote {
    type Error = DbError;

    fn try_from(row: QuoteRow) -> Result<Self, DbError> {
        let state = match (row.state.as_str(), row.consumed_at_us, row.consumed_by) {
            ("open", None, None) => FxQuoteState::Open,
            ("consumed", Some(at), Some(by)) => FxQuoteState::Consumed { at, by },
            _ => return Err(DbError::unreadable("state of an FX quote", row.state)),
        };
        let exchange =
            Self::read(&row.facts).map_err(|error| DbError::unreadable("FX quote", error))?;
        Ok(Self {
            id: row.id,
            merchant: row.merchant_id,
            exchange,
            locked: row.locked == 1,
            created_at: row.created_at_us,
            expires_at: row.expires_at_us,
            state,
        })
    }
}

/// False when it was not open any more at `now`.
pub(super) async fn consume_quote(
    tx: &mut Tx,
    merchant: MerchantId,
    id: FxQuoteId,
    now: Timestamp,
    by: &str,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, CONSUME_QUOTE, merchant, id, now, by)? == 1)
}
