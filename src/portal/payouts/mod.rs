//! Payouts: found, looked at, called off, and let go by a second pair of eyes.

mod detail;
pub(super) mod filter;
pub mod http;
mod receipt;
mod service;
mod view;

pub(super) use service::{Listed, list};
pub(super) use view::payouts;
