//! Every metric we record, with what it tells. A test compares the table with the source, so that a
//! metric cannot be recorded without being explained, nor explained after it is gone.
//!
//! Names end in their unit: `_total` for counters, `_seconds` and `_writes` for histograms (which is how
//! they get their buckets). Labels take few values: routes as templates, never paths, ids or merchants.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

use Kind::{Counter, Gauge, Histogram};

const METRICS: &[(&str, Kind, Unit, &str)] = &[
    (
        "argon2_refused_total",
        Counter,
        Unit::Count,
        "Secret checks turned away because too many were waiting",
    ),
    ("argon2_runs_total", Counter, Unit::Count, "Secret checks that paid the full cost"),
    ("argon2_waiting", Gauge, Unit::Count, "Secret checks that run or wait for their turn"),
    (
        "db_bodies_run_again_total",
        Counter,
        Unit::Count,
        "Database bodies that ran a second time after a lost connection or a conflict",
    ),
    ("db_commit_writes", Histogram, Unit::Count, "Writes that shared one commit"),
    (
        "db_writes_refused_total",
        Counter,
        Unit::Count,
        "Writes turned away because their lane was full",
    ),
    ("dpop_refused_total", Counter, Unit::Count, "Refused proofs, by reason"),
    ("dpop_replays_total", Counter, Unit::Count, "Proofs that were sent a second time"),
    (
        "dpop_uses_held",
        Gauge,
        Unit::Count,
        "Used proofs that this replica remembers in memory; at oauth.replay_ceiling it refuses",
    ),
    (
        "http_connections_refused_total",
        Counter,
        Unit::Count,
        "Connections closed at once because too many were open",
    ),
    ("http_failures_total", Counter, Unit::Count, "Refused requests, by stable error code"),
    ("http_request_seconds", Histogram, Unit::Seconds, "Time to answer, by route"),
    (
        "http_requests_shed_total",
        Counter,
        Unit::Count,
        "Requests turned away because too many were running or arriving",
    ),
    ("http_requests_total", Counter, Unit::Count, "Answers, by method, route and status"),
    ("jobs_run_total", Counter, Unit::Count, "Jobs run, by kind and outcome"),
    (
        "log_lines_dropped_total",
        Counter,
        Unit::Count,
        "Log lines dropped because nobody read them fast enough",
    ),
    (
        "otlp_exports_failed_total",
        Counter,
        Unit::Count,
        "Batches of spans that the collector did not take",
    ),
    (
        "request_log_dropped_total",
        Counter,
        Unit::Count,
        "Lines of the merchants' request log that were dropped rather than waited for",
    ),
    ("token_cache_total", Counter, Unit::Count, "Presented tokens, by whether they were known"),
    ("tokens_minted_total", Counter, Unit::Count, "Access tokens issued"),
    ("tokens_refused_total", Counter, Unit::Count, "Refused access tokens, by reason"),
    (
        "webhook_attempt_seconds",
        Histogram,
        Unit::Seconds,
        "Time until a receiver answered, or until it had not",
    ),
    ("webhook_attempts_total", Counter, Unit::Count, "Attempts to deliver, by outcome"),
    (
        "webhook_wait_seconds",
        Histogram,
        Unit::Seconds,
        "Time from an event to the first attempt to deliver it",
    ),
];

/// Tells the recorder the help texts.
pub(super) fn describe() {
    for (name, kind, unit, help) in METRICS {
        match kind {
            Kind::Counter => describe_counter!(*name, *unit, *help),
            Kind::Gauge => describe_gauge!(*name, *unit, *help),
            Kind::Histogram => describe_histogram!(*name, *unit, *help),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Each `metrics::counter!("name"` and sibling outside tests, as kind and name.
    fn recorded(folder: &Path, found: &mut BTreeSet<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                recorded(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                let code = source.split("#[cfg(test)]").next().unwrap();
                for call in code.split("metrics::").skip(1) {
                    let Some((kind, rest)) = call.split_once("!(") else { continue };
                    let name = rest.trim_start().strip_prefix('"').and_then(|r| r.split_once('"'));
                    if let (Some((name, _)), true) =
                        (name, ["counter", "gauge", "histogram"].contains(&kind))
                    {
                        found.insert((kind.to_owned(), name.to_owned()));
                    }
                }
            }
        }
    }

    #[test]
    fn every_metric_is_explained_and_every_explained_one_is_recorded() {
        let mut found = BTreeSet::new();
        recorded(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let explained: BTreeSet<_> = METRICS
            .iter()
            .map(|(name, kind, ..)| (format!("{kind:?}").to_lowercase(), (*name).to_owned()))
            .collect();
        assert_eq!(found, explained, "recorded on the left, METRICS on the right");
    }

    #[test]
    fn names_end_in_their_unit() {
        for (name, kind, ..) in METRICS {
            let fits = match kind {
                Kind::Counter => name.ends_with("_total"),
                Kind::Histogram => name.ends_with("_seconds") || name.ends_with("_writes"),
                Kind::Gauge => !name.ends_with("_total"),
            };
            assert!(fits, "{name}");
        }
    }
}
