//! How a used rate is written into rows: texts, so that its stated precision is kept.

use serde::{Deserialize, Serialize};

use crate::{
    base::timestamp::Timestamp,
    money::{Currency, MoneyError, Rate},
};

use super::UsedRate;

/// A used rate in the form that is stored with what was priced by it.
#[derive(Serialize, Deserialize)]
pub(in crate::pricing) struct StoredRate {
    from: Currency,
    to: Currency,
    rate: String,
    mid: String,
    markup_bps: u32,
    source: String,
    as_of_us: i64,
}

impl From<&UsedRate> for StoredRate {
    fn from(used: &UsedRate) -> Self {
        Self {
            from: used.from,
            to: used.to,
            rate: used.rate.to_string(),
            mid: used.mid.to_string(),
            markup_bps: used.markup_bps,
            source: used.source.clone(),
            as_of_us: used.as_of.micros(),
        }
    }
}

impl TryFrom<StoredRate> for UsedRate {
    type Error = MoneyError;

    fn try_from(stored: StoredRate) -> Result<Self, MoneyError> {
        Ok(Self {
            from: stored.from,
            to: stored.to,
            rate: stored.rate.parse::<Rate>()?,
            mid: stored.mid.parse::<Rate>()?,
            markup_bps: stored.markup_bps,
            source: stored.source,
            as_of: Timestamp::from_micros(stored.as_of_us),
        })
    }
}
