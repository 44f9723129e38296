//! `[webhooks]` and `[jobs]`: what happens after the answer.

use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::values::{boolean, duration, integer};

/// Delivery of events to merchants.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Whether endpoints may lie on loopback or private addresses. Off, it stops a merchant from making
    /// us call our own neighbours (SSRF).
    pub allow_loopback: bool,
    /// How long an endpoint may take, so that a slow one does not hold up the others.
    pub timeout: Duration,
}

impl Webhooks {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
        Self {
            allow_loopback: reader.or("webhooks.allow_loopback", false, boolean),
            timeout: reader.or("webhooks.timeout", 10 * second, duration(second..=minute)),
        }
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
