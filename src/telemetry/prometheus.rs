//! The metrics of the process, in the text that Prometheus reads.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::catalogue;
use crate::base::tasks::Tasks;

/// Seconds, from a signature check to a request that times out.
const SECONDS: &[f64] = &[
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0,
];

/// Counts of things done together, such as writes in one commit.
const COUNTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// How often histograms are folded, so that their raw values do not grow between two scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Everything that `metrics::counter!` and its siblings have recorded.
#[derive(Clone)]
pub struct Prometheus(PrometheusHandle);

impl Prometheus {
    /// The recorder of the process, installed by the first call; several servers in one process (as in
    /// the tests) share it.
    pub fn of_process() -> Self {
        static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
        let handle = RECORDER.get_or_init(|| {
            let recorder = builder().build_recorder();
            let handle = recorder.handle();
            // Only fails when somebody else's recorder came first; then theirs gets the numbers and
            // ours renders none, which must not keep the server from starting.
            if metrics::set_global_recorder(recorder).is_ok() {
                catalogue::describe();
            }
            handle
        });
        Self(handle.clone())
    }

    /// The text for `/metrics`.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Keeps histograms small until shutdown.
    pub fn keep_up(&self, tasks: &Tasks) {
        let (handle, ending) = (self.0.clone(), tasks.clone());
        tasks.spawn(async move {
            while tokio::time::timeout(UPKEEP, ending.stopping()).await.is_err() {
                handle.run_upkeep();
            }
        });
    }
}

impl std::fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prometheus")
    }
}

/// A histogram's name says its unit, and the unit says its buckets.
fn builder() -> PrometheusBuilder {
    let buckets = |builder: PrometheusBuilder, suffix: &str, buckets: &[f64]| {
        let matcher = Matcher::Suffix(suffix.to_owned());
        // Fails for an empty list only.
        builder.set_buckets_for_metric(matcher, buckets).unwrap_or_default()
    };
    buckets(buckets(PrometheusBuilder::new(), "_seconds", SECONDS), "_writes", COUNTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_counts_are_histograms_with_buckets() {
        let recorder = builder().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            catalogue::describe();
            metrics::histogram!("http_request_seconds", "route" => "/v1/\"x\"\n").record(0.003);
            metrics::histogram!("db_commit_writes").record(7.0);
            metrics::counter!("db_writes_refused_total").increment(2);
        });
        let text = handle.render();
        for line in [
            "# TYPE http_request_seconds histogram",
            "http_request_seconds_bucket{route=\"/v1/\\\"x\\\"\\n\",le=\"0.0025\"} 0",
            "http_request_seconds_bucket{route=\"/v1/\\\"x\\\"\\n\",le=\"0.005\"} 1",
            "db_commit_writes_bucket{le=\"8\"} 1",
            "# TYPE db_writes_refused_total counter",
            "db_writes_refused_total 2",
        ] {
            assert!(text.lines().any(|has| has == line), "{line}\n---\n{text}");
        }
        assert!(text.contains("# HELP db_commit_writes "), "{text}");
    }

    #[test]
    fn two_servers_in_one_process_share_the_recorder() {
        let (first, second) = (Prometheus::of_process(), Prometheus::of_process());
        metrics::counter!("log_lines_dropped_total").increment(0);
        assert!(first.render().contains("log_lines_dropped_total"));
        assert!(second.render().contains("log_lines_dropped_total"));
    }
}
