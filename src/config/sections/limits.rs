//! `[limits]`: how often somebody may ask.

use crate::config::reader::Reader;
use crate::config::values::integer;

/// Requests per minute, by whom.
#[derive(Debug, Clone)]
pub struct Limits {
    /// By merchant, over all of `/v1`.
    pub merchant_per_minute: u32,
    /// By client address, on paths without credentials.
    pub address_per_minute: u32,
    /// By client address, under `/oauth`: many clients may share one.
    pub oauth_address_per_minute: u32,
    /// Tokens minted by one client.
    pub token_per_minute: u32,
    /// Failed authentications by client address. Stops guessing without locking the right caller out.
    pub failures_per_minute: u32,
    /// Looks at rates, and FX quotes, by client address.
    pub fx_per_minute: u32,
    /// Test events and other calls that make us call somebody, by merchant.
    pub sensitive_per_minute: u32,
}

impl Limits {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        let count = || integer(1..=10_000_000);
        Self {
            merchant_per_minute: reader.or("limits.merchant_per_minute", 1000, count()),
            address_per_minute: reader.or("limits.address_per_minute", 300, count()),
            oauth_address_per_minute: reader.or("limits.oauth_address_per_minute", 600, count()),
            token_per_minute: reader.or("limits.token_per_minute", 120, count()),
            failures_per_minute: reader.or("limits.failures_per_minute", 20, count()),
            fx_per_minute: reader.or("limits.fx_per_minute", 30, count()),
            sensitive_per_minute: reader.or("limits.sensitive_per_minute", 10, count()),
        }
    }
}
