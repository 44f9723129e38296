//! Exchanges: money moved between a merchant's own balances, at the rate of an FX quote.
//!
//! One transaction uses the quote up, moves both amounts, and writes the exchange. The house stands on
//! the other side with its `liquidity` account in each currency; what it keeps goes on to `fees`.

pub mod http;
mod service;
mod store;

pub use service::{FxExchange, exchange, list};
pub use store::STATEMENTS;
