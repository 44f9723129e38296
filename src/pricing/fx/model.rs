//! Rates of one day, the operator's policy, and what an exchange comes to.

use std::collections::BTreeMap;

use serde_json::json;
use time::{Date, Time};

use crate::{
    base::{
        failure::{Code, Failure, FieldFault, Result},
        timestamp::Timestamp,
    },
    money::{Amount, Currency, MoneyError, Precision, Rate, Rounding},
};

use super::calendar::business_days_since;

/// What the buyer gets is rounded down and what the seller gives is rounded up: in the house's
/// favour, by less than one minor unit.
const BUY_ROUNDING: Rounding = Rounding::Down;
const SELL_ROUNDING: Rounding = Rounding::Up;

/// What one euro was worth on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRates {
    /// The day.
    pub date: Date,
    per_euro: BTreeMap<Currency, Rate>,
}

impl DayRates {
    /// The rates of a day; one euro is one euro.
    pub fn new(date: Date, mut per_euro: BTreeMap<Currency, Rate>) -> Self {
        per_euro.insert(Currency::EUR, Rate::ONE);
        Self { date, per_euro }
    }

    /// How much of a currency one euro was.
    pub fn per_euro(&self, currency: Currency) -> Option<Rate> {
        self.per_euro.get(&currency).copied()
    }

    /// The currencies that have a rate, the euro among them.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.per_euro.keys().copied()
    }

    /// The moment these rates speak of: the central banks' daily call at 14:10 in Frankfurt,
    /// counted as if it were always winter there, so never before it.
    pub fn as_of(&self) -> Timestamp {
        let call = Time::from_hms(13, 10, 0).unwrap_or(Time::MIDNIGHT);
        self.date.with_time(call).assume_utc().into()
    }
}

/// Where rates come from; the word is kept with everything priced by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The central bank's file.
    Ecb,
    /// The one day that is built in.
    Snapshot,
}

impl Source {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ecb => "ecb",
            Self::Snapshot => "ecb_snapshot",
        }
    }
}

/// What the operator decides about exchange rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What the house takes, in hundredths of a per cent.
    pub markup_bps: u32,
    /// How finely rates are stated.
    pub precision: Precision,
    /// Older rates are refused; without a bound none are, which only a sandbox may want.
    pub max_age_business_days: Option<u32>,
}

/// The rates in use: one day, its source, and the policy.
#[derive(Clone, Debug)]
pub struct RateTable {
    /// Where they come from.
    pub source: Source,
    /// The day.
    pub day: DayRates,
    /// What the operator decided.
    pub policy: Policy,
}

/// A rate as it was used, with all that is needed to check it later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedRate {
    /// One unit of this …
    pub from: Currency,
    /// … was so much of that.
    pub to: Currency,
    /// As it was used.
    pub rate: Rate,
    /// Before the house's margin.
    pub mid: Rate,
    /// The margin, in hundredths of a per cent.
    pub markup_bps: u32,
    /// The word of its source.
    pub source: String,
    /// The moment it speaks of.
    pub as_of: Timestamp,
}

impl RateTable {
    /// The rate between two currencies without a margin, as fees are converted.
    pub fn mid(&self, from: Currency, to: Currency, now: Timestamp) -> Result<UsedRate> {
        self.fresh(from, to, now)?;
        let per_euro = |currency| {
            let rate = self.day.per_euro(currency);
            rate.ok_or_else(|| lacking(from, to, "unlisted", currency))
        };
        let mid = Rate::cross(per_euro(from)?, per_euro(to)?, self.policy.precision)
            .map_err(|_| lacking(from, to, "out_of_range", from))?;
        Ok(UsedRate {
            from,
            to,
            rate: mid,
            mid,
            markup_bps: 0,
            source: self.source.as_str().to_owned(),
            as_of: self.day.as_of(),
        })
    }

    /// The rate that a customer gets: the house's margin is taken off.
    pub fn customer(&self, from: Currency, to: Currency, now: Timestamp) -> Result<UsedRate> {
        let used = self.mid(from, to, now)?;
        let markup_bps = self.policy.markup_bps;
        let rate = used
            .mid
            .less_basis_points(markup_bps)
            .map_err(|_| lacking(from, to, "out_of_range", from))?;
        Ok(UsedRate { rate, markup_bps, ..used })
    }

    /// Refuses rates that are too old: yesterday's price is an offer to whoever knows today's.
    fn fresh(&self, from: Currency, to: Currency, now: Timestamp) -> Result<()> {
        let Some(most) = self.policy.max_age_business_days else { return Ok(()) };
        let age = business_days_since(self.day.date, now.date_time().date());
        if age <= most {
            return Ok(());
        }
        let message = format!(
            "the newest exchange rates are of {}, {age} business days ago, and {most} are allowed; \
             try again later",
            self.day.date
        );
        let facts = json!({
            "from": from, "to": to, "reason": "stale",
            "rate_date": self.day.date.to_string(), "age_business_days": age,
        });
        Err(Failure::because(Code::RateUnavailable, message).details(facts))
    }
}

fn lacking(from: Currency, to: Currency, reason: &str, what: Currency) -> Failure {
    let message = format!("there is no exchange rate from {from} to {to}: {what} has none");
    let facts = json!({ "from": from, "to": to, "reason": reason });
    Failure::because(Code::RateUnavailable, message).details(facts)
}

/// Which of the two amounts of an exchange is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixedSide {
    /// So much is given.
    Sell(Amount),
    /// So much is wanted.
    Buy(Amount),
}

/// What an exchange comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Given.
    pub sell: Amount,
    /// Got.
    pub buy: Amount,
    /// With the house's margin.
    pub rate: UsedRate,
    /// What the margin comes to: the difference to the rate without it, in the currency got.
    pub fee: Amount,
    /// The customer's rate the other way, if it can be stated.
    pub inverse: Option<Rate>,
}

impl Exchange {
    /// Prices an exchange: the other amount follows from the fixed one, rounded once.
    pub fn price(fixed: FixedSide, rate: UsedRate, precision: Precision) -> Result<Self> {
        let (field, given) = match fixed {
            FixedSide::Sell(sell) => ("sell_amount", sell),
            FixedSide::Buy(buy) => ("buy_amount", buy),
        };
        let refused = |error: MoneyError| Failure::invalid(vec![error.at(field)]);
        if !given.is_positive() {
            let message = "must be greater than zero".to_owned();
            return Err(Failure::invalid(vec![FieldFault { field: field.to_owned(), message }]));
        }
        let (sell, buy) = match fixed {
            FixedSide::Sell(sell) => {
                (sell, rate.rate.convert(sell, rate.to, BUY_ROUNDING).map_err(refused)?)
            }
            FixedSide::Buy(buy) => {
                (rate.rate.convert_back(buy, rate.from, SELL_ROUNDING).map_err(refused)?, buy)
            }
        };
        if !buy.is_positive() || !sell.is_positive() {
            let message = format!("is too small to buy a minor unit of {}", rate.to);
            return Err(Failure::invalid(vec![FieldFault { field: field.to_owned(), message }]));
        }
        let unmarked = rate.mid.convert(sell, rate.to, BUY_ROUNDING).map_err(refused)?;
        // Never negative, although rounding the fixed side may eat the margin of a tiny exchange.
        let fee = unmarked.minus(buy).map_err(refused)?;
        let fee = if fee.is_negative() { Amount::zero(rate.to) } else { fee };
        let inverse = rate.rate.inverse(precision).ok();
        Ok(Self { sell, buy, rate, fee, inverse })
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn table(markup_bps: u32, max_age_business_days: Option<u32>) -> RateTable {
        let rates = [("USD", "1.1172"), ("JPY", "175.68"), ("GBP", "0.8338"), ("IDR", "20275.17")];
        let rates = rates.map(|(code, rate)| (code.parse().unwrap(), rate.parse().unwrap()));
        RateTable {
            source: Source::Ecb,
            day: DayRates::new(date!(2026 - 10 - 30), rates.into()),
            policy: Policy { markup_bps, precision: Precision::PUBLISHED, max_age_business_days },
        }
    }

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    fn monday() -> Timestamp {
        "2026-11-02T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn cross_rates_go_through_the_euro() {
        let table = table(0, Some(2));
        let rate =
            |from, to| table.mid(currency(from), currency(to), monday()).unwrap().rate.to_string();
        assert_eq!(rate("EUR", "USD"), "1.1172");
        assert_eq!(rate("USD", "EUR"), "0.8951"); // 1 / 1.1172 = 0.89509…
        assert_eq!(rate("GBP", "JPY"), "210.6980"); // 175.68 / 0.8338 = 210.69800…
        assert_eq!(rate("IDR", "USD"), "0.00005510");
    }

    #[test]
    fn old_rates_are_refused_by_business_days() {
        let ask = |now: &str, most| {
            let now = now.parse().unwrap();
            table(0, most).mid(Currency::USD, Currency::EUR, now)
        };
        assert!(ask("2026-11-03T23:59:59Z", Some(2)).is_ok());
        let refused = ask("2026-11-04T00:00:00Z", Some(2)).unwrap_err();
        assert_eq!(refused.code(), Code::RateUnavailable);
        assert_eq!(refused.facts().unwrap()["reason"], "stale");
        assert!(ask("2036-01-01T00:00:00Z", None).is_ok());
    }

    #[test]
    fn a_currency_without_a_rate_is_named() {
        let refused = table(0, None).mid(Currency::USDC, Currency::USD, monday()).unwrap_err();
        assert!(refused.message().contains("USDC has none"), "{refused}");
    }

    #[test]
    fn the_margin_goes_off_the_rate_and_the_roundings_favour_the_house() {
        let used = table(45, None).customer(Currency::USD, Currency::EUR, monday()).unwrap();
        assert_eq!(
            (used.mid.to_string(), used.rate.to_string()),
            ("0.8951".into(), "0.8910".into())
        );
        let dollars = |text| Amount::parse(text, Currency::USD).unwrap();
        let euros = |text| Amount::parse(text, Currency::EUR).unwrap();
        let price = |fixed| Exchange::price(fixed, used.clone(), Precision::PUBLISHED);

        let sold = price(FixedSide::Sell(dollars("33.33"))).unwrap();
        assert_eq!(sold.buy, euros("29.69")); // 29.69703
        assert_eq!(sold.fee, euros("0.14")); // 29.83 - 29.69
        let bought = price(FixedSide::Buy(euros("29.69"))).unwrap();
        assert_eq!(bought.sell, dollars("33.33")); // 33.32211…
        assert!(price(FixedSide::Sell(dollars("0.01"))).is_err(), "a cent buys no eurocent");
        assert!(price(FixedSide::Buy(euros("0.00"))).is_err());
    }
}
