//! Money: amounts, currencies, countries, rounding, allocation, rates. Pure arithmetic.
//!
//! What this room promises:
//! - An [`Amount`] is a whole number of minor units of one [`Currency`]. Two currencies never meet
//!   in a sum, and what does not fit is an error, never a wrapped number.
//! - Fractions of a minor unit exist only as `Decimal`s on the way to an amount; they become one
//!   in [`Rounding::to_currency`], once, by a mode that has a name.
//! - Products are exact ([`exact_product`]) or refused: nothing is rounded in passing.
//! - [`allocate`] gives every unit to somebody.
//!
//! Amounts have no `Serialize`: each API writes them its own way (decimal strings, minor units).

mod allocation;
mod amount;
mod country;
mod currency;
mod error;
mod rate;
mod rounding;

pub use allocation::allocate;
pub use amount::Amount;
pub use country::Country;
pub use currency::{Currency, CurrencyKind};
pub use error::MoneyError;
pub use rate::{Precision, Rate};
pub use rounding::{Rounding, exact_product, exact_sum};
