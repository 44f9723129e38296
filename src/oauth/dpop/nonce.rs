//! Server nonces without memory: a time step and a MAC over it.
//!
//! A nonce proves that a proof was signed after the nonce was handed out, whatever the clock of the
//! caller says. Any replica with the secret accepts it. Where used proofs are remembered in memory
//! only, the secret must die with the process, or a proof could outlive the memory of its use.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    base::{secret::Secret, timestamp::Timestamp},
    oauth::jose::base64url,
};

/// How often the nonce changes.
pub const STEP: Duration = Duration::from_mins(1);

/// How many steps to either side of the current one are accepted. Used proofs must be remembered for
/// all of them together (five steps), since the nonce stands in for `iat`.
const ACCEPTED_STEPS: u64 = 2;

const MAC_LENGTH: usize = 16;

/// Who hands a nonce out. One is worth nothing at the other (RFC 9449 §8.2 keeps them apart).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The token endpoint.
    Authorization,
    /// Everything that takes a token.
    Resource,
}

/// What a presented nonce is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceVerdict {
    /// The one that we hand out now.
    Current,
    /// Still accepted; the answer should carry the current one.
    Old,
    /// Not ours, or too old.
    Refused,
}

/// The secrets behind the nonces.
#[derive(Clone, Debug)]
pub struct NonceKeys {
    current: Secret<[u8; 32]>,
    previous: Option<Secret<[u8; 32]>>,
}

impl NonceKeys {
    /// One secret, and the one before it while a rotation is under way.
    pub fn new(current: Secret<[u8; 32]>, previous: Option<Secret<[u8; 32]>>) -> Self {
        Self { current, previous }
    }

    /// The nonce of this step: 32 letters, all of them `NQCHAR`.
    pub fn mint(&self, side: Side, now: Timestamp) -> String {
        let step = step_of(now).to_be_bytes();
        let mac = mac(&self.current, side, step).finalize().into_bytes();
        let short: Vec<u8> = step.into_iter().chain(mac.into_iter().take(MAC_LENGTH)).collect();
        base64url::encode(short)
    }

    /// Judges a presented nonce.
    pub fn judge(&self, side: Side, nonce: &str, now: Timestamp) -> NonceVerdict {
        let Some(bytes) = base64url::decode_exact::<{ 8 + MAC_LENGTH }>(nonce) else {
            return NonceVerdict::Refused;
        };
        let Some((step, tag)) = bytes.split_first_chunk::<8>() else {
            return NonceVerdict::Refused;
        };
        let distance = step_of(now).abs_diff(u64::from_be_bytes(*step));
        if distance > ACCEPTED_STEPS {
            return NonceVerdict::Refused;
        }
        // The MAC is compared in constant time: a byte-wise answer would let a caller build one.
        let fits =
            |key: &Secret<[u8; 32]>| mac(key, side, *step).verify_truncated_left(tag).is_ok();
        if fits(&self.current) {
            if distance == 0 { NonceVerdict::Current } else { NonceVerdict::Old }
        } else if self.previous.as_ref().is_some_and(fits) {
            NonceVerdict::Old
        } else {
            NonceVerdict::Refused
        }
    }
}

/// Whether a text could be a nonce at all: one or more `NQCHAR` (RFC 9449 §8.1).
pub fn is_nonce_text(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !text.is_empty() && text.bytes().all(allowed)
}

fn step_of(now: Timestamp) -> u64 {
    u64::try_from(now.unix_seconds()).unwrap_or(0) / STEP.as_secs()
}

fn mac(key: &Secret<[u8; 32]>, side: Side, step: [u8; 8]) -> Hmac<Sha256> {
    // The prefixes keep the two sides apart, and this use of the secret from any other.
    let purpose: &[u8] = match side {
        Side::Authorization => b"dpop-nonce:authorization:",
        Side::Resource => b"dpop-nonce:resource:",
    };
    // The block size of the hash, padded with zeros as HMAC itself does: no key can be too long.
    let mut block = [0; 64];
    for (slot, byte) in block.iter_mut().zip(key.expose()) {
        *slot = *byte;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(purpose);
    mac.update(&step);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_562_262_630);

    fn keys(current: u8, previous: Option<u8>) -> NonceKeys {
        NonceKeys::new(Secret::new([current; 32]), previous.map(|byte| Secret::new([byte; 32])))
    }

    fn verdict(nonce: &str, steps_later: i64) -> NonceVerdict {
        let later = Timestamp::from_unix_seconds(NOW.unix_seconds() + steps_later * 60);
        keys(1, None).judge(Side::Resource, nonce, later)
    }

    #[test]
    fn a_nonce_lives_for_two_more_steps() {
        let nonce = keys(1, None).mint(Side::Resource, NOW);
        assert_eq!(verdict(&nonce, 0), NonceVerdict::Current);
        for later in [-2, -1, 1, 2] {
            assert_eq!(verdict(&nonce, later), NonceVerdict::Old, "{later}");
        }
        for later in [-3, 3, 1_000_000] {
            assert_eq!(verdict(&nonce, later), NonceVerdict::Refused, "{later}");
        }
    }

    #[test]
    fn the_two_sides_do_not_take_each_others() {
        let keys = keys(1, None);
        let (ours, theirs) = (Side::Authorization, Side::Resource);
        assert_eq!(keys.judge(theirs, &keys.mint(ours, NOW), NOW), NonceVerdict::Refused);
        assert_eq!(keys.judge(ours, &keys.mint(theirs, NOW), NOW), NonceVerdict::Refused);
    }

    #[test]
    fn a_rotation_keeps_the_old_secret_good_and_others_out() {
        let nonce = keys(1, None).mint(Side::Resource, NOW);
        assert_eq!(keys(2, Some(1)).judge(Side::Resource, &nonce, NOW), NonceVerdict::Old);
        assert_eq!(keys(2, None).judge(Side::Resource, &nonce, NOW), NonceVerdict::Refused);
    }

    #[test]
    fn what_was_not_minted_is_refused() {
        let nonce = keys(1, None).mint(Side::Resource, NOW);
        for at in 0..nonce.len() {
            let mut forged = nonce.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(verdict(&forged, 0), NonceVerdict::Refused, "{at}");
        }
        for bad in ["", "x", "eyJ7S_zG.eyJH0-Z.HX4w-7v", &nonce[1..], &format!("{nonce}A")] {
            assert_eq!(verdict(bad, 0), NonceVerdict::Refused, "{bad}");
        }
    }

    #[test]
    fn nonces_travel_in_a_header() {
        let nonce = keys(1, None).mint(Side::Authorization, NOW);
        assert_eq!(nonce.len(), 32);
        assert!(is_nonce_text(&nonce));
        assert!(is_nonce_text("eyJ7S_zG.eyJH0-Z.HX4w-7v"));
        for bad in ["", "a b", "a\"b", "a\\b", "\u{e4}", "a\r\n"] {
            assert!(!is_nonce_text(bad), "{bad:?}");
        }
    }
}
