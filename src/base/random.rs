//! The one source of randomness.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sha2::{Digest, Sha256};

/// Random bytes, handed to everything that needs them.
#[derive(Clone)]
pub struct Random(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded { seed: u64, drawn: Arc<AtomicU64> },
}

impl Random {
    /// The operating system's generator: the only one that may make a key or a secret.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// Repeatable bytes for tests: the SHA-256 of seed and counter.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded { seed, drawn: Arc::default() })
    }

    /// `N` random bytes.
    ///
    /// # Panics
    /// When the operating system has no entropy to give.
    #[expect(clippy::expect_used, reason = "without entropy nothing here is safe: stop at once")]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
            Source::System => {
                getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
            }
            Source::Seeded { seed, drawn } => {
                for chunk in bytes.chunks_mut(32) {
                    let draw = drawn.fetch_add(1, Ordering::SeqCst);
                    let block = Sha256::new()
                        .chain_update(seed.to_be_bytes())
                        .chain_update(draw.to_be_bytes())
                        .finalize();
                    for (byte, source) in chunk.iter_mut().zip(block) {
                        *byte = source;
                    }
                }
            }
        }
        bytes
    }

    /// A number below `bound`, for jitter (the tiny bias of the remainder does not matter there).
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_be_bytes(self.bytes()).checked_rem(bound).unwrap_or(0)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_never_its_neighbour() {
        let (one, same, other) = (Random::seeded(1), Random::seeded(1), Random::seeded(2));
        let first: [u8; 40] = one.bytes();
        assert_eq!(first, same.bytes::<40>());
        assert_ne!(first, one.bytes::<40>());
        assert_ne!(first, other.bytes::<40>());
    }
}
