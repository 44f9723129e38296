//! Quotes: a fee promised to one merchant until a moment, to be used by one payout.
//!
//! ```text
//! open ──> consumed     by the payout that carries its id, in that payout's transaction
//!   └────> expired      by the clock alone: from `expires_at` on, that instant included
//! ```
//!
//! A quote keeps everything its numbers follow from (the payment, the plan's version word for
//! word, each rate with its source and time, the month's volume), so that anybody can compute it
//! again and get the same digits.

mod facts;
pub mod http;
mod intake;
mod model;
mod service;
mod store;

pub use facts::{Facts, Outcome};
pub use intake::Intake;
pub use model::{NewQuote, Offer, Quote, QuoteState, RawQuote, Standing, Wanted};
pub use service::{
    Explanation, OFFER_TYPE, Preview, SignedQuote, Verdict, consume, create, explain, find, get,
    list, month_volume, prepare, preview, save, uncount, used_by, verify,
};
pub use store::STATEMENTS;
