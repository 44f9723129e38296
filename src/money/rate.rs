//! Exchange rates: decimals whose precision is part of what they say.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;

use super::{Amount, Currency, MoneyError, Rounding, exact_product};

/// The most digits a rate has in all. With it, a rate times any wire amount can be counted.
const MAX_DIGITS: usize = 18;

/// How much of one currency one unit of another is. `0.9215` and `0.921500` are equal rates stated
/// with different precision; text keeps the difference, so text is how rates are stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(Decimal);

/// How finely rates are stated: so many places, and more of them while fewer digits than that
/// are left after the leading zeros (a rupiah is `0.00005` euros).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precision {
    /// The least number of decimal places.
    pub places: u32,
    /// The least number of significant digits.
    pub significant: u32,
}

impl Precision {
    /// Four places, as the published samples have, and never less than four digits.
    pub const PUBLISHED: Self = Self { places: 4, significant: 4 };

    /// The most places that the search for significant digits goes to.
    const MOST: u32 = 16;
}

impl Rate {
    /// One for one.
    pub const ONE: Self = Self(Decimal::ONE);

    /// A computed rate; refused when it is not above zero or has too many digits.
    pub fn new(value: Decimal) -> Result<Self, MoneyError> {
        let digits = value.mantissa().unsigned_abs().to_string().len();
        if value > Decimal::ZERO && digits <= MAX_DIGITS {
            Ok(Self(value))
        } else {
            Err(MoneyError::RatePattern)
        }
    }

    /// The number.
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// The digits without the point; with [`Rate::scale`] the rate as a pair of integers.
    pub const fn mantissa(self) -> i128 {
        self.0.mantissa()
    }

    /// How many decimal places it is stated with.
    pub const fn scale(self) -> u32 {
        self.0.scale()
    }

    /// The rate from one currency to another, from what one unit of a third is in each of them.
    /// One division of whole numbers, one rounding (half to even).
    pub fn cross(from: Self, to: Self, precision: Precision) -> Result<Self, MoneyError> {
        let mut places = precision.places;
        loop {
            // to / from at so many places, as a fraction of whole numbers.
            let up = 10_i128
                .checked_pow(from.scale() + places)
                .and_then(|shift| to.mantissa().checked_mul(shift));
            let down = 10_i128
                .checked_pow(to.scale())
                .and_then(|shift| from.mantissa().checked_mul(shift));
            let (Some(up), Some(down)) = (up, down) else { return Err(MoneyError::RatePattern) };
            let mantissa = Rounding::HalfEven.quotient(up, down)?;
            if significant(mantissa) >= precision.significant || places >= Precision::MOST {
                let value = Decimal::try_from_i128_with_scale(mantissa, places);
                return Self::new(value.map_err(|_| MoneyError::RatePattern)?);
            }
            places += 1;
        }
    }

    /// The rate the other way.
    pub fn inverse(self, precision: Precision) -> Result<Self, MoneyError> {
        Self::cross(self, Self::ONE, precision)
    }

    /// The same rate less a margin in basis points, stated with the same precision and rounded
    /// down: the published sample (0.9215 less 45 is 0.9173) is the truncated product.
    pub fn less_basis_points(self, basis_points: u32) -> Result<Self, MoneyError> {
        let kept = 10_000_i128 - i128::from(basis_points);
        let product = self.mantissa().checked_mul(kept).ok_or(MoneyError::Inexact)?;
        let mantissa = Rounding::Down.quotient(product, 10_000)?;
        let value = Decimal::try_from_i128_with_scale(mantissa, self.scale());
        Self::new(value.map_err(|_| MoneyError::RatePattern)?)
    }

    /// An amount in the other currency, rounded once.
    pub fn convert(
        self,
        amount: Amount,
        to: Currency,
        rounding: Rounding,
    ) -> Result<Amount, MoneyError> {
        rounding.to_currency(exact_product(amount.decimal(), self.0)?, to)
    }

    /// What must be given to get an amount at this rate: the division, rounded once.
    pub fn convert_back(
        self,
        amount: Amount,
        from: Currency,
        rounding: Rounding,
    ) -> Result<Amount, MoneyError> {
        let refused = MoneyError::TooLarge { currency: from };
        let up = 10_i128
            .checked_pow(self.scale() + from.scale())
            .and_then(|shift| i128::from(amount.minor()).checked_mul(shift))
            .ok_or(refused)?;
        let down = 10_i128
            .checked_pow(amount.currency().scale())
            .and_then(|shift| self.mantissa().checked_mul(shift))
            .ok_or(refused)?;
        let minor = i64::try_from(rounding.quotient(up, down)?).map_err(|_| refused)?;
        Ok(Amount::from_minor(minor, from))
    }
}

/// How many digits a whole number has; zero has none.
fn significant(mantissa: i128) -> u32 {
    mantissa.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1)
}

impl FromStr for Rate {
    type Err = MoneyError;

    /// Reads `0.9215`; neither signs nor exponents, and at most 12 digits before the point.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || whole.len() > 12 || fraction.len() > 18 {
            return Err(MoneyError::RatePattern);
        }
        Self::new(text.parse().map_err(|_| MoneyError::RatePattern)?)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    fn usd(text: &str) -> Amount {
        Amount::parse(text, Currency::USD).unwrap()
    }

    #[test]
    fn text_keeps_the_stated_precision() {
        assert_eq!(rate("0.9215").to_string(), "0.9215");
        assert_eq!(rate("0.921500").to_string(), "0.921500");
        assert_eq!(rate("0.9215"), rate("0.921500"));
        for wrong in ["", "0", "0.000", "-1.2", "+1", "1e3", "1.", ".5", "1,2", "1234567890123"] {
            assert_eq!(wrong.parse::<Rate>(), Err(MoneyError::RatePattern), "{wrong}");
        }
    }

    #[test]
    fn the_published_sample_comes_out() {
        let customer = rate("0.9215").less_basis_points(45).unwrap();
        assert_eq!(customer.to_string(), "0.9173");
        let bought = customer.convert(usd("1000.00"), Currency::EUR, Rounding::Down).unwrap();
        assert_eq!(bought.render(), "917.30");
        let payout = rate("0.9091").convert(usd("550.00"), Currency::EUR, Rounding::Down).unwrap();
        assert_eq!(payout.render(), "500.00");
    }

    #[test]
    fn small_rates_get_the_places_they_need() {
        let published = Precision::PUBLISHED;
        let (usd_per_euro, idr_per_euro) = (rate("1.0873"), rate("17012.34"));
        assert_eq!(Rate::cross(usd_per_euro, Rate::ONE, published).unwrap().to_string(), "0.9197");
        let tiny = Rate::cross(idr_per_euro, usd_per_euro, published).unwrap();
        assert_eq!(tiny.to_string(), "0.00006391");
        let large = Rate::cross(usd_per_euro, idr_per_euro, published).unwrap();
        assert_eq!(large.to_string(), "15646.4085");
        assert!(rate("0.0001").less_basis_points(10_000).is_err(), "a rate of zero is none");
    }

    #[test]
    fn a_product_that_needs_more_than_28_digits_is_refused() {
        let most = Amount::from_minor(i64::MAX, Currency::USD);
        let fine = rate("1.23456789012345678");
        assert_eq!(fine.convert(most, Currency::EUR, Rounding::Down), Err(MoneyError::Inexact));
    }

    proptest! {
        #[test]
        fn there_and_back_never_gives_the_customer_more(
            minor in 1_i64..1_000_000_000_000, mantissa in 1_i64..100_000_000, scale in 0_u32..9,
        ) {
            let rate = Rate::new(Decimal::new(mantissa, scale)).unwrap();
            let sold = Amount::from_minor(minor, Currency::USD);
            let Ok(bought) = rate.convert(sold, Currency::EUR, Rounding::Down) else { return Ok(()) };
            let cost = rate.convert_back(bought, Currency::USD, Rounding::Up).unwrap();
            prop_assert!(cost.minor() <= sold.minor());
        }
    }
}
