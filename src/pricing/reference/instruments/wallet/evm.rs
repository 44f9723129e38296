//! Ethereum and the chains that took its addresses.

use sha3::{Digest, Keccak256};

/// Twenty bytes in hexadecimal. Mixed letters are a checksum (EIP-55); one case alone has none.
pub(super) fn is_address(address: &str) -> bool {
    let Some(hex) = address.strip_prefix("0x") else { return false };
    if hex.len() != 40 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return false;
    }
    let lower = hex.bytes().all(|b| !b.is_ascii_uppercase());
    let upper = hex.bytes().all(|b| !b.is_ascii_lowercase());
    lower || upper || passes_eip55(hex)
}

/// A letter is a capital exactly where the hash of the small letters has a digit of 8 or more.
fn passes_eip55(hex: &str) -> bool {
    let hash = Keccak256::digest(hex.to_ascii_lowercase());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    hex.bytes().zip(nibbles).all(|(letter, nibble)| {
        letter.is_ascii_digit() || letter.is_ascii_uppercase() == (nibble >= 8)
    })
}
