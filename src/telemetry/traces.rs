//! Traces over OTLP/HTTP, in batches, off the path of any request.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter as OtlpExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::TelemetryError;
use super::log::is_ours;
use crate::config::Environment;

/// How long one batch may take, so that a collector that hangs does not pile batches up.
const BATCH_TIMEOUT: Duration = Duration::from_secs(10);

/// The running export.
#[derive(Debug)]
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    pub(super) fn to(endpoint: &str, environment: Environment) -> Result<Self, TelemetryError> {
        let inner = OtlpExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(BATCH_TIMEOUT)
            .build()
            .map_err(TelemetryError::Exporter)?;
        let exporter =
            Exporter { inner, runtime: Handle::current(), failing: AtomicBool::new(false) };
        let resource = Resource::builder()
            .with_service_name("counterfoil")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("deployment.environment.name", environment.as_str()))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// The layer that turns our spans into traces. Other crates' spans stay here: they can hold what
    /// must not leave, and those of the exporter's own connection would feed themselves.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.0.tracer("counterfoil");
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(filter_fn(is_ours))
    }

    /// Sends what is left. Blocks; not for a worker of the runtime.
    pub(super) fn stop(self, patience: Duration) {
        // A collector that is gone has been reported when it went.
        let _ = self.0.shutdown_with_timeout(patience);
    }
}

/// The exporter with the two things it lacks: the runtime its client needs on the batch thread, and a
/// voice when the collector goes or comes back.
#[derive(Debug)]
struct Exporter {
    inner: OtlpExporter,
    runtime: Handle,
    failing: AtomicBool,
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let outcome = within(&self.runtime, self.inner.export(batch)).await;
        let was_failing = self.failing.swap(outcome.is_err(), Ordering::Relaxed);
        match &outcome {
            Err(error) => {
                metrics::counter!("otlp_exports_failed_total").increment(1);
                if !was_failing {
                    tracing::warn!(%error, "traces cannot be exported; serving goes on without");
                }
            }
            Ok(()) if was_failing => tracing::info!("traces are exported again"),
            Ok(()) => {}
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Polls a future with the runtime at hand. The batch thread is a plain one, where the HTTP client would
/// panic for want of timers and sockets.
async fn within<F: Future>(runtime: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _entered = runtime.enter();
        future.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    async fn export_one_span(endpoint: String) {
        let traces = Traces::to(&endpoint, Environment::Sandbox).unwrap();
        let subscriber = tracing_subscriber::registry().with(traces.layer());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info_span!("our_span").in_scope(|| {});
            tracing::info_span!(target: "hyper", "their_span").in_scope(|| {});
        });
        tokio::task::spawn_blocking(move || traces.stop(Duration::from_mins(1))).await.unwrap();
    }

    /// Answers one request with 200 and gives back what it received.
    async fn collector() -> (String, impl Future<Output = Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let received = async move {
            let (mut peer, _) = listener.accept().await.unwrap();
            let mut received = Vec::new();
            while !received.windows(8).any(|part| part == b"our_span") {
                if peer.read_buf(&mut received).await.unwrap() == 0 {
                    break;
                }
            }
            peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            received
        };
        (endpoint, received)
    }

    #[tokio::test]
    async fn our_spans_reach_the_collector_before_stop_returns_and_others_never_do() {
        let (endpoint, received) = collector().await;
        let ((), received) = tokio::join!(export_one_span(endpoint), received);
        let text = String::from_utf8_lossy(&received);
        assert!(text.starts_with("POST /v1/traces"), "{text}");
        assert!(text.contains("our_span") && text.contains("counterfoil"), "{text}");
        assert!(!text.contains("their_span"), "{text}");
    }

    #[tokio::test]
    async fn a_collector_that_is_gone_breaks_nothing() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        export_one_span(format!("http://{gone}/v1/traces")).await;
    }
}
