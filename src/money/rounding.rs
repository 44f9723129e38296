//! The one place where a fraction of a minor unit ends, and the arithmetic that leads there.

use std::{fmt, str::FromStr};

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Amount, Currency, MoneyError};

/// What becomes of the part that is smaller than a minor unit. Negative numbers mirror positive
/// ones in every mode, so that a reversal takes back exactly what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearest; the exact half away from zero.
    HalfUp,
    /// To the nearest; the exact half to the even neighbour.
    HalfEven,
    /// To the nearest; the exact half towards zero.
    HalfDown,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
}

impl Rounding {
    /// Every mode.
    pub const ALL: [Self; 5] = [Self::HalfUp, Self::HalfEven, Self::HalfDown, Self::Up, Self::Down];

    /// The name in files, stored rows and explanations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HalfUp => "half_up",
            Self::HalfEven => "half_even",
            Self::HalfDown => "half_down",
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// Rounds to a number of decimal places.
    #[must_use]
    pub fn to_places(self, value: Decimal, places: u32) -> Decimal {
        let strategy = match self {
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Self::HalfEven => RoundingStrategy::MidpointNearestEven,
            Self::HalfDown => RoundingStrategy::MidpointTowardZero,
            Self::Up => RoundingStrategy::AwayFromZero,
            Self::Down => RoundingStrategy::ToZero,
        };
        value.round_dp_with_strategy(places, strategy)
    }

    /// Makes a decimal of major units an amount: the only way from fractions back to money.
    pub fn to_currency(self, value: Decimal, currency: Currency) -> Result<Amount, MoneyError> {
        let refused = MoneyError::TooLarge { currency };
        let rounded = self.to_places(value, currency.scale());
        let missing = currency.scale().checked_sub(rounded.scale()).ok_or(refused)?;
        let shift = 10_i128.checked_pow(missing).ok_or(refused)?;
        let minor = rounded.mantissa().checked_mul(shift).ok_or(refused)?;
        let minor = i64::try_from(minor).map_err(|_| refused)?;
        Ok(Amount::from_minor(minor, currency))
    }

    /// A quotient of whole numbers, rounded to a whole number without a detour through decimals.
    pub fn quotient(self, numerator: i128, denominator: i128) -> Result<i128, MoneyError> {
        let refused = MoneyError::Inexact;
        let toward_zero = numerator.checked_div(denominator).ok_or(refused)?;
        let rest = numerator.checked_rem(denominator).ok_or(refused)?.unsigned_abs();
        if rest == 0 {
            return Ok(toward_zero);
        }
        let half = rest.cmp(&(denominator.unsigned_abs() - rest));
        let away = match self {
            Self::Up => true,
            Self::Down => false,
            Self::HalfUp => half.is_ge(),
            Self::HalfDown => half.is_gt(),
            Self::HalfEven => half.is_gt() || (half.is_eq() && toward_zero % 2 != 0),
        };
        let step = if (numerator < 0) == (denominator < 0) { 1 } else { -1 };
        if away { toward_zero.checked_add(step).ok_or(refused) } else { Ok(toward_zero) }
    }
}

impl FromStr for Rounding {
    type Err = UnknownRounding;

    fn from_str(name: &str) -> Result<Self, UnknownRounding> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name).ok_or(UnknownRounding)
    }
}

impl fmt::Display for Rounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A mode that has no such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be half_up, half_even, half_down, up or down")]
pub struct UnknownRounding;

/// The product, only if it is exact: the library would round in silence beyond 28 digits.
pub fn exact_product(a: Decimal, b: Decimal) -> Result<Decimal, MoneyError> {
    let (a, b) = (a.normalize(), b.normalize());
    let product = a.checked_mul(b).ok_or(MoneyError::Inexact)?;
    if product.is_zero() == (a.is_zero() || b.is_zero())
        && (product.is_zero() || product.scale() == a.scale() + b.scale())
    {
        Ok(product)
    } else {
        Err(MoneyError::Inexact)
    }
}

/// The sum, only if it is exact, for the same reason.
pub fn exact_sum(a: Decimal, b: Decimal) -> Result<Decimal, MoneyError> {
    let (a, b) = (a.normalize(), b.normalize());
    let sum = a.checked_add(b).ok_or(MoneyError::Inexact)?;
    if sum.is_zero() || sum.scale() >= a.scale().max(b.scale()) {
        Ok(sum)
    } else {
        Err(MoneyError::Inexact)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_mode_does_what_its_name_says() {
        // value, then the result by half_up, half_even, half_down, up, down
        for (tenths, expected) in [
            (14, [1, 1, 1, 2, 1]),
            (15, [2, 2, 1, 2, 1]),
            (25, [3, 2, 2, 3, 2]),
            (26, [3, 3, 3, 3, 2]),
            (30, [3, 3, 3, 3, 3]),
            (-15, [-2, -2, -1, -2, -1]),
            (-25, [-3, -2, -2, -3, -2]),
            (1, [0, 0, 0, 1, 0]),
        ] {
            for (mode, whole) in Rounding::ALL.into_iter().zip(expected) {
                let rounded = mode.to_places(Decimal::new(tenths, 1), 0);
                assert_eq!(rounded, Decimal::from(whole), "{tenths} {mode}");
                assert_eq!(mode.quotient(i128::from(tenths), 10), Ok(i128::from(whole)));
                assert_eq!(mode.quotient(-i128::from(tenths), -10), Ok(i128::from(whole)));
            }
        }
    }

    #[test]
    fn names_read_back() {
        for mode in Rounding::ALL {
            assert_eq!(mode.as_str().parse(), Ok(mode));
        }
        assert!("bankers".parse::<Rounding>().is_err());
    }

    proptest! {
        #[test]
        fn rounding_to_a_currency_agrees_with_whole_number_division(
            mantissa in any::<i64>(), scale in 0_u32..12, mode in 0_usize..5,
        ) {
            let mode = Rounding::ALL[mode];
            let exact = mode.quotient(i128::from(mantissa) * 100, 10_i128.pow(scale)).unwrap();
            match mode.to_currency(Decimal::new(mantissa, scale), Currency::USD) {
                Ok(amount) => prop_assert_eq!(i128::from(amount.minor()), exact),
                Err(_) => prop_assert!(i64::try_from(exact).is_err()),
            }
        }

        #[test]
        fn products_and_sums_are_exact_or_refused(
            a in any::<i64>(), b in any::<i64>(), c in any::<i32>(), scale in 0_u32..10,
        ) {
            let (x, y) = (Decimal::new(a, scale), Decimal::new(b, 4));
            if let Ok(product) = exact_product(x, y) {
                let (lost, wanted) = (scale + 4 - product.scale(), i128::from(a) * i128::from(b));
                prop_assert_eq!(product.mantissa() * 10_i128.pow(lost), wanted);
            }
            let small = Decimal::new(i64::from(c), 9);
            let sum = exact_sum(x, small).unwrap();
            prop_assert_eq!(sum - small, x);
            // 19 digits by 19 digits that do not end in zeros cannot fit.
            if a.unsigned_abs() > 1 << 60 && b.unsigned_abs() > 1 << 60 && a % 10 != 0 && b % 10 != 0 {
                prop_assert!(exact_product(x, y).is_err());
            }
        }
    }
}
