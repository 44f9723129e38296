//! `[log]`, `[otlp]` and `[metrics]`.

use std::net::SocketAddr;

use crate::config::reader::Reader;
use crate::config::values::{Parsed, Raw, boolean, choice, socket, text};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For a terminal.
    Human,
    /// For a collector: one object per line.
    Json,
}

/// What is logged and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// The shape of a line.
    pub format: LogFormat,
    /// `LEVEL` or `TARGET=LEVEL`, with commas; checked at the start, so that a slip does not mute the log.
    pub filter: String,
}

impl Log {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        const FORMATS: &[(&str, LogFormat)] =
            &[("human", LogFormat::Human), ("json", LogFormat::Json)];
        Self {
            format: reader.or("log.format", LogFormat::Human, choice(FORMATS)),
            filter: reader.or("log.filter", "info".to_owned(), filter),
        }
    }
}

fn filter(raw: &Raw) -> Parsed<String> {
    let wanted = "a log filter such as \"info\" or \"info,sqlx=warn\"";
    let given = text(raw).map_err(|_| wanted.to_owned())?;
    let known = tracing_subscriber::EnvFilter::builder().parse(&given).is_ok();
    known.then_some(given).ok_or_else(|| wanted.to_owned())
}

/// Where traces go.
#[derive(Debug, Clone)]
pub struct Otlp {
    /// The collector's full address for traces; nothing is exported without it.
    pub endpoint: Option<String>,
}

impl Otlp {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        Self { endpoint: reader.optional("otlp.endpoint", endpoint) }
    }
}

fn endpoint(raw: &Raw) -> Parsed<String> {
    let wanted = "an http or https address such as \"http://127.0.0.1:4318/v1/traces\"";
    // No user in it: this address is shown in logs. Collectors take their key as a header, which the
    // exporter reads from OTEL_EXPORTER_OTLP_HEADERS.
    let web = |text: &String| {
        let uri = text.parse::<http::Uri>().ok().filter(|_| !text.contains('@'));
        uri.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
        })
    };
    text(raw).ok().filter(web).ok_or_else(|| wanted.to_owned())
}

/// Whether and where `/metrics` is served.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Whether at all.
    pub enabled: bool,
    /// An address of its own, so that strangers on the public one cannot read how business goes.
    pub listen: Option<SocketAddr>,
}

impl Metrics {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        Self {
            enabled: reader.or("metrics.enabled", true, boolean),
            listen: reader.optional("metrics.listen", socket),
        }
    }
}
