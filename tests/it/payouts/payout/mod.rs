//! Payouts over HTTP, on the sandbox rail.

mod amounts;
mod checks;
mod creating;
mod histories;
mod journeys;
mod races;

use super::shop::{IBAN, PATH, Shop, code, fields};
