//! Public keys that have passed every check, and the verification of signatures.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{
    alg::{Alg, KeyKind},
    base64url,
    claimed_key::{ClaimedKey, JwkFault},
    json::Object,
    thumbprint::Jkt,
};

/// A valid public point as a JWK. It is made from public points only and has no room for anything
/// else, so a JWKS made of these cannot publish a private member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicJwk(Point);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    P256 { x: [u8; 32], y: [u8; 32] },
    Ed25519 { x: [u8; 32] },
}

impl PublicJwk {
    /// Reads a JWK from strict JSON, as registration receives it.
    pub fn parse(json: &[u8]) -> Result<Self, JwkFault> {
        let object = Object::parse(json).map_err(|_| JwkFault::NotAnObject)?;
        Self::import(&ClaimedKey::from_object(&object)?)
    }

    /// Checks the point behind a claimed key.
    pub fn import(claimed: &ClaimedKey) -> Result<Self, JwkFault> {
        let (x, y) = claimed.coordinates()?;
        match claimed.kind() {
            KeyKind::P256 => {
                let mut sec1 = [4; 65];
                for (slot, byte) in sec1.iter_mut().skip(1).zip(x.into_iter().chain(y)) {
                    *slot = byte;
                }
                // Refuses coordinates beyond the field, points off the curve, and infinity.
                p256::PublicKey::from_sec1_bytes(&sec1).map_err(|_| JwkFault::Point)?;
                Ok(Self(Point::P256 { x, y }))
            }
            KeyKind::Ed25519 => {
                let key =
                    ed25519_dalek::VerifyingKey::from_bytes(&x).map_err(|_| JwkFault::Point)?;
                Self::from_ed25519(&key).ok_or(JwkFault::Point)
            }
        }
    }

    /// The JWK of a P-256 key that was made here.
    pub fn from_p256(key: &p256::PublicKey) -> Option<Self> {
        let sec1 = p256::ecdsa::VerifyingKey::from(key).to_sec1_point(false);
        let x = sec1.x()?.as_slice().try_into().ok()?;
        let y = sec1.y()?.as_slice().try_into().ok()?;
        Some(Self(Point::P256 { x, y }))
    }

    /// The JWK of an Ed25519 key. A key of small order is refused, because it accepts one signature
    /// for many messages; a second spelling of a point, because it would be a second thumbprint.
    pub fn from_ed25519(key: &ed25519_dalek::VerifyingKey) -> Option<Self> {
        let x = key.to_bytes();
        let canonical = key.to_edwards().compress().to_bytes() == x;
        (canonical && !key.is_weak()).then_some(Self(Point::Ed25519 { x }))
    }

    /// What kind of key it is.
    pub fn kind(&self) -> KeyKind {
        match self.0 {
            Point::P256 { .. } => KeyKind::P256,
            Point::Ed25519 { .. } => KeyKind::Ed25519,
        }
    }

    /// Its RFC 7638 thumbprint, which is also its `kid`.
    pub fn thumbprint(&self) -> Jkt {
        match self.0 {
            Point::P256 { x, y } => Jkt::of_members(&[
                ("crv", "P-256"),
                ("kty", "EC"),
                ("x", &base64url::encode(x)),
                ("y", &base64url::encode(y)),
            ]),
            Point::Ed25519 { x } => {
                Jkt::of_members(&[("crv", "Ed25519"), ("kty", "OKP"), ("x", &base64url::encode(x))])
            }
        }
    }
}

impl Serialize for PublicJwk {
    /// Required members only, in the order of RFC 7638, so that the text hashes to the thumbprint.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Point::P256 { x, y } => {
                let mut jwk = serializer.serialize_struct("Jwk", 4)?;
                jwk.serialize_field("crv", "P-256")?;
                jwk.serialize_field("kty", "EC")?;
                jwk.serialize_field("x", &base64url::encode(x))?;
                jwk.serialize_field("y", &base64url::encode(y))?;
                jwk.end()
            }
            Point::Ed25519 { x } => {
                let mut jwk = serializer.serialize_struct("Jwk", 3)?;
                jwk.serialize_field("crv", "Ed25519")?;
                jwk.serialize_field("kty", "OKP")?;
                jwk.serialize_field("x", &base64url::encode(x))?;
                jwk.end()
            }
        }
    }
}

/// A public key ready to verify: parsed once, kept, shared between threads.
#[derive(Clone)]
pub struct PublicKey {
    jwk: PublicJwk,
    jkt: Jkt,
    parsed: ParsedPublicKey,
}

/// The signature does not fit, or was made with an algorithm that is not this key's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit the key")]
pub struct BadSignature;

impl PublicKey {
    /// Prepares a key; costs about as much as a verification, so keep the result.
    pub fn new(jwk: PublicJwk) -> Result<Self, JwkFault> {
        let parsed = match jwk.0 {
            Point::P256 { x, y } => {
                let sec1 = [[4].as_slice(), &x, &y].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, sec1)
            }
            Point::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x),
        };
        let parsed = parsed.map_err(|_| JwkFault::Point)?;
        Ok(Self { jwk, jkt: jwk.thumbprint(), parsed })
    }

    /// The key as a JWK.
    pub fn jwk(&self) -> &PublicJwk {
        &self.jwk
    }

    /// The key's name.
    pub fn jkt(&self) -> &Jkt {
        &self.jkt
    }

    /// Verifies. The algorithm must be this key's: the header proposes, the key decides.
    ///
    /// ES256 takes `r‖s` and both values of `s` (JWS does not ask for the low one). Ed25519 is strict:
    /// `s` below the group order, no `R` of small order, as `verify_strict` of ed25519-dalek.
    pub fn verify(&self, alg: Alg, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let kind = self.jwk.kind();
        if alg.key_kind() != kind || (kind == KeyKind::Ed25519 && has_weak_r(signature)) {
            return Err(BadSignature);
        }
        self.parsed.verify_sig(message, signature).map_err(|_| BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.jkt)
    }
}

/// The `y` of the eight points of small order on the curve of Ed25519, as encoded; the sign bit
/// doubles some of them. Other spellings of them cannot verify: `R` is compared as bytes.
const WEAK_Y: [[u8; 32]; 5] = {
    let mut zero = [0; 32];
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    minus_one[31] = 0x7f;
    zero[0] = 0;
    [
        zero,
        one,
        minus_one,
        *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\
           \x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
        *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\
           \xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    ]
};

fn has_weak_r(signature: &[u8]) -> bool {
    let Some((mut r, _)) = signature.split_first_chunk::<32>().map(|(r, s)| (*r, s)) else {
        return true;
    };
    if let Some(last) = r.last_mut() {
        *last &= 0x7f;
    }
    WEAK_Y.contains(&r)
}
