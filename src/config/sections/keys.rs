//! `[keys]`: how signing keys rest on disk.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::secret::Secret;
use crate::config::reader::Reader;
use crate::config::values::Parsed;

/// Protection of signing keys.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Encrypts signing keys at rest. Stops a copied disk or backup from signing tokens.
    pub encryption_key: Option<Secret<[u8; 32]>>,
}

impl Keys {
    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        let names = ("keys.encryption_key", "keys.encryption_key_file");
        Self { encryption_key: reader.secret(names, key_bytes) }
    }
}

fn key_bytes(text: &str) -> Parsed<[u8; 32]> {
    let bytes = if text.len() == 64 { from_hex(text) } else { STANDARD.decode(text).ok() };
    bytes
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .ok_or_else(|| "32 bytes as 64 hexadecimal digits or as base64".to_owned())
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let digits: Option<Vec<u8>> = text.as_bytes().iter().map(digit).collect();
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some((high << 4) | low),
        _ => None,
    };
    digits?.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_hexadecimal_or_base64_and_exactly_as_long_as_the_cipher_wants() {
        assert_eq!(key_bytes(&"0a".repeat(32)), Ok([10; 32]));
        assert_eq!(key_bytes(&STANDARD.encode([7; 32])), Ok([7; 32]));
        for bad in ["", "short", &"0g".repeat(32), &STANDARD.encode([7; 31]), &"0a".repeat(31)] {
            assert!(key_bytes(bad).is_err(), "{bad}");
        }
    }
}
