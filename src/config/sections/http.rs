//! `[http]`: how requests reach us and how much of us one may take.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::config::origin::{WebOrigin, origin};
use crate::config::reader::Reader;
use crate::config::values::{duration, integer, list, network, path, size};

/// Limits and peers of the listener.
#[derive(Debug, Clone)]
pub struct Http {
    /// A head that takes longer to arrive is not waited for.
    pub head_timeout: Duration,
    /// A body that takes longer to arrive is not waited for.
    pub body_timeout: Duration,
    /// A connection without a request is closed after this.
    pub idle_timeout: Duration,
    /// A request that takes longer is given up, so that a stuck one does not keep its place.
    pub request_timeout: Duration,
    /// The largest body; a stranger must not choose how much memory a request takes.
    pub body_limit: usize,
    /// The most bytes of request line and headers, for the same reason.
    pub header_limit: usize,
    /// Requests worked on at once; beyond it load is shed with 503 instead of slowing everybody.
    pub max_concurrent_requests: usize,
    /// Bodies on their way at once. With the largest body it bounds the memory that slow callers hold.
    pub max_arriving_bodies: usize,
    /// The same from one address, so that one slow caller does not keep out the others.
    pub max_arriving_bodies_per_address: usize,
    /// Open connections.
    pub max_connections: usize,
    /// The same from one address; a listed proxy has no such bound.
    pub max_connections_per_address: usize,
    /// Peers whose forwarded address is believed. Anybody else could pick the address that the rate
    /// limiter counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Browser origins that may call the APIs.
    pub cors_origins: Vec<WebOrigin>,
    /// Certificate and key, when we end TLS ourselves.
    pub tls: Option<TlsFiles>,
    /// How long a drain waits for requests under way.
    pub drain_timeout: Duration,
}

/// A certificate chain and its key, both PEM; they only make sense together.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The chain, leaf first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Http {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        let second = Duration::from_secs(1);
        let time = || duration(Duration::from_millis(10)..=Duration::from_mins(10));
        // Below 8 KiB a signed request (token, proof, signature headers) would not fit.
        let (header_sizes, body_sizes) = (8 << 10..=1 << 20, 1 << 10..=64 << 20);
        let mut count = |key, usual| reader.or(key, usual, integer(1..=1_000_000));
        let max_concurrent_requests = count("http.max_concurrent_requests", 1024);
        let max_arriving_bodies = count("http.max_arriving_bodies", 2048);
        let max_arriving_bodies_per_address = count("http.max_arriving_bodies_per_address", 128);
        let max_connections = count("http.max_connections", 4096);
        let max_connections_per_address = count("http.max_connections_per_address", 256);
        Self {
            head_timeout: reader.or("http.head_timeout", 15 * second, time()),
            body_timeout: reader.or("http.body_timeout", 10 * second, time()),
            idle_timeout: reader.or("http.idle_timeout", 75 * second, time()),
            request_timeout: reader.or("http.request_timeout", 30 * second, time()),
            body_limit: reader.or("http.body_limit", 256 << 10, size(body_sizes)),
            header_limit: reader.or("http.header_limit", 32 << 10, size(header_sizes)),
            max_concurrent_requests,
            max_arriving_bodies,
            max_arriving_bodies_per_address,
            max_connections,
            max_connections_per_address,
            trusted_proxies: reader.or("http.trusted_proxies", Vec::new(), list(network)),
            cors_origins: reader.or("http.cors_origins", Vec::new(), list(origin)),
            tls: tls(reader),
            drain_timeout: reader.or("http.drain_timeout", 30 * second, time()),
        }
    }
}

fn tls(reader: &mut Reader) -> Option<TlsFiles> {
    let cert = reader.optional("http.tls_cert", path);
    let key = reader.optional("http.tls_key", path);
    match (cert, key) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
        // Serving plain HTTP because half of the pair is missing would be the worst reading of it.
        (Some(_), None) if !reader.is_set("http.tls_key") => {
            reader.fault("`http.tls_cert` is set and `http.tls_key` is not; set both".to_owned());
            None
        }
        (None, Some(_)) if !reader.is_set("http.tls_cert") => {
            reader.fault("`http.tls_key` is set and `http.tls_cert` is not; set both".to_owned());
            None
        }
        _ => None,
    }
}
