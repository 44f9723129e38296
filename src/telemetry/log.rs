//! Which events become lines, and what a line looks like.

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::TelemetryError;
use super::lines::Lines;
use super::traces::Traces;
use crate::config::{Log, LogFormat};

/// Makes this the log of the process.
pub(super) fn install(
    log: &Log,
    lines: &Lines,
    traces: Option<&Traces>,
    colours: bool,
) -> Result<(), TelemetryError> {
    tracing_subscriber::registry()
        .with(layer(log, lines.clone(), colours))
        .with(traces.map(Traces::layer))
        .try_init()
        .map_err(|_| TelemetryError::AlreadyStarted)
}

/// The layer that turns events into lines.
fn layer<S>(log: &Log, lines: Lines, colours: bool) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let plain = fmt::layer().with_writer(lines).log_internal_errors(false);
    let shaped = match log.format {
        LogFormat::Human => plain.with_ansi(colours).boxed(),
        LogFormat::Json => plain.json().flatten_event(true).with_ansi(false).boxed(),
    };
    // The configuration has checked the filter; a directive that slipped through is left out.
    let wanted = EnvFilter::builder().parse_lossy(&log.filter);
    shaped.with_filter(wanted.and(filter_fn(is_vouched_for)))
}

/// Whether an event may be shown at any filter. The debug lines of HTTP and database crates can hold
/// headers and rows, so `log.filter = "trace"` would put tokens into the log.
fn is_vouched_for(event: &Metadata<'_>) -> bool {
    is_ours(event) || *event.level() <= Level::INFO
}

pub(super) fn is_ours(event: &Metadata<'_>) -> bool {
    let target = event.target();
    target == "counterfoil" || target.starts_with("counterfoil::")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::lines::tests::Kept;

    fn logged(format: LogFormat, filter: &str, say: impl FnOnce()) -> String {
        let kept = Kept::default();
        let lines = Lines::to(kept.clone(), false).unwrap();
        let log = Log { format, filter: filter.to_owned() };
        let subscriber = tracing_subscriber::registry().with(layer(&log, lines.clone(), false));
        tracing::subscriber::with_default(subscriber, say);
        lines.flush(Duration::from_mins(1));
        kept.text()
    }

    #[test]
    fn text_from_outside_cannot_forge_a_line_or_colour_the_terminal() {
        let evil = "x\n2026-01-01T00:00:00Z  INFO counterfoil: paid \x1b[31mred\x1b[0m\r";
        for format in [LogFormat::Human, LogFormat::Json] {
            let text = logged(format, "info", || {
                let _span = tracing::info_span!("request", path = %evil).entered();
                tracing::info!(display = %evil, debug = ?evil, text = evil, "{evil}");
            });
            assert_eq!(text.matches('\n').count(), 1, "{text}");
            assert!(text.ends_with('\n') && !text.contains(['\x1b', '\r']), "{text}");
        }
    }

    #[test]
    fn a_json_line_is_one_object_with_the_fields_at_the_top() {
        let text = logged(LogFormat::Json, "info", || tracing::info!(status = 201, "answered"));
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "answered");
        assert_eq!(line["status"], 201);
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn the_filter_decides_what_we_say() {
        let say = || {
            tracing::info!("shown");
            tracing::debug!("hidden");
        };
        let text = logged(LogFormat::Human, "info", say);
        assert!(text.contains("shown") && !text.contains("hidden"), "{text}");
        assert!(logged(LogFormat::Human, "counterfoil=debug", say).contains("hidden"));
        assert!(!logged(LogFormat::Human, "error", say).contains("shown"));
    }

    #[test]
    fn other_crates_debug_lines_are_shown_at_no_filter() {
        let text = logged(LogFormat::Human, "trace", || {
            tracing::trace!(target: "hyper::proto", "authorization: DPoP hunter2");
            tracing::debug!(target: "counterfoilish", "authorization: DPoP hunter2");
            tracing::warn!(target: "hyper::proto", "connection lost");
            tracing::trace!("ours");
        });
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("connection lost") && text.contains("ours"), "{text}");
    }
}
