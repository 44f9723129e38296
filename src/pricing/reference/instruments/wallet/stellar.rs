//! Stellar's account names (SEP 23).

/// The kind of an account: an Ed25519 public key.
const ACCOUNT: u8 = 6 << 3;

/// Base 32 over a kind, thirty-two bytes of a key, and a CRC-16.
pub(super) fn is_account(address: &str) -> bool {
    let Some(bytes) = base32(address) else { return false };
    let Some((payload, check)) = bytes.split_at_checked(33) else { return false };
    payload.first() == Some(&ACCOUNT) && check == crc16_xmodem(payload).to_le_bytes()
}

/// 56 letters are 35 bytes without a bit left over.
fn base32(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    if text.len() != 56 {
        return None;
    }
    let (mut bytes, mut held, mut bits) = (Vec::with_capacity(35), 0_u32, 0_u32);
    for letter in text.chars() {
        held = (held << 5) | u32::try_from(LETTERS.find(letter)?).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

fn crc16_xmodem(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_the_published_one() {
        assert_eq!(crc16_xmodem(b"123456789"), 0x31c3);
    }
}
