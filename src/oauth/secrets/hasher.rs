//! argon2id in a bounded pool of its own.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::PasswordHash,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::base::{
    failure::{Code, Failure, Result},
    random::Random,
    secret::Secret,
};

/// What one hash costs, and how many may be computed or waited for at once.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Hashes computed at once; each keeps one core and its memory busy.
    pub at_once: usize,
    /// Callers that may wait; more are turned away, so that a flood of guesses costs no memory.
    pub queue: usize,
}

impl Default for Cost {
    /// OWASP's recommendation for argon2id.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, at_once: 1, queue: 64 }
    }
}

/// Makes and checks PHC strings, away from the threads that serve requests.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    running: Arc<Semaphore>,
    places: Arc<Semaphore>,
    dummy: Arc<str>,
    runs: Arc<AtomicU64>,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    /// Prepares the pool, and the dummy that unknown clients are checked against.
    pub fn new(cost: Cost, random: &Random) -> Result<Self> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(broken)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy = hash(&argon2, &random.bytes::<32>(), random)?;
        let at_once = cost.at_once.max(1);
        Ok(Self {
            argon2,
            running: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(at_once + cost.queue)),
            dummy: dummy.into(),
            runs: Arc::default(),
        })
    }

    /// The PHC string to store.
    pub async fn hash(&self, secret: &Secret<String>, random: &Random) -> Result<String> {
        let (argon2, secret, random) = (self.argon2.clone(), secret.clone(), random.clone());
        self.run(move || hash(&argon2, secret.expose().as_bytes(), &random)).await?
    }

    /// Whether the secret fits the stored string.
    pub async fn fits(&self, secret: &Secret<String>, stored: &str) -> Result<bool> {
        let (argon2, secret, stored) = (self.argon2.clone(), secret.clone(), stored.to_owned());
        self.run(move || {
            let stored = PasswordHash::new(&stored).map_err(broken)?;
            Ok(argon2.verify_password(secret.expose().as_bytes(), &stored).is_ok())
        })
        .await?
    }

    /// A stored string like any other, whose secret nobody has: what an unknown client is checked
    /// against, so that not even the bytes that are hashed on the way tell it from a known one.
    pub fn dummy(&self) -> &str {
        &self.dummy
    }

    /// Takes as long as [`Hasher::fits`] and never does: an attacker who times the answers must
    /// not learn which clients exist.
    pub async fn waste(&self, secret: &Secret<String>) -> Result<()> {
        self.fits(secret, &self.dummy).await.map(|_| ())
    }

    /// How often the full cost was paid here; the metric counts all servers of a process.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _place = self.places.try_acquire().map_err(|_| {
            metrics::counter!("argon2_refused_total").increment(1);
            Failure::new(Code::TemporarilyUnavailable)
                .retry_after(std::time::Duration::from_secs(1))
                .caused_by("the argon2 queue is full")
        })?;
        let _waits = Waits::begin();
        let slot = self.running.clone().acquire_owned().await.map_err(Failure::internal)?;
        metrics::counter!("argon2_runs_total").increment(1);
        self.runs.fetch_add(1, Ordering::Relaxed);
        let work = move || {
            // The slot goes with the work: a caller that leaves must not free it early.
            let _slot: OwnedSemaphorePermit = slot;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(Failure::internal)
    }
}

/// Somebody who waits, counted as long as it lives.
struct Waits;

impl Waits {
    fn begin() -> Self {
        metrics::gauge!("argon2_waiting").increment(1);
        Self
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        metrics::gauge!("argon2_waiting").decrement(1);
    }
}

fn hash(argon2: &Argon2<'_>, secret: &[u8], random: &Random) -> Result<String> {
    let salt: [u8; 16] = random.bytes();
    argon2.hash_password_with_salt(secret, &salt).map(|phc| phc.to_string()).map_err(broken)
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap(queue: usize) -> Hasher {
        let cost = Cost { memory_kib: 8, passes: 1, at_once: 1, queue };
        Hasher::new(cost, &Random::seeded(1)).unwrap()
    }

    #[tokio::test]
    async fn only_the_right_secret_fits_and_the_stored_form_is_argon2id() {
        let hasher = cheap(1);
        let stored = hasher.hash(&"right".to_owned().into(), &Random::seeded(2)).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert!(hasher.fits(&"right".to_owned().into(), &stored).await.unwrap());
        assert!(!hasher.fits(&"wrong".to_owned().into(), &stored).await.unwrap());
        hasher.waste(&"wrong".to_owned().into()).await.unwrap();
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let hasher = cheap(0);
        let _slot = hasher.places.clone().acquire_owned().await.unwrap();
        let refused = hasher.waste(&"x".to_owned().into()).await.unwrap_err();
        assert_eq!(refused.code(), Code::TemporarilyUnavailable);
    }
}
