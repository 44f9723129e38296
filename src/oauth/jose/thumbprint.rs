//! SHA-256 values with 43 letters: key thumbprints and token hashes.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use super::base64url;

macro_rules! letters43 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 43]);

        impl $name {
            /// The 43 letters.
            pub fn as_str(&self) -> &str {
                // Base64url letters are ASCII, so this never falls back.
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

letters43! {
    /// The RFC 7638 SHA-256 thumbprint of a public key: its name everywhere, never its secret.
    Jkt
}

letters43! {
    /// The `ath` of an access token: what ties a proof to one token.
    TokenHash
}

/// The text is not 43 letters of canonical base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a thumbprint is 43 letters of base64url without padding")]
pub struct NotAThumbprint;

impl Jkt {
    /// The thumbprint over required members in the order of their names (RFC 7638 §3). The values
    /// must already be free of anything that JSON escapes, or a value could forge a member.
    pub(in crate::oauth) fn of_members(members: &[(&str, &str)]) -> Self {
        let mut hash = Sha256::new();
        let mut before: &[u8] = b"{\"";
        for (name, value) in members {
            for piece in [before, name.as_bytes(), b"\":\"", value.as_bytes(), b"\""] {
                hash.update(piece);
            }
            before = b",\"";
        }
        hash.update(b"}");
        Self(base64url::encode_digest(&hash.finalize().into()))
    }
}

impl FromStr for Jkt {
    type Err = NotAThumbprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        base64url::decode_exact(text)
            .map(|digest: [u8; 32]| Self(base64url::encode_digest(&digest)))
            .ok_or(NotAThumbprint)
    }
}

impl serde::Serialize for Jkt {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl TokenHash {
    /// Hashes a presented token: its letters, without the scheme.
    pub fn of(token: &str) -> Self {
        Self::of_digest(&Sha256::digest(token).into())
    }

    /// The same from the digest, which the token cache has made already.
    pub fn of_digest(digest: &[u8; 32]) -> Self {
        Self(base64url::encode_digest(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_has_one_spelling() {
        let text = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        assert_eq!(text.parse::<Jkt>().unwrap().as_str(), text);
        for bad in [
            "",
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J",
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I=",
            "0ZcOCORZNYy+DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4",
        ] {
            assert_eq!(bad.parse::<Jkt>(), Err(NotAThumbprint), "{bad}");
        }
    }
}
