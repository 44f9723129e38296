//! The private half of a key of ours.

use std::fmt;

use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes, spki::der::pem,
};
use josekit::{
    jwk::Jwk,
    jws::{ES256, EdDSA, JwsSigner},
};
use zeroize::Zeroizing;

use crate::{
    base::{random::Random, secret::Secret},
    oauth::jose::{Alg, Jkt, KeyKind, PublicJwk, PublicKey, base64url},
};

/// A key that signs. It cannot be serialised; what gets published is its [`PublicJwk`], which has
/// no room for the private half.
pub struct SigningKey {
    signer: Box<dyn JwsSigner>,
    public: PublicKey,
    alg: Alg,
}

/// Why a signing key cannot be used. It never shows the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyFault {
    /// Not PKCS#8 in PEM, or a key of another kind.
    #[error("is not an EC P-256 or Ed25519 private key in PKCS#8 PEM")]
    NotAKey,
    /// The library refused it, or its signatures do not fit the public half.
    #[error("does not sign")]
    DoesNotSign,
}

impl SigningKey {
    /// Makes a new key and returns it in PKCS#8 PEM, ready to be stored.
    pub fn generate(kind: KeyKind, random: &Random) -> Result<Secret<String>, SigningKeyFault> {
        let lines = pem::LineEnding::LF;
        let pem = match kind {
            KeyKind::P256 => {
                // One draw in four billion is no valid scalar; the next one will be.
                let mut draws = (0..8).map(|_| Zeroizing::new(random.bytes::<32>()));
                let secret = draws.find_map(|draw| p256::SecretKey::from_slice(&*draw).ok());
                secret.and_then(|secret| secret.to_pkcs8_pem(lines).ok())
            }
            KeyKind::Ed25519 => {
                // Without the public half, which makes it version 2 (RFC 5958): OpenSSL 3, and with
                // it Node and Python, read version 1 only.
                let pair = KeypairBytes { secret_key: random.bytes(), public_key: None };
                pair.to_pkcs8_pem(lines).ok()
            }
        };
        pem.map(|pem| Secret::new(pem.as_str().to_owned())).ok_or(SigningKeyFault::DoesNotSign)
    }

    /// Reads a key from PKCS#8 PEM and lets it sign once: a private half that does not belong to
    /// the published one must be found before tokens are made with it.
    pub fn from_pem(pem: &Secret<String>) -> Result<Self, SigningKeyFault> {
        let pem = pem.expose().as_str();
        let (jwk, d) = if let Ok(secret) = p256::SecretKey::from_pkcs8_pem(pem) {
            let d = Zeroizing::new(secret.to_bytes().as_slice().to_vec());
            (PublicJwk::from_p256(&secret.public_key()), d)
        } else if let Ok(secret) = ed25519_dalek::SigningKey::from_pkcs8_pem(pem) {
            let d = Zeroizing::new(secret.to_bytes().to_vec());
            (PublicJwk::from_ed25519(&secret.verifying_key()), d)
        } else {
            return Err(SigningKeyFault::NotAKey);
        };
        let jwk = jwk.ok_or(SigningKeyFault::NotAKey)?;
        let private = private_jwk(&jwk, &d).ok_or(SigningKeyFault::DoesNotSign)?;
        let broken = |_| SigningKeyFault::DoesNotSign;
        let (signer, alg): (Box<dyn JwsSigner>, Alg) = match jwk.kind() {
            KeyKind::P256 => {
                (Box::new(ES256.signer_from_jwk(&private).map_err(broken)?), Alg::Es256)
            }
            // The older name: readers that know only one of the two know this one.
            KeyKind::Ed25519 => {
                (Box::new(EdDSA.signer_from_jwk(&private).map_err(broken)?), Alg::EdDsa)
            }
        };
        let public = PublicKey::new(jwk).map_err(|_| SigningKeyFault::NotAKey)?;
        let key = Self { signer, public, alg };
        let sample = b"counterfoil signs";
        let signature = key.sign_bytes(sample)?;
        key.public
            .verify(alg, sample, &signature)
            .map(|()| key)
            .map_err(|_| SigningKeyFault::DoesNotSign)
    }

    /// The published half, ready to verify.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key's name in headers and in the JWKS: its thumbprint, so it is never used twice.
    pub fn kid(&self) -> &Jkt {
        self.public.jkt()
    }

    /// What it signs with.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// Signs a JSON payload as a compact JWS of this type.
    pub fn sign(&self, typ: &str, payload: &[u8]) -> Result<String, SigningKeyFault> {
        // All three are names of ours: nothing in them needs escaping.
        let header = format!(r#"{{"typ":"{typ}","alg":"{}","kid":"{}"}}"#, self.alg, self.kid());
        let mut jws = base64url::encode(header);
        jws.push('.');
        jws.push_str(&base64url::encode(payload));
        let signature = self.sign_bytes(jws.as_bytes())?;
        jws.push('.');
        jws.push_str(&base64url::encode(signature));
        Ok(jws)
    }

    /// Signs bytes as they are: `r‖s`, or the 64 bytes of Ed25519.
    pub fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, SigningKeyFault> {
        self.signer.sign(message).map_err(|_| SigningKeyFault::DoesNotSign)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid())
    }
}

/// The public members as published, and `d`.
fn private_jwk(public: &PublicJwk, d: &[u8]) -> Option<Jwk> {
    let serde_json::Value::Object(mut members) = serde_json::to_value(public).ok()? else {
        return None;
    };
    members.insert("d".to_owned(), base64url::encode(d).into());
    Jwk::from_map(members).ok()
}
