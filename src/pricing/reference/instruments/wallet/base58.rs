//! Addresses in base 58: Bitcoin's older ones, Tron, Solana, XRP.

use bs58::Alphabet;
use sha2::{Digest, Sha256};

/// Pay to a public key (0) or to a script (5).
pub(super) fn is_bitcoin(address: &str) -> bool {
    checked(address, Alphabet::BITCOIN)
        .is_some_and(|payload| payload.len() == 21 && matches!(payload.first(), Some(0x00 | 0x05)))
}

pub(super) fn is_tron(address: &str) -> bool {
    checked(address, Alphabet::BITCOIN)
        .is_some_and(|payload| payload.len() == 21 && payload.first() == Some(&0x41))
}

/// A classic address; the X-form hides its tag, which we ask for apart.
pub(super) fn is_ripple(address: &str) -> bool {
    checked(address, Alphabet::RIPPLE)
        .is_some_and(|payload| payload.len() == 21 && payload.first() == Some(&0x00))
}

/// Thirty-two bytes of a key. There is no checksum.
pub(super) fn is_solana(address: &str) -> bool {
    decode(address, Alphabet::BITCOIN).is_some_and(|bytes| bytes.len() == 32)
}

/// What stands before the four bytes that check it (twice SHA-256).
fn checked(address: &str, alphabet: &Alphabet) -> Option<Vec<u8>> {
    let mut bytes = decode(address, alphabet)?;
    let check = bytes.split_off(bytes.len().checked_sub(4)?);
    let twice = Sha256::digest(Sha256::digest(&bytes));
    twice.starts_with(&check).then_some(bytes)
}

fn decode(address: &str, alphabet: &Alphabet) -> Option<Vec<u8>> {
    bs58::decode(address).with_alphabet(alphabet).into_vec().ok()
}
