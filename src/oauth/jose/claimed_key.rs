//! A `jwk` as somebody sent it: its shape checked, its point not yet.

use super::{
    alg::{Alg, KeyKind},
    base64url,
    json::{Json, Object},
    thumbprint::Jkt,
};

/// Members that only a private or a symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a JWK is not accepted. It never quotes the key: it might be a private one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum JwkFault {
    /// Absent, or not an object.
    #[error("must be a JSON object")]
    NotAnObject,
    /// Carries a private member. A key that has been on the wire is no longer private.
    #[error("carries a private member; send the public members only and replace this key")]
    Private,
    /// Another `kty` or `crv` than P-256 or Ed25519, or one that `alg` does not use.
    #[error("must be EC with P-256 for ES256, or OKP with Ed25519 for EdDSA and Ed25519")]
    Kind,
    /// A coordinate is missing, has the wrong length, or is not canonical base64url.
    #[error("needs coordinates of 32 bytes each in base64url without padding")]
    Coordinate,
    /// `alg`, `use` or `key_ops` inside the key say that it is for something else.
    #[error("has an alg, use or key_ops that does not fit")]
    Purpose,
    /// The point is not on its curve, is of small order, or is not canonically encoded.
    #[error("is not a valid point on its curve")]
    Point,
}

/// The 43 letters of one coordinate.
type Coordinate = [u8; 43];

/// The public members of a JWK whose shape is right. Its point is checked when it is imported, which
/// happens once per key: afterwards equal thumbprints mean equal letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimedKey {
    kind: KeyKind,
    x: Coordinate,
    /// Only points of P-256 have one.
    y: Coordinate,
}

impl ClaimedKey {
    /// Reads the public members and refuses every private one.
    pub fn read(jwk: Option<&Json<'_>>) -> Result<Self, JwkFault> {
        match jwk {
            Some(Json::Object(jwk)) => Self::from_object(jwk),
            _ => Err(JwkFault::NotAnObject),
        }
    }

    /// The same, when the object stands alone.
    pub fn from_object(jwk: &Object<'_>) -> Result<Self, JwkFault> {
        // Whatever else the key says: learn that it is private before anything keeps a copy.
        if PRIVATE_MEMBERS.iter().any(|member| jwk.get(member).is_some()) {
            return Err(JwkFault::Private);
        }
        let kind = match (jwk.required_text("kty"), jwk.required_text("crv")) {
            (Some("EC"), Some("P-256")) => KeyKind::P256,
            (Some("OKP"), Some("Ed25519")) => KeyKind::Ed25519,
            _ => return Err(JwkFault::Kind),
        };
        check_purpose(jwk, kind)?;
        let y = match kind {
            KeyKind::P256 => coordinate(jwk, "y")?,
            KeyKind::Ed25519 => [b'A'; 43],
        };
        Ok(Self { kind, x: coordinate(jwk, "x")?, y })
    }

    /// What kind of key it says it is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Its RFC 7638 thumbprint: one hash.
    pub fn thumbprint(&self) -> Jkt {
        let text = |letters| std::str::from_utf8(letters).unwrap_or_default();
        let (x, y) = (text(&self.x), text(&self.y));
        match self.kind {
            KeyKind::P256 => {
                Jkt::of_members(&[("crv", "P-256"), ("kty", "EC"), ("x", x), ("y", y)])
            }
            KeyKind::Ed25519 => Jkt::of_members(&[("crv", "Ed25519"), ("kty", "OKP"), ("x", x)]),
        }
    }

    /// The decoded coordinates; their letters must be the canonical ones.
    pub(super) fn coordinates(&self) -> Result<([u8; 32], [u8; 32]), JwkFault> {
        let bytes = |letters: &Coordinate| {
            let text = std::str::from_utf8(letters).map_err(|_| JwkFault::Coordinate)?;
            base64url::decode_exact(text).ok_or(JwkFault::Coordinate)
        };
        Ok((bytes(&self.x)?, bytes(&self.y)?))
    }
}

fn coordinate(jwk: &Object<'_>, name: &str) -> Result<Coordinate, JwkFault> {
    let text = jwk.required_text(name).ok_or(JwkFault::Coordinate)?;
    // The alphabet is checked here because the letters go into a hash between quotation marks.
    let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match text.as_bytes().try_into() {
        Ok(letters) if text.bytes().all(in_alphabet) => Ok(letters),
        _ => Err(JwkFault::Coordinate),
    }
}

fn check_purpose(jwk: &Object<'_>, kind: KeyKind) -> Result<(), JwkFault> {
    let alg = jwk.text("alg").map_err(|_| JwkFault::Purpose)?;
    let alg_fits =
        alg.is_none_or(|name| Alg::from_name(name).is_some_and(|alg| alg.key_kind() == kind));
    let usage = jwk.text("use").map_err(|_| JwkFault::Purpose)?;
    let ops_fit = match jwk.get("key_ops") {
        None => true,
        Some(Json::Array(ops)) => {
            ops.iter().all(|op| matches!(op, Json::Text(_)))
                && ops.iter().any(|op| matches!(op, Json::Text(op) if op == "verify"))
        }
        Some(_) => false,
    };
    if alg_fits && usage.is_none_or(|usage| usage == "sig") && ops_fit {
        Ok(())
    } else {
        Err(JwkFault::Purpose)
    }
}
