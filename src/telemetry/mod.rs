//! What operators see: log lines, traces and metrics.
//!
//! Nothing here may break the server: a log that nobody reads, a collector that is gone or slow, cost
//! lines and spans (counted), never a request. Nothing here may betray a secret either: other crates'
//! debug lines are never shown, because nobody here can vouch for what they print.

mod catalogue;
mod lines;
mod log;
mod prometheus;
mod traces;

use std::io::IsTerminal as _;
use std::time::Duration;

pub use prometheus::Prometheus;

use crate::config::{Environment, Log, Otlp};
use lines::Lines;
use traces::Traces;

/// How long the last lines and spans may take to leave at the end.
const PATIENCE: Duration = Duration::from_secs(3);

/// The running log and trace export; stop it last, so that the end of everything else is still told.
#[derive(Debug)]
pub struct Telemetry {
    lines: Lines,
    traces: Option<Traces>,
}

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Two logs in one process would each get half.
    #[error("this process has a log already; start telemetry once")]
    AlreadyStarted,
    /// The thread that writes lines.
    #[error("the thread that writes the log cannot start: {0}")]
    Thread(#[source] std::io::Error),
    /// The exporter refuses its settings.
    #[error("`otlp.endpoint` cannot be used: {0}")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
}

impl Telemetry {
    /// Installs the process' log on stderr (stdout belongs to answers) and, when an endpoint is
    /// configured, the trace export. Call it once, inside the runtime.
    pub fn start(log: &Log, otlp: &Otlp, environment: Environment) -> Result<Self, TelemetryError> {
        let colours = std::io::stderr().is_terminal();
        let lines = Lines::to(std::io::stderr(), colours).map_err(TelemetryError::Thread)?;
        let traces = match &otlp.endpoint {
            Some(endpoint) => Some(Traces::to(endpoint, environment)?),
            None => None,
        };
        log::install(log, &lines, traces.as_ref(), colours)?;
        Ok(Self { lines, traces })
    }

    /// Sends what is still waiting, for a few seconds at the most.
    pub async fn stop(self) {
        // Both wait on threads of their own; a worker of the runtime must stay free to carry the last
        // spans.
        let flush = move || {
            if let Some(traces) = self.traces {
                traces.stop(PATIENCE);
            }
            self.lines.flush(PATIENCE);
        };
        let _ = tokio::task::spawn_blocking(flush).await;
    }
}
