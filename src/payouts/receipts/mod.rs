//! Receipts: what is known of a payout, signed, so that it can be shown to somebody who trusts neither
//! the merchant nor the wire.
//!
//! A receipt is a compact JWS over sorted members of plain text. Its type is no token's, so that none
//! can be presented as one. It can be had in every state and says which; another one can be had at any
//! time, and nothing of it is stored.

mod facts;
pub mod http;
mod service;

pub use service::{RECEIPT_TYPE, issue};
