//! What every quote reads and few people change (plans, rates), kept in memory.
//!
//! Each change grows a counter in its own transaction. A reader looks at the counter again when its
//! last look is a second old, and loads anew when it has grown. So a quote asks the database for
//! nothing, a change counts at once where it was made, and within a second elsewhere.

mod store;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use crate::{
    base::{failure::Result, timestamp::Timestamp},
    db::Tx,
};

pub use store::STATEMENTS;

/// How long an answer is used without looking at the counter.
pub const FRESH: Duration = Duration::from_secs(1);

/// A counter of changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counter {
    /// Grows when plans are imported.
    Plans,
    /// Grows when rates arrive.
    Rates,
}

impl Counter {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Plans => "plans",
            Self::Rates => "rates",
        }
    }

    /// What it shows.
    pub(super) async fn read(self, tx: &mut Tx) -> Result<i64> {
        Ok(store::read(tx, self.as_str()).await?)
    }

    /// Counts a change. Called before the change looks at what there is: two changes at once then
    /// wait for each other here, and the second sees what the first has done.
    pub(super) async fn grow(self, tx: &mut Tx) -> Result<()> {
        Ok(store::grow(tx, self.as_str()).await?)
    }
}

/// A value with the count at which it was read.
#[derive(Debug)]
pub(super) struct Cached<T> {
    held: RwLock<Option<Held<T>>>,
    asking: Mutex<()>,
}

#[derive(Debug)]
struct Held<T> {
    value: Arc<T>,
    count: i64,
    asked_at: Timestamp,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { held: RwLock::default(), asking: Mutex::default() }
    }
}

impl<T> Cached<T> {
    /// The value: as it is held, or held on after a look at the counter, or loaded. The two questions
    /// are asked only when they are needed; `load` reads count and value in one snapshot.
    pub(super) async fn get<'a>(
        &self,
        now: Timestamp,
        count: impl FnOnce() -> BoxFuture<'a, Result<i64>>,
        load: impl FnOnce() -> BoxFuture<'a, Result<(i64, T)>>,
    ) -> Result<Arc<T>> {
        if let Some(value) = self.fresh(now) {
            return Ok(value);
        }
        // One asks; the others wait for its answer.
        let _turn = self.asking.lock().await;
        if let Some(value) = self.fresh(now) {
            return Ok(value);
        }
        if self.is_held() {
            let count = count().await?;
            if let Some(value) = self.still(count, now) {
                return Ok(value);
            }
        }
        let (count, value) = load().await?;
        let value = Arc::new(value);
        let held = Held { value: value.clone(), count, asked_at: now };
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(value)
    }

    /// Makes the next reader look, because this process has changed something.
    pub(super) fn forget(&self) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A clock that was set back makes every answer old.
    fn fresh(&self, now: Timestamp) -> Option<Arc<T>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let held = held.as_ref()?;
        (held.asked_at <= now && now.since(held.asked_at) < FRESH).then(|| held.value.clone())
    }

    fn is_held(&self) -> bool {
        self.held.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn still(&self, count: i64, now: Timestamp) -> Option<Arc<T>> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let held = held.as_mut().filter(|held| held.count == count)?;
        held.asked_at = now;
        Some(held.value.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    #[tokio::test]
    async fn the_counter_is_asked_once_a_second_and_the_value_only_when_it_has_grown() {
        let cached = Cached::default();
        let (asked, loaded, count) = (AtomicI64::new(0), AtomicI64::new(0), AtomicI64::new(1));
        let (asked, loaded, count) = (&asked, &loaded, &count);
        let seen = |number: &AtomicI64| number.load(SeqCst);
        let get = async |millis| {
            let counter = || -> BoxFuture<'_, Result<i64>> {
                asked.fetch_add(1, SeqCst);
                Box::pin(async move { Ok(seen(count)) })
            };
            let load = || -> BoxFuture<'_, Result<(i64, i64)>> {
                let number = loaded.fetch_add(1, SeqCst) + 1;
                Box::pin(async move { Ok((seen(count), number)) })
            };
            *cached.get(at(millis), counter, load).await.unwrap()
        };
        assert_eq!((get(0).await, get(999).await), (1, 1));
        assert_eq!((seen(asked), seen(loaded)), (0, 1));
        assert_eq!((get(1_000).await, seen(asked), seen(loaded)), (1, 1, 1));
        count.store(2, SeqCst);
        assert_eq!((get(1_999).await, get(2_000).await), (1, 2));
        cached.forget();
        assert_eq!(get(2_000).await, 3);
        count.store(3, SeqCst);
        assert_eq!(get(0).await, 4, "a clock that was set back makes every answer old");
    }
}
