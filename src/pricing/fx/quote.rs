//! An exchange promised to a merchant for a short while.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    base::{
        failure::{Code, Failure, FieldFault, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    money::{Amount, Currency, MoneyError},
    pricing::FxQuoteId,
};

use super::{Exchange, FixedSide, RateTable, StoredRate, UsedRate};

/// The version of the written form.
const WRITTEN_AS: u8 = 1;

/// A request as it came: texts, or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawFxQuote<'a> {
    /// Required.
    pub sell_currency: Option<&'a str>,
    /// Required.
    pub buy_currency: Option<&'a str>,
    /// This or the next one, and not both.
    pub sell_amount: Option<&'a str>,
    /// See above.
    pub buy_amount: Option<&'a str>,
}

/// A checked request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewFxQuote {
    /// Given in this currency.
    pub sell: Currency,
    /// Got in that one.
    pub buy: Currency,
    /// The amount that is fixed; only a look at the rate has none.
    pub fixed: Option<FixedSide>,
}

impl NewFxQuote {
    /// Checks every field and reports every fault.
    pub fn check(raw: &RawFxQuote<'_>) -> Result<Self> {
        let (new, mut faults) = Self::collect(raw);
        if raw.sell_amount.is_some() == raw.buy_amount.is_some() {
            for field in ["sell_amount", "buy_amount"] {
                let message = "is required unless the other amount is given, and not beside it";
                faults.push(FieldFault { field: field.to_owned(), message: message.to_owned() });
            }
        }
        done(new, faults)
    }

    /// The same where amounts may be missing: a look at the rate.
    pub fn check_look(raw: &RawFxQuote<'_>) -> Result<Self> {
        let (new, faults) = Self::collect(raw);
        done(new, faults)
    }

    fn collect(raw: &RawFxQuote<'_>) -> (Option<Self>, Vec<FieldFault>) {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: String| {
            faults.push(FieldFault { field: field.to_owned(), message });
        };
        let mut currency = |field: &str, text: Option<&str>| match text.map(str::parse::<Currency>)
        {
            Some(Ok(currency)) => Some(currency),
            Some(Err(error)) => {
                fault(field, error.to_string());
                None
            }
            None => {
                fault(field, "is required".to_owned());
                None
            }
        };
        let sell = currency("sell_currency", raw.sell_currency);
        let buy = currency("buy_currency", raw.buy_currency);
        if sell.is_some() && sell == buy {
            fault("buy_currency", "must differ from sell_currency".to_owned());
        }
        let mut amount = |field: &str, text: Option<&str>, currency: Option<Currency>| {
            // Without its currency only the form can be judged; the euro stands in for it.
            let read = Amount::parse(text?, currency.unwrap_or(Currency::EUR));
            match read {
                Ok(amount) if amount.is_positive() => Some(amount),
                Ok(_) => {
                    fault(field, "must be greater than zero".to_owned());
                    None
                }
                Err(error) if currency.is_some() || error == MoneyError::AmountPattern => {
                    fault(field, error.to_string());
                    None
                }
                Err(_) => None,
            }
        };
        let sold = amount("sell_amount", raw.sell_amount, sell).map(FixedSide::Sell);
        let bought = amount("buy_amount", raw.buy_amount, buy).map(FixedSide::Buy);
        let new = sell.zip(buy).map(|(sell, buy)| Self { sell, buy, fixed: sold.or(bought) });
        (new, faults)
    }
}

fn done(new: Option<NewFxQuote>, faults: Vec<FieldFault>) -> Result<NewFxQuote> {
    match new {
        Some(new) if faults.is_empty() => Ok(new),
        _ => Err(Failure::invalid(faults)),
    }
}

/// A promised exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FxQuote {
    /// Its id, which an exchange names to use it.
    pub id: FxQuoteId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Its numbers.
    pub exchange: Exchange,
    /// Whether the rate holds until the end, whatever the market does.
    pub locked: bool,
    /// When it was given.
    pub created_at: Timestamp,
    /// The first moment at which it holds no longer.
    pub expires_at: Timestamp,
    /// Whether it was used.
    pub state: FxQuoteState,
}

/// What is stored about its use; that it has expired is told by the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FxQuoteState {
    /// Not used.
    Open,
    /// Used.
    Consumed {
        /// When.
        at: Timestamp,
        /// The id of the exchange that used it.
        by: String,
    },
}

impl FxQuote {
    /// Prices a checked request at the customer's rate of the moment.
    pub fn issue(
        (id, merchant): (FxQuoteId, MerchantId),
        new: &NewFxQuote,
        locked: bool,
        rates: &RateTable,
        (now, life): (Timestamp, Duration),
    ) -> Result<Self> {
        let rate = rates.customer(new.sell, new.buy, now)?;
        let fixed = new.fixed.ok_or_else(|| Failure::internal("an FX quote needs an amount"))?;
        let exchange = Exchange::price(fixed, rate, rates.policy.precision)?;
        let expires_at = now.plus(life);
        let state = FxQuoteState::Open;
        Ok(Self { id, merchant, exchange, locked, created_at: now, expires_at, state })
    }

    /// Whether it may be used now; to be asked inside the transaction that uses it. One that is not
    /// locked holds only while the rate stands.
    pub fn check_use(&self, rates: &RateTable, now: Timestamp) -> Result<()> {
        if let FxQuoteState::Consumed { .. } = self.state {
            return Err(Failure::new(Code::QuoteAlreadyUsed));
        }
        if now >= self.expires_at {
            return Err(Failure::new(Code::QuoteExpired));
        }
        let quoted = &self.exchange.rate;
        if self.locked || rates.customer(quoted.from, quoted.to, now)?.rate == quoted.rate {
            return Ok(());
        }
        let message = "the rate has changed and this quote is not locked; ask for a new one";
        Err(Failure::because(Code::QuoteMismatch, message))
    }

    /// The form that is stored: both amounts and the rate with its source and time.
    pub fn write(&self) -> serde_json::Result<String> {
        let Exchange { sell, buy, rate, fee, inverse } = &self.exchange;
        serde_json::to_string(&Paper {
            v: WRITTEN_AS,
            sell: sell.minor(),
            buy: buy.minor(),
            rate: StoredRate::from(rate),
            fee: fee.minor(),
            inverse: inverse.map(|inverse| inverse.to_string()),
        })
    }

    /// Reads what [`FxQuote::write`] wrote; the error is for the log.
    pub fn read(text: &str) -> std::result::Result<Exchange, String> {
        let paper: Paper = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if paper.v != WRITTEN_AS {
            return Err(format!("written as version {}, which is not known here", paper.v));
        }
        let said = |error: MoneyError| error.to_string();
        let rate = UsedRate::try_from(paper.rate).map_err(said)?;
        Ok(Exchange {
            sell: Amount::from_minor(paper.sell, rate.from),
            buy: Amount::from_minor(paper.buy, rate.to),
            fee: Amount::from_minor(paper.fee, rate.to),
            inverse: paper.inverse.map(|text| text.parse()).transpose().map_err(said)?,
            rate,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Paper {
    v: u8,
    sell: i64,
    buy: i64,
    rate: StoredRate,
    fee: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    inverse: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(raw: RawFxQuote<'_>) -> Vec<String> {
        let refused = NewFxQuote::check(&raw).unwrap_err();
        refused.fields().iter().map(|f| format!("{} {}", f.field, f.message)).collect()
    }

    #[test]
    fn exactly_one_amount_is_fixed() {
        let raw = RawFxQuote {
            sell_currency: Some("USD"),
            buy_currency: Some("EUR"),
            ..RawFxQuote::default()
        };
        assert_eq!(faults(raw).len(), 2);
        let both = RawFxQuote { sell_amount: Some("1.00"), buy_amount: Some("1.00"), ..raw };
        assert_eq!(faults(both).len(), 2);
        let one = NewFxQuote::check(&RawFxQuote { buy_amount: Some("1.00"), ..raw }).unwrap();
        assert!(matches!(one.fixed, Some(FixedSide::Buy(_))));
        assert!(NewFxQuote::check_look(&raw).unwrap().fixed.is_none());
    }

    #[test]
    fn every_fault_is_told_together() {
        let found = faults(RawFxQuote {
            sell_currency: Some("usd"),
            buy_currency: None,
            sell_amount: Some("ten"),
            buy_amount: Some("0"),
        });
        let fields: Vec<_> = found.iter().filter_map(|fault| fault.split(' ').next()).collect();
        let expected = [
            "sell_currency",
            "buy_currency",
            "sell_amount",
            "buy_amount",
            "sell_amount",
            "buy_amount",
        ];
        assert_eq!(fields, expected, "{found:#?}");
        let same = RawFxQuote {
            sell_currency: Some("EUR"),
            buy_currency: Some("EUR"),
            sell_amount: Some("1.00"),
            buy_amount: None,
        };
        assert_eq!(faults(same), ["buy_currency must differ from sell_currency"]);
    }
}
