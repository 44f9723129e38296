//! Paying out: what merchants have, to whom it goes, and how it gets there.

pub mod balances;
pub mod events;
