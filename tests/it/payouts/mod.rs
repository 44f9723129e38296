//! What merchants have and where it goes.

mod balances;
mod payout;
mod people;
