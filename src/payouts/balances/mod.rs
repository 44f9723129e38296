//! What a merchant has: a view of its ledger accounts, and the way money comes in.

pub mod http;
mod service;

pub use service::credit;
