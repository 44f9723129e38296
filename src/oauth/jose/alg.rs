//! The signature algorithms that we accept, as data: a list, not a default.

use std::fmt;

/// A signature algorithm by its name in a JOSE header.
///
/// There is no `none` and nothing symmetric to fall back to, so that a header cannot talk a verifier
/// into treating a public key as a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alg {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    Es256,
    /// Ed25519 under its first name (RFC 8037).
    EdDsa,
    /// Ed25519 under its own name (RFC 9864).
    Ed25519,
}

/// The kind of key that an algorithm needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// `kty` EC, `crv` P-256.
    P256,
    /// `kty` OKP, `crv` Ed25519.
    Ed25519,
}

impl Alg {
    /// All of them, in the order in which metadata and challenges list them.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Ed25519];

    /// The algorithm of this name, compared exactly.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.name() == name)
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The only kind of key that may be used with it.
    pub const fn key_kind(self) -> KeyKind {
        match self {
            Self::Es256 => KeyKind::P256,
            Self::EdDsa | Self::Ed25519 => KeyKind::Ed25519,
        }
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_the_list_is_closed() {
        for alg in Alg::ALL {
            assert_eq!(Alg::from_name(alg.name()), Some(alg));
        }
        // P16 to P18.
        for bad in
            ["none", "None", "", "es256", "HS256", "RS256", "PS256", "ES384", "ES256K", "ML-DSA-65"]
        {
            assert_eq!(Alg::from_name(bad), None, "{bad}");
        }
    }
}
