//! `[fx]`: exchange rates.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::values::{Parsed, Raw, duration, integer, text};

/// Where the European Central Bank's rate file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateFile {
    /// On this machine.
    Path(PathBuf),
    /// Where it is published.
    Url(String),
}

/// Exchange rates, and what the house takes on top.
#[derive(Debug, Clone)]
pub struct Fx {
    /// The rate file; without one a sandbox uses the day that is built in, and others exchange nothing.
    pub rates: Option<RateFile>,
    /// How often it is read again.
    pub refresh: Duration,
    /// The margin, in hundredths of a per cent.
    pub markup_bps: u32,
    /// Older rates are refused: yesterday's price is an offer to whoever knows today's.
    pub max_age_business_days: u32,
    /// How long an FX quote holds.
    pub quote_lifetime: Duration,
}

impl Fx {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
        let hour = Duration::from_hours(1);
        Self {
            rates: reader.optional("fx.rates", rate_file),
            refresh: reader.or("fx.refresh", hour, duration(minute..=24 * hour)),
            markup_bps: reader.or("fx.markup_bps", 45, integer(0..=5_000)),
            max_age_business_days: reader.or("fx.max_age_business_days", 2, integer(0..=30)),
            quote_lifetime: reader.or("fx.quote_lifetime", minute, duration(second..=hour)),
        }
    }
}

fn rate_file(raw: &Raw) -> Parsed<RateFile> {
    let written = text(raw)?;
    match written.split_once("://") {
        None => Ok(RateFile::Path(written.into())),
        Some(("https" | "http", _)) => Ok(RateFile::Url(written)),
        Some(_) => Err("a path, or an address that begins with https://".to_owned()),
    }
}
