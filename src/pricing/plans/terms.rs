//! What a plan charges: the four fee types, tiers, bounds and the rounding.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;

use crate::money::{Amount, Currency, Rounding};

/// Everything that a fee follows from, besides the payment itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What is charged.
    pub fee: FeeRule,
    /// The currency of every amount in these terms; absent when there is none.
    pub currency: Option<Currency>,
    /// What the fee is charged in.
    pub fee_currency: FeeCurrency,
    /// Never less than this.
    pub min_fee: Option<Amount>,
    /// Never more than this.
    pub max_fee: Option<Amount>,
    /// What becomes of the fraction of a minor unit at the end.
    pub rounding: Rounding,
}

/// The four published fee types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeeRule {
    /// The same for every amount.
    Fixed(Amount),
    /// A part of the amount.
    Percentage(Percent),
    /// Both together.
    Hybrid(Amount, Percent),
    /// What the tier says.
    Tiered(Tiers),
}

impl FeeRule {
    /// The published word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Fixed(_) => "fixed",
            Self::Percentage(_) => "percentage",
            Self::Hybrid(..) => "hybrid",
            Self::Tiered(_) => "tiered",
        }
    }
}

/// What the fee is charged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeCurrency {
    /// The currency that the merchant pays from.
    Source,
    /// The currency that the beneficiary gets.
    Dest,
    /// Always this one.
    Named(Currency),
}

impl FeeCurrency {
    /// The currency for one payment.
    pub const fn of(self, source: Currency, dest: Currency) -> Currency {
        match self {
            Self::Source => source,
            Self::Dest => dest,
            Self::Named(currency) => currency,
        }
    }

    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Dest => "dest",
            Self::Named(currency) => currency.code(),
        }
    }
}

/// Tiers that cover every amount from zero, without a hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tiers {
    /// Which part of a payment a tier prices.
    pub mode: TierMode,
    /// What is measured against the tiers' bounds.
    pub on: TierBasis,
    /// Ascending; each begins where the one before it ends.
    pub tiers: Vec<Tier>,
}

/// Vendors mean different things by *graduated* and *volume*, hence two plain names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TierMode {
    /// Each slice of the payment is charged by the tier it lies in; a tier's fixed fee is charged
    /// once if any slice lies in it.
    Slice,
    /// The whole payment is charged by one tier.
    Whole,
}

impl TierMode {
    /// Both modes.
    pub const ALL: [Self; 2] = [Self::Slice, Self::Whole];

    /// The word in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slice => "slice",
            Self::Whole => "whole",
        }
    }
}

/// What is measured against the tiers' bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TierBasis {
    /// The payment itself: from nothing to its amount.
    Amount,
    /// The merchant's own payments of this calendar month (UTC) in the same source currency: the
    /// payment's slices begin where the month stands before it, and that is also what picks the
    /// tier of a whole payment.
    MonthlyVolume,
}

impl TierBasis {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Amount, Self::MonthlyVolume];

    /// The word in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::MonthlyVolume => "monthly_volume",
        }
    }
}

/// One tier: from its lower bound on, and below the upper one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Inclusive.
    pub min_volume: Amount,
    /// Exclusive; only the last tier has none.
    pub max_volume: Option<Amount>,
    /// Charged once.
    pub fixed_fee: Amount,
    /// Charged on the part that the mode says.
    pub percentage_fee: Percent,
}

/// A percentage from 0 to 100, with at most six decimals: `0.45` is forty-five basis points.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Percent(Decimal);

impl Percent {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The factor that an amount is multiplied with: `0.0045`.
    pub fn factor(self) -> Decimal {
        // Moving the point is exact, where a division by 100 would only nearly be.
        Decimal::try_from_i128_with_scale(self.0.mantissa(), self.0.scale() + 2).unwrap_or_default()
    }

    /// Whether nothing is charged by it.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(whole, 3) || !digits(fraction, 6) {
            return Err(PercentError);
        }
        let value: Decimal = text.parse().map_err(|_| PercentError)?;
        if value > Decimal::ONE_HUNDRED { Err(PercentError) } else { Ok(Self(value)) }
    }
}

impl fmt::Display for Percent {
    /// Without trailing zeros, so that equal percentages are written alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.normalize(), f)
    }
}

impl fmt::Debug for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}%")
    }
}

/// Not a percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a percentage from \"0\" to \"100\" with at most six decimals, such as \"0.45\"")]
pub struct PercentError;

impl Terms {
    /// Whether the merchant's volume of this month is needed to price a payment.
    pub fn counts_volume(&self) -> bool {
        matches!(&self.fee, FeeRule::Tiered(tiers) if tiers.on == TierBasis::MonthlyVolume)
    }

    /// Which currency must be brought into the fee's own, if any: that of the amounts in here.
    pub fn rate_needed(&self, fee_currency: Currency) -> Option<Currency> {
        self.currency.filter(|currency| *currency != fee_currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_exact_factors() {
        let percent: Percent = "0.450".parse().unwrap();
        assert_eq!(percent.factor(), Decimal::new(45, 4));
        assert_eq!(percent.to_string(), "0.45");
        assert_eq!("100".parse::<Percent>().unwrap().factor(), Decimal::ONE);
        for wrong in ["", "100.000001", "-1", "1.", ".5", "1e1", "0.1234567", "1000"] {
            assert!(wrong.parse::<Percent>().is_err(), "{wrong}");
        }
    }
}
