//! Double entry: where money is, where it came from, and what is set aside.
//!
//! Every merchant has its own accounts per currency, the house's among them, so that one transaction
//! touches one merchant. An [`Entry`] is a list of transfers from one account to another, so it cannot
//! fail to sum to zero; it is written once and never changed, only reversed by another entry.
//!
//! ```text
//! clearing ──▶ available ──▶ pending ──▶ clearing     money comes in, is held, and leaves
//!                  └──────▶ fees                      what the house keeps
//! available ──▶ liquidity (one currency), liquidity ──▶ available (another)    an exchange
//! ```
//!
//! `available` and `pending` never fall below zero: the statement that takes from them says so.

pub mod audit;
pub mod erasure;
mod housekeeping;
mod model;
mod service;
pub mod statement;
mod store;

pub use housekeeping::ExpireHolds;
pub use model::{
    AccountKind, Balance, Entry, EntryKind, Hold, HoldEnd, HoldState, Line, Posting, Recorded,
    Transfer,
};
pub use service::{
    balance, balances, expire_holds, hold, lines, place_hold, post_hold, record, release_hold,
    reverse,
};
pub use store::STATEMENTS;

crate::ids! {
    /// An account; the one of available money is what callers know as a balance.
    AccountId = "bal_";
    /// An entry.
    EntryId = "txn_";
    /// Money set aside.
    HoldId = "hld_";
}
