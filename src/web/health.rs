//! `/healthz` and `/readyz`.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, oneshot};

use crate::base::{
    clock::Clock,
    failure::{Failure, Result},
    tasks::Tasks,
    timestamp::Timestamp,
};

/// Asks one dependency whether it can be used now.
pub type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// How long a verdict is told again.
const KEPT: Duration = Duration::from_secs(1);

/// What `/readyz` knows. Anybody may ask it, so it asks the dependencies once a second at the most and
/// never twice at once: a stranger's flood of probes must not become the database's load.
#[derive(Clone)]
pub struct Readiness {
    checks: Arc<[(&'static str, Check)]>,
    clock: Clock,
    tasks: Tasks,
    last: Arc<Mutex<Option<Verdict>>>,
}

#[derive(Clone)]
struct Verdict {
    at: Timestamp,
    status: StatusCode,
    report: Value,
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.checks.iter().map(|(name, _)| name)).finish()
    }
}

impl Readiness {
    /// Asks these; verdicts age by this clock.
    pub fn new(checks: Vec<(&'static str, Check)>, clock: Clock, tasks: Tasks) -> Self {
        Self { checks: checks.into(), clock, tasks, last: Arc::default() }
    }

    /// A verdict that is a second old at the most. Whoever comes while the dependencies are being
    /// asked waits for that answer.
    async fn verdict(&self) -> Result<Verdict> {
        let mut last = self.last.clone().lock_owned().await;
        let now = self.clock.now();
        // A clock that was set back must not keep an old verdict alive.
        let fresh = |verdict: &&Verdict| verdict.at <= now && now.since(verdict.at) < KEPT;
        if let Some(verdict) = last.as_ref().filter(fresh) {
            return Ok(verdict.clone());
        }
        let (answer, answered) = oneshot::channel();
        let (checks, clock) = (self.checks.clone(), self.clock.clone());
        // A task of its own: a caller who hangs up would otherwise leave no verdict, and the next one
        // would ask again.
        self.tasks.spawn(async move {
            let (status, report) = ask(&checks).await;
            // From the answer on: those who waited for a slow one must not ask one after another.
            let verdict = Verdict { at: clock.now(), status, report };
            *last = Some(verdict.clone());
            // The caller may have gone; the verdict is there for the next one.
            drop(answer.send(verdict));
        });
        answered.await.map_err(Failure::internal)
    }
}

/// The two routes. `/healthz` answers while the process lives, so that nobody kills it because the
/// database is away; `/readyz` says which dependency is missing, and only that it is.
pub fn router<S: Clone + Send + Sync + 'static>(readiness: Readiness) -> Router<S> {
    Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "ok" }))))
        .route("/readyz", get(ready))
        .with_state(readiness)
}

async fn ready(State(readiness): State<Readiness>) -> Result<Response> {
    let verdict = readiness.verdict().await?;
    Ok((verdict.status, Json(verdict.report)).into_response())
}

async fn ask(checks: &[(&'static str, Check)]) -> (StatusCode, Value) {
    let outcomes = join_all(checks.iter().map(|(_, check)| check())).await;
    let mut report = Map::new();
    let mut status = StatusCode::OK;
    for ((name, _), outcome) in checks.iter().zip(outcomes) {
        if let Err(failure) = &outcome {
            status = StatusCode::SERVICE_UNAVAILABLE;
            tracing::warn!(check = name, cause = failure.cause_chain(), "Not ready to serve.");
        }
        let word = if outcome.is_ok() { "ok" } else { "unavailable" };
        report.insert((*name).to_owned(), Value::from(word));
    }
    let word = if status == StatusCode::OK { "ready" } else { "unavailable" };
    (status, json!({ "status": word, "checks": report }))
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering},
        task::Poll,
    };

    use tokio::sync::Barrier;

    use super::*;
    use crate::base::clock::HandWound;

    struct Asked {
        readiness: Readiness,
        hands: HandWound,
        times: Arc<AtomicUsize>,
        gate: Arc<Barrier>,
    }

    /// One dependency that answers when the gate has been passed.
    fn dependency() -> Asked {
        let (clock, hands) = Clock::hand_wound(Timestamp::from_unix_seconds(600));
        let (times, gate) = (Arc::<AtomicUsize>::default(), Arc::new(Barrier::new(2)));
        let (counted, gated) = (times.clone(), gate.clone());
        let check: Check = Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let gated = gated.clone();
            Box::pin(async move {
                gated.wait().await;
                Ok(())
            })
        });
        let readiness = Readiness::new(vec![("gate", check)], clock, Tasks::default());
        Asked { readiness, hands, times, gate }
    }

    #[tokio::test]
    async fn a_crowd_asks_once_and_again_after_a_second() {
        let asked = dependency();
        for round in 1..=2 {
            let crowd = (0..50).map(|_| asked.readiness.verdict());
            let (verdicts, _) = tokio::join!(join_all(crowd), asked.gate.wait());
            assert!(verdicts.into_iter().all(|verdict| verdict.unwrap().status == StatusCode::OK));
            asked.hands.advance(KEPT.checked_sub(Duration::from_micros(1)).unwrap());
            asked.readiness.verdict().await.unwrap();
            assert_eq!(asked.times.load(Ordering::SeqCst), round);
            asked.hands.advance(Duration::from_micros(1));
        }
    }

    #[tokio::test]
    async fn callers_who_hang_up_do_not_make_it_ask_again() {
        let asked = dependency();
        for _ in 0..50 {
            let mut caller = pin!(asked.readiness.verdict());
            poll_fn(|context| {
                assert!(caller.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
        }
        let (verdict, _) = tokio::join!(asked.readiness.verdict(), asked.gate.wait());
        assert_eq!(verdict.unwrap().status, StatusCode::OK);
        assert_eq!(asked.times.load(Ordering::SeqCst), 1);
    }
}
