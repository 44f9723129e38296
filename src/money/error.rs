//! What can be wrong with money; each text tells its reader what to do.

use super::Currency;
use crate::base::failure::FieldFault;

/// A refusal of the arithmetic or of a text. The messages follow a field's name: *must …*, *is …*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal string.
    #[error("must be a decimal string such as \"12.50\", with at most 12 digits before the point")]
    AmountPattern,
    /// More decimals than the currency has.
    #[error("must have at most {} decimal places, because that is what {currency} has", currency.scale())]
    TooPrecise {
        /// Whose scale was exceeded.
        currency: Currency,
    },
    /// More than 64 bits of minor units.
    #[error("is too large to be counted in {currency}; split it into smaller amounts")]
    TooLarge {
        /// The currency of the amount that does not fit.
        currency: Currency,
    },
    /// Not even shaped like a currency code.
    #[error("must be a currency code of three to five capital letters, such as USD")]
    CurrencyPattern,
    /// Shaped like one.
    #[error("is not a currency known here; GET /v1/currencies lists those that are")]
    UnknownCurrency,
    /// Gold, test codes and baskets, which nobody can be paid in.
    #[error("has no minor unit, so nothing can be paid in it; use a currency such as USD")]
    NoMinorUnit,
    /// Not even shaped like a country code.
    #[error("must be a country code of two capital letters, such as DE")]
    CountryPattern,
    /// Shaped like one.
    #[error("is not an ISO 3166-1 country; GET /v1/countries lists those that are")]
    UnknownCountry,
    /// Two currencies in one operation.
    #[error("is in {right} where {left} is needed; convert it with a rate first")]
    MixedCurrencies {
        /// The currency the operation began with.
        left: Currency,
        /// The one that does not belong.
        right: Currency,
    },
    /// An intermediate result needs more than 28 digits.
    #[error("is too large to be computed exactly; split it into smaller amounts")]
    Inexact,
    /// Not a rate.
    #[error("must be a rate above zero such as \"0.9215\", with at most 18 digits in all")]
    RatePattern,
    /// Nobody to give it to.
    #[error("cannot be divided: give at least one weight above zero")]
    NoWeights,
}

impl MoneyError {
    /// The same refusal as the fault of one field of a request.
    pub fn at(self, field: impl Into<String>) -> FieldFault {
        FieldFault { field: field.into(), message: self.to_string() }
    }
}
