//! The name under which a use is remembered.

use std::{
    fmt,
    hash::{BuildHasherDefault, Hasher},
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{base::secret::Secret, oauth::jose::Jkt};

/// 128 bits of a keyed hash over a key's thumbprint and a `jti`. The `jti` itself is never kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplayKey(u128);

impl ReplayKey {
    /// The bytes, as a shared store keeps them.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Reads what a store has kept.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// Picks one of `ways` shards; all bits of a keyed hash are equally good for it.
    pub(super) fn spread(self, ways: usize) -> usize {
        let [.., a, b, c, d] = self.to_bytes();
        let bits = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(0);
        bits.checked_rem(ways).unwrap_or(0)
    }
}

impl fmt::Debug for ReplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Hashes a name by taking bits of it: it is a keyed hash already, so nobody can choose names that
/// meet in a table, and a second hash would buy nothing.
pub(super) type AsItIs = BuildHasherDefault<Bits>;

/// The hasher of [`AsItIs`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits(u64);

impl Hasher for Bits {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u128(&mut self, name: u128) {
        self.write_u64(u64::try_from(name & u128::from(u64::MAX)).unwrap_or_default());
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = self.0.rotate_left(29) ^ number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Makes the names. Replicas that share a store must share the secret.
#[derive(Clone)]
pub struct ReplayKeyer(Hmac<Sha256>);

impl ReplayKeyer {
    /// The hash is keyed so that nobody can prepare two proofs with one name.
    pub fn new(secret: &Secret<[u8; 32]>) -> Self {
        // The block size of the hash, padded with zeros as HMAC itself does.
        let mut block = [0; 64];
        for (slot, byte) in block.iter_mut().zip(secret.expose()) {
            *slot = *byte;
        }
        Self(Hmac::new(&block.into()))
    }

    /// The thumbprint is part of the name, so that a stranger cannot burn somebody's `jti`; it has
    /// one length, and the `jti` its own in front, so that no two pairs read the same.
    pub fn name(&self, jkt: &Jkt, jti: &str) -> ReplayKey {
        let mut mac = self.0.clone();
        for part in [jkt.as_str(), jti] {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        let (short, _) = bytes.split_first_chunk().unwrap_or((&[0; 16], &[]));
        ReplayKey::from_bytes(*short)
    }
}

impl fmt::Debug for ReplayKeyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplayKeyer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_depends_on_secret_key_and_jti() {
        let one: Jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".parse().unwrap();
        let two: Jkt = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".parse().unwrap();
        let keyer = ReplayKeyer::new(&Secret::new([1; 32]));
        let other = ReplayKeyer::new(&Secret::new([2; 32]));
        let name = keyer.name(&one, "jti");
        assert_eq!(name, keyer.name(&one, "jti"));
        assert_eq!(name, ReplayKey::from_bytes(name.to_bytes()));
        for different in [
            keyer.name(&two, "jti"),
            keyer.name(&one, "jtj"),
            keyer.name(&one, ""),
            other.name(&one, "jti"),
        ] {
            assert_ne!(name, different);
        }
    }
}
