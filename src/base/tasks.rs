//! Background work that shutdown waits for.

use std::{future::Future, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The tracked spawner: every task is known, told when to stop, and waited for.
///
/// Stops work from being cut in half at shutdown, which a bare `tokio::spawn` would allow.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Starts a task that ends by itself, or when [`Tasks::stopping`] resolves.
    #[expect(clippy::disallowed_methods, reason = "the tracked spawner itself")]
    pub fn spawn<F>(&self, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(self.tracker.track_future(work));
    }

    /// Resolves when shutdown has begun; loops select on it.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Whether shutdown has begun.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Tells every loop to end; work in hand goes on.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Stops, then waits for what still runs; false when `patience` ran out first.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.stop();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}
