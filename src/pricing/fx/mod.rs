//! Exchange rates: where they come from, how old they may be, and what the house adds.
//!
//! The European Central Bank publishes what one euro is worth, on each TARGET day, for information;
//! it advises against trading on it. So these are reference rates: the operator's margin goes on
//! top, and rates older than so many business days are refused. Rates between two other currencies
//! go through the euro, in one division with one rounding.

pub mod calendar;
pub mod ecb;
pub mod http;
mod model;
mod quote;
mod service;
mod source;
mod store;
mod stored;

pub use model::{DayRates, Exchange, FixedSide, Policy, RateTable, Source, UsedRate};
pub use quote::{FxQuote, FxQuoteState, NewFxQuote, RawFxQuote};
pub use service::{Rates, Refresh, consume, ensure_snapshot, find, save, save_days};
pub use source::{BuiltIn, EcbFile, EcbUrl, Fetching, RateSource};
pub use store::STATEMENTS;
pub(in crate::pricing) use stored::StoredRate;

use crate::base::failure::{Failure, Result};

/// The rates of one day, for a sandbox that fetches nothing; the file names its day and source.
const SNAPSHOT: &str = include_str!("snapshot/eurofxref-2026-10-30.xml");

/// The rates that are built in. Right for one day, so for the sandbox only.
pub fn snapshot() -> Result<DayRates> {
    let mut days = ecb::read(SNAPSHOT.as_bytes()).map_err(Failure::internal)?;
    days.pop().ok_or_else(|| Failure::internal("the built-in rates are empty"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rates_are_whole_and_named_after_their_day() {
        let day = snapshot().unwrap();
        assert_eq!(day.date.to_string(), "2026-10-30");
        assert!(day.currencies().count() >= 29);
    }
}
