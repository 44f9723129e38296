//! Base64url as JOSE wants it: no padding, one spelling per value.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Decodes, refusing padding, foreign characters and unused bits that are not zero. Leniency here
/// would give one proof many spellings, and whoever remembers spellings can be replayed.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes a value of exactly `N` bytes (at most 64, which is a signature).
pub fn decode_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    // Room for the longest text that could be meant, so that longer ones fail instead of fitting.
    let mut room = [0; 66];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut room).ok()?;
    room.get(..length)?.try_into().ok()
}

/// Encodes.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The 43 letters of 32 bytes, on the stack: thumbprints and token hashes are made per request.
pub fn encode_digest(digest: &[u8; 32]) -> [u8; 43] {
    let mut letters = [0; 43];
    // 32 bytes always make 43 letters; the check is for the type, not for the reader.
    let written = URL_SAFE_NO_PAD.encode_slice(digest, &mut letters);
    debug_assert_eq!(written, Ok(43));
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_spelling() {
        assert_eq!(decode("AQAB"), Some(vec![1, 0, 1]));
        assert_eq!(decode(""), Some(vec![]));
        // P6 and P7: padding, the other alphabet, white space, unused bits.
        for bad in ["AQ==", "A+B/", "AQ AB", "AQAB\n", "AR", "AQB", "A", "\u{e4}QAB"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_exact_length_is_exact() {
        assert_eq!(decode_exact::<3>("AQAB"), Some([1, 0, 1]));
        assert_eq!(decode_exact::<2>("AQAB"), None);
        for length in [0, 31, 33, 63, 65, 66, 67, 500] {
            assert_eq!(decode_exact::<64>(&encode(vec![7; length])), None, "{length}");
        }
        assert_eq!(decode_exact::<64>(&encode([7; 64])), Some([7; 64]));
    }

    #[test]
    fn a_digest_has_43_letters() {
        assert_eq!(encode_digest(&[0xff; 32]).as_slice(), encode([0xff; 32]).as_bytes());
    }
}
