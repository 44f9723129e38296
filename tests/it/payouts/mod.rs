//! What merchants have and where it goes.

mod accounts;
mod balances;
mod funding;
mod keys;
mod payout;
pub(crate) mod people;
mod sandbox;
pub(crate) mod shop;
