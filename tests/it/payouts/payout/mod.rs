//! Payouts over HTTP, on the sandbox rail.

mod amounts;
mod approvals;
mod audit;
mod checks;
mod creating;
mod histories;
mod journeys;
mod races;
mod receipts;

use super::shop::{IBAN, PATH, Shop, code, fields};
