//! A whole number of minor units of one currency.

use std::{
    cmp::Ordering,
    fmt::{self, Write as _},
};

use rust_decimal::Decimal;

use super::{Currency, MoneyError};

/// The most digits before the point that the APIs take.
const MAX_WHOLE_DIGITS: usize = 12;
/// The longest rendered text: a sign, the digits of an `i64`, a point and a leading zero.
const LONGEST: usize = 22;

/// An amount of money. It has no `+`: a sum can fail, and its caller must see that.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    minor: i64,
    currency: Currency,
}

impl Amount {
    /// An amount from the database, the ledger or a dialect that speaks in minor units.
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, of one currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// Reads `^-?\d{1,12}(\.\d+)?$`.
    ///
    /// More decimals than the currency has are refused even when they are zeros: who writes
    /// `1.000` for dollars thinks of another unit, and a guess about money is the wrong answer.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (whole, fraction) = split_decimal(text.strip_prefix('-').unwrap_or(text))
            .ok_or(MoneyError::AmountPattern)?;
        let scale = usize::try_from(currency.scale()).unwrap_or(usize::MAX);
        if fraction.len() > scale {
            return Err(MoneyError::TooPrecise { currency });
        }
        let digits = format!("{whole}{fraction:0<scale$}");
        let magnitude: i64 = digits.parse().map_err(|_| MoneyError::TooLarge { currency })?;
        let minor = if text.starts_with('-') { -magnitude } else { magnitude };
        Ok(Self { minor, currency })
    }

    /// The minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// Of what.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in major units, exactly.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.scale())
    }

    /// The decimal string of the wire, always at the currency's own scale: `"12.50"`.
    pub fn render(self) -> String {
        let scale = self.currency.scale();
        let width = usize::try_from(scale).unwrap_or(0) + 1;
        let mut text = String::with_capacity(LONGEST);
        // Writing to a `String` cannot fail.
        _ = write!(text, "{:0width$}", self.minor.unsigned_abs());
        if scale > 0 {
            text.insert(text.len() + 1 - width, '.');
        }
        if self.minor < 0 {
            text.insert(0, '-');
        }
        text
    }

    /// The sum, of one currency and within 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.rebuilt(self.minor.checked_add(other.minor))
    }

    /// The difference, likewise.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.rebuilt(self.minor.checked_sub(other.minor))
    }

    /// The same amount the other way.
    pub fn negated(self) -> Result<Self, MoneyError> {
        self.rebuilt(self.minor.checked_neg())
    }

    /// Which of two amounts is larger; a question that two currencies cannot answer.
    pub fn compared_with(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// Below zero.
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Above zero: what every payment must be.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Neither.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::MixedCurrencies { left: self.currency, right: other.currency })
        }
    }

    fn rebuilt(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        let currency = self.currency;
        minor.map(|minor| Self { minor, currency }).ok_or(MoneyError::TooLarge { currency })
    }
}

/// Whole digits and decimals of an unsigned decimal string, if it is one.
fn split_decimal(text: &str) -> Option<(&str, &str)> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if digits(fraction) => (whole, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    (digits(whole) && whole.len() <= MAX_WHOLE_DIGITS).then_some((whole, fraction))
}

impl fmt::Display for Amount {
    /// For people and logs; the wire says [`Amount::render`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.render(), self.currency)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency() -> impl Strategy<Value = Currency> {
        proptest::sample::select(Currency::all())
    }

    fn amount() -> impl Strategy<Value = Amount> {
        (any::<i64>(), currency()).prop_map(|(minor, currency)| Amount::from_minor(minor, currency))
    }

    /// What the wire can carry: at most twelve whole digits.
    fn wire_amount() -> impl Strategy<Value = Amount> {
        (any::<i64>(), currency()).prop_map(|(minor, currency)| {
            let bound = 10_i64.checked_pow(12 + currency.scale());
            Amount::from_minor(bound.map_or(minor, |bound| minor % bound), currency)
        })
    }

    proptest! {
        #[test]
        fn reading_what_was_written_changes_nothing(amount in wire_amount()) {
            prop_assert_eq!(Amount::parse(&amount.render(), amount.currency()), Ok(amount));
        }

        #[test]
        fn writing_agrees_with_the_decimal(amount in amount()) {
            prop_assert_eq!(amount.render(), amount.decimal().to_string());
        }

        #[test]
        fn only_the_published_pattern_is_read(text in "-?[0-9]{0,14}[.,e-]?[0-9]{0,4}") {
            let (sign_free, dots) = (text.strip_prefix('-').unwrap_or(&text), text.matches('.').count());
            let whole = sign_free.split('.').next().unwrap();
            let fits = sign_free.bytes().all(|b| b.is_ascii_digit() || b == b'.')
                && (1..=12).contains(&whole.len())
                && dots <= 1
                && !text.ends_with('.');
            let read = Amount::parse(&text, Currency::USD);
            prop_assert_eq!(fits, read != Err(MoneyError::AmountPattern), "{}", text);
        }

        #[test]
        fn sums_are_exact_or_refused(a in amount(), b in amount()) {
            let exact = i128::from(a.minor()) + i128::from(b.minor());
            match a.plus(b) {
                Ok(sum) => {
                    prop_assert_eq!(i128::from(sum.minor()), exact);
                    prop_assert!(a.currency() == b.currency() && sum.currency() == a.currency());
                }
                Err(MoneyError::MixedCurrencies { .. }) => prop_assert!(a.currency() != b.currency()),
                Err(_) => prop_assert!(i64::try_from(exact).is_err()),
            }
        }

        #[test]
        fn a_difference_is_the_sum_with_the_negation(minor in any::<i64>(), other in any::<i64>()) {
            let (a, b) = (Amount::from_minor(minor, Currency::USD), Amount::from_minor(other, Currency::USD));
            if let Ok(negated) = b.negated() {
                prop_assert_eq!(a.minus(b), a.plus(negated));
            }
        }
    }

    #[test]
    fn precision_beyond_the_currency_is_its_own_refusal() {
        let jpy: Currency = "JPY".parse().unwrap();
        for (text, currency) in [("1.001", Currency::USD), ("1.000", Currency::USD), ("1.0", jpy)] {
            let refused = Amount::parse(text, currency).unwrap_err();
            assert_eq!(refused, MoneyError::TooPrecise { currency });
        }
        assert_eq!(Amount::parse("7", Currency::USD).unwrap().minor(), 700);
        assert_eq!(Amount::parse("007.5", Currency::USD).unwrap().render(), "7.50");
        assert_eq!(Amount::parse("-0.00", Currency::USD).unwrap().render(), "0.00");
    }

    #[test]
    fn what_does_not_fit_is_refused_and_never_wraps() {
        let most = Amount::from_minor(i64::MAX, Currency::BTC);
        let refused = MoneyError::TooLarge { currency: Currency::BTC };
        assert_eq!(Amount::parse("999999999999", Currency::BTC), Err(refused));
        assert_eq!(most.plus(Amount::from_minor(1, Currency::BTC)), Err(refused));
        assert_eq!(Amount::from_minor(i64::MIN, Currency::BTC).negated(), Err(refused));
        assert_eq!(Amount::from_minor(i64::MIN, Currency::USD).render(), "-92233720368547758.08");
    }

    #[test]
    fn two_currencies_have_no_order() {
        let (one, other) = (Amount::zero(Currency::USD), Amount::zero(Currency::EUR));
        assert!(one.compared_with(other).is_err() && one.minus(other).is_err());
    }
}
