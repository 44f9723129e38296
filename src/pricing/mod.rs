//! Pricing: fee plans, quotes that lock a fee, exchange rates, and the reference data they stand on.
//!
//! - [`plans`]: what the house charges, in versions that never change;
//! - [`engine`]: the arithmetic of a fee, exact until one named rounding, with its explanation;
//! - [`quotes`]: a fee promised to one merchant for a while, to be used once;
//! - [`exchanges`]: money moved between own balances, at the rate of a quote;
//! - [`erasure`]: starting a sandbox over;
//! - [`fx`]: exchange rates from a source behind a small interface, with margin and age limit;
//! - [`reference`](mod@reference): currencies, countries, corridors.

pub mod cache;
pub mod engine;
pub mod erasure;
pub mod exchanges;
pub mod fx;
pub mod http;
mod method;
pub mod plans;
pub mod quotes;
pub mod reference;
mod room;

pub use method::Method;
pub use room::{Parts, Pricing};

crate::ids! {
    /// A fee plan, over all its versions.
    PlanId = "prc_";
    /// A pricing quote.
    QuoteId = "pq_";
    /// An FX quote.
    FxQuoteId = "fxq_";
    /// An FX exchange.
    FxExchangeId = "fxx_";
}
