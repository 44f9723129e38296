//! A successful check, remembered.

use std::{fmt, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use moka::future::Cache;
use sha2::Sha256;

use super::Hasher;
use crate::base::{
    failure::{Code, Failure, Result},
    random::Random,
    secret::Secret,
};

/// Remembers which secrets were right, so that a repeated mint costs a MAC instead of argon2.
///
/// What is kept is a MAC under a key that dies with the process; nothing weaker than argon2 is ever
/// stored. The hashes that are accepted now are inside the MAC, so a rotation, a revocation or the
/// end of an overlap forgets at once. Only successes are kept: a wrong secret pays argon2 each time.
#[derive(Clone)]
pub struct SecretMemory {
    /// As long as the block of the hash, so that a MAC never has to shorten it.
    key: Secret<[u8; 64]>,
    right: Cache<[u8; 32], ()>,
}

impl fmt::Debug for SecretMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretMemory")
    }
}

impl SecretMemory {
    /// An empty memory with a key of its own.
    pub fn new(random: &Random) -> Self {
        let right = Cache::builder()
            .max_capacity(100_000)
            .time_to_idle(Duration::from_mins(10))
            .time_to_live(Duration::from_hours(1))
            .build();
        Self { key: Secret::new(random.bytes()), right }
    }

    /// Whether `secret` fits one of `stored`. Callers that ask the same at once share one argon2, and
    /// whoever has to pay for it asks `permission` first.
    pub async fn check(
        &self,
        hasher: &Hasher,
        owner: &str,
        secret: &Secret<String>,
        stored: &[String],
        permission: impl Future<Output = Result<()>>,
    ) -> Result<bool> {
        let check = async {
            permission.await?;
            for stored in stored {
                if hasher.fits(secret, stored).await? {
                    return Ok(());
                }
            }
            if stored.is_empty() {
                hasher.waste(secret).await?;
            }
            Err(Failure::new(Code::InvalidClient))
        };
        match self.right.try_get_with(self.mac(owner, stored, secret), check).await {
            Ok(()) => Ok(true),
            Err(failure) if failure.code() == Code::InvalidClient => Ok(false),
            Err(failure) => Err(again(&failure)),
        }
    }

    fn mac(&self, owner: &str, stored: &[String], secret: &Secret<String>) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new(self.key.expose().into());
        let stored = stored.iter().map(String::as_bytes);
        for part in stored.chain([owner.as_bytes(), secret.expose().as_bytes()]) {
            // Lengths in front: "ab" + "c" and "a" + "bc" must not meet.
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// The failure again, for each of those who shared the check.
fn again(failure: &Failure) -> Failure {
    let copy = Failure::because(failure.code(), failure.message().to_owned());
    let copy = copy.caused_by(failure.cause_chain().unwrap_or_default());
    failure.headers().iter().fold(copy, |copy, (name, value)| copy.header(name, value.as_str()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::oauth::secrets::Cost;

    struct Bench {
        hasher: Hasher,
        memory: SecretMemory,
        paid: AtomicU32,
    }

    impl Bench {
        fn new() -> Self {
            let random = Random::seeded(1);
            let cost = Cost { memory_kib: 8, passes: 1, at_once: 1, queue: 200 };
            let hasher = Hasher::new(cost, &random).unwrap();
            Self { hasher, memory: SecretMemory::new(&random), paid: AtomicU32::new(0) }
        }

        async fn stored(&self, secret: &str) -> String {
            self.hasher.hash(&secret.to_owned().into(), &Random::seeded(2)).await.unwrap()
        }

        async fn check(&self, secret: &str, stored: &[String]) -> bool {
            let permission = async {
                self.paid.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            let secret = secret.to_owned().into();
            self.memory.check(&self.hasher, "c", &secret, stored, permission).await.unwrap()
        }

        fn paid(&self) -> u32 {
            self.paid.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn a_right_secret_pays_once_and_a_wrong_one_each_time() {
        let bench = Bench::new();
        let stored = [bench.stored("right").await];
        assert!(bench.check("right", &stored).await);
        assert!(bench.check("right", &stored).await);
        assert_eq!(bench.paid(), 1);
        assert!(!bench.check("wrong", &stored).await);
        assert!(!bench.check("wrong", &stored).await);
        assert_eq!(bench.paid(), 3);
    }

    #[tokio::test]
    async fn an_old_secret_is_forgotten_when_its_overlap_ends() {
        let bench = Bench::new();
        let (new, old) = (bench.stored("new").await, bench.stored("old").await);
        assert!(bench.check("old", &[new.clone(), old]).await);
        assert!(!bench.check("old", &[new]).await);
        assert!(!bench.check("old", &[]).await, "nor does a revoked client keep it");
    }

    #[tokio::test]
    async fn many_who_ask_at_once_share_one_check() {
        let bench = Bench::new();
        let stored = [bench.stored("right").await];
        let checks = (0..50).map(|_| bench.check("right", &stored));
        assert!(futures_util::future::join_all(checks).await.into_iter().all(|right| right));
        assert_eq!(bench.paid(), 1);
    }

    #[tokio::test]
    async fn a_refused_permission_says_when_to_come_back() {
        let bench = Bench::new();
        let refuse = async { Err(Failure::new(Code::RateLimited).header("retry-after", "7")) };
        let secret = "x".to_owned().into();
        let refused = bench.memory.check(&bench.hasher, "c", &secret, &[], refuse).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited);
        assert_eq!(refused.headers(), [("retry-after", "7".to_owned())]);
    }
}
