//! A successful check, remembered.

use std::time::Duration;

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
/// stored. The credential's version is inside the MAC, so a rotation or revocation forgets at once.
/// Only successes are kept: a wrong secret pays argon2 each time.
#[derive(Clone)]
pub struct SecretMemory {
    /// As long as the block of the hash, so that a MAC never has to shorten it.
    key: Secret<[u8; 64]>,
    right: Cache<[u8; 32], ()>,
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

    /// Whether `secret` fits one of `stored`. Callers that ask the same at once share one argon2.
    pub async fn check(
        &self,
        hasher: &Hasher,
        owner: &str,
        version: i64,
        secret: &Secret<String>,
        stored: &[String],
    ) -> Result<bool> {
        let check = async {
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
        match self.right.try_get_with(self.mac(owner, version, secret), check).await {
            Ok(()) => Ok(true),
            Err(failure) if failure.code() == Code::InvalidClient => Ok(false),
            Err(failure) => Err(Failure::new(failure.code())
                .retry_after(Duration::from_secs(1))
                .caused_by(failure.to_string())),
        }
    }

    fn mac(&self, owner: &str, version: i64, secret: &Secret<String>) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new(self.key.expose().into());
        for part in [owner.as_bytes(), &version.to_be_bytes(), secret.expose().as_bytes()] {
            // Lengths in front: "ab" + "c" and "a" + "bc" must not meet.
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::secrets::Cost;

    #[tokio::test]
    async fn a_right_secret_is_remembered_until_its_version_changes() {
        let random = Random::seeded(1);
        let cost = Cost { memory_kib: 8, passes: 1, at_once: 1, queue: 200 };
        let hasher = Hasher::new(cost, &random).unwrap();
        let memory = SecretMemory::new(&random);
        let right = Secret::new("right".to_owned());
        let stored = [hasher.hash(&right, &random).await.unwrap()];
        let check = async |version, secret: &str, stored: &[String]| {
            memory.check(&hasher, "c", version, &secret.to_owned().into(), stored).await.unwrap()
        };
        assert!(check(1, "right", &stored).await);
        assert!(check(1, "right", &[]).await, "the second time needs no hash");
        assert!(!check(2, "right", &[]).await, "a new version forgets");
        assert!(!check(1, "wrong", &stored).await);
        assert!(!check(1, "wrong", &stored).await);
    }
}
