//! `[webhooks]`, `[requests]` and `[jobs]`: what happens after the answer.

use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::values::{Parsed, Raw, boolean, duration, integer, list, text};

/// Delivery of events to merchants.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Whether endpoints may lie on loopback or private addresses, on any port and without TLS. Off, it
    /// stops a merchant from making us call our own neighbours (SSRF).
    pub allow_loopback: bool,
    /// The ports that endpoints may name.
    pub ports: Vec<u16>,
    /// A proxy that makes the connections.
    pub proxy: Option<String>,
    /// The most that an endpoint may take, so that a slow one does not hold up the others.
    pub timeout: Duration,
    /// Endpoints served at once.
    pub endpoints_at_once: usize,
    /// Deliveries to one endpoint at once.
    pub deliveries_at_once: usize,
    /// How long an endpoint belongs to a replica that shows no sign of life.
    pub lease: Duration,
    /// How long events and deliveries are kept.
    pub retention: Duration,
}

impl Webhooks {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        let (second, day) = (Duration::from_secs(1), Duration::from_hours(24));
        Self {
            allow_loopback: reader.or("webhooks.allow_loopback", false, boolean),
            ports: reader.or("webhooks.ports", vec![443, 8443], list(integer(1..=u16::MAX))),
            proxy: reader.optional("webhooks.proxy", proxy),
            timeout: reader.or("webhooks.timeout", 30 * second, duration(second..=30 * second)),
            endpoints_at_once: reader.or("webhooks.endpoints_at_once", 256, integer(2..=65_536)),
            deliveries_at_once: reader.or("webhooks.deliveries_at_once", 8, integer(1..=64)),
            lease: reader.or("webhooks.lease", 15 * second, duration(second..=300 * second)),
            // Consumers are promised 90 days in which to notice that they missed something.
            retention: reader.or("webhooks.retention", 90 * day, duration(90 * day..=3_660 * day)),
        }
    }
}

fn proxy(raw: &Raw) -> Parsed<String> {
    let written = text(raw)?;
    match written.split_once("://") {
        Some(("http" | "https", _)) => Ok(written),
        _ => Err("an address that begins with http:// or https://".to_owned()),
    }
}

/// The log of API requests that merchants see.
#[derive(Debug, Clone)]
pub struct Requests {
    /// How many days lines are kept; with none, nothing is written.
    pub keep_days: u32,
}

impl Requests {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        Self { keep_days: reader.or("requests.keep_days", 30, integer(0..=3_660)) }
    }

    /// The same as a length of time.
    pub fn kept(&self) -> Duration {
        Duration::from_hours(24 * u64::from(self.keep_days))
    }
}

/// The durable queue.
#[derive(Debug, Clone)]
pub struct Jobs {
    /// How often to look for what has become due without anybody saying so.
    pub poll_interval: Duration,
    /// Jobs at once; with none this replica answers requests only, and others must do the work.
    pub concurrency: usize,
}

impl Jobs {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        let (least, most) = (Duration::from_millis(10), Duration::from_mins(10));
        let second = Duration::from_secs(1);
        Self {
            poll_interval: reader.or("jobs.poll_interval", second, duration(least..=most)),
            concurrency: reader.or("jobs.concurrency", 8, integer(0..=1024)),
        }
    }
}
