//! When we last asked whether anybody's access had changed.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use tokio::sync::Mutex;

use crate::{
    base::failure::{Code, Failure, Result},
    ctx::Ctx,
    oauth::{credentials, keys::Ring},
};

/// An answer is used this long; together with the reading it stays under the promised second.
const FRESH: Duration = Duration::from_millis(500);

/// Asked by requests when it is due, not by a timer: an idle server asks nobody, a request never
/// trusts an old answer, and when the database cannot be asked the request fails closed.
#[derive(Debug)]
pub(super) struct Pulse {
    asked_at_us: AtomicI64,
    generation: AtomicI64,
    asking: Mutex<()>,
    failed: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        let (asked_at_us, generation) = (AtomicI64::new(i64::MIN), AtomicI64::new(0));
        Self { asked_at_us, generation, asking: Mutex::new(()), failed: AtomicU64::new(0) }
    }
}

impl Pulse {
    pub(super) async fn generation(&self, ctx: &Ctx, ring: &Ring) -> Result<i64> {
        if let Some(known) = self.known(ctx) {
            return Ok(known);
        }
        // One asks; the others wait for its answer, and take it when it is a failure too: if each of
        // them then waited for the database in turn, a short outage would hold every request for long.
        let failed = self.failed.load(Ordering::SeqCst);
        let _turn = self.asking.lock().await;
        match self.known(ctx) {
            Some(known) => Ok(known),
            None if self.failed.load(Ordering::SeqCst) != failed => {
                Err(Failure::new(Code::Unavailable)
                    .retry_after(Duration::from_secs(1))
                    .caused_by("another request has asked the database meanwhile, in vain"))
            }
            None => self.read(ctx, ring).await,
        }
    }

    /// Asks now, whatever is known.
    pub(super) async fn ask(&self, ctx: &Ctx, ring: &Ring) -> Result<i64> {
        let _turn = self.asking.lock().await;
        self.read(ctx, ring).await
    }

    /// A clock that was set back makes every answer old.
    fn known(&self, ctx: &Ctx) -> Option<i64> {
        let age = ctx.now().micros().checked_sub(self.asked_at_us.load(Ordering::SeqCst))?;
        let fresh = u64::try_from(age).is_ok_and(|age| Duration::from_micros(age) < FRESH);
        fresh.then(|| self.generation.load(Ordering::SeqCst))
    }

    async fn read(&self, ctx: &Ctx, ring: &Ring) -> Result<i64> {
        let asked_at = ctx.now();
        let generation = credentials::generation(ctx).await.inspect_err(|_| {
            self.failed.fetch_add(1, Ordering::SeqCst);
        })?;
        if let Err(failure) = ring.refresh() {
            tracing::error!(
                cause = failure.cause_chain(),
                "The signing keys cannot be read again; those known before stay in use."
            );
        }
        self.generation.store(generation, Ordering::SeqCst);
        self.asked_at_us.store(asked_at.micros(), Ordering::SeqCst);
        Ok(generation)
    }
}
