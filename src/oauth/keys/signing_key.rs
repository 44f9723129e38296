//! The private half of a key of ours.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes, spki::der::pem,
};
use josekit::{
    jwk::Jwk,
    jws::{ES256, EdDSA, JwsVerifier},
};
use zeroize::Zeroizing;

use crate::{
    base::{random::Random, secret::Secret},
    oauth::jose::{Alg, Jkt, KeyKind, PublicJwk, PublicKey, base64url},
};

/// A key that signs. It cannot be serialised; what gets published is its [`PublicJwk`], which has
/// no room for the private half.
pub struct SigningKey {
    signer: Signer,
    public: PublicKey,
    alg: Alg,
}

enum Signer {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
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
        let broken = |_| SigningKeyFault::DoesNotSign;
        let (jwk, signer, alg) = if let Ok(secret) = p256::SecretKey::from_pkcs8_pem(pem) {
            let der = secret.to_pkcs8_der().map_err(|_| SigningKeyFault::NotAKey)?;
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_bytes());
            let jwk = PublicJwk::from_p256(&secret.public_key());
            (jwk, Signer::P256(pair.map_err(broken)?), Alg::Es256)
        } else if let Ok(secret) = ed25519_dalek::SigningKey::from_pkcs8_pem(pem) {
            let seed = Zeroizing::new(secret.to_bytes());
            let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(broken)?;
            // The older name: readers that know only one of the two know this one.
            (PublicJwk::from_ed25519(&secret.verifying_key()), Signer::Ed25519(pair), Alg::EdDsa)
        } else {
            return Err(SigningKeyFault::NotAKey);
        };
        let public = PublicKey::new(jwk.ok_or(SigningKeyFault::NotAKey)?)
            .map_err(|_| SigningKeyFault::NotAKey)?;
        let key = Self { signer, public, alg };
        key.check()?;
        Ok(key)
    }

    /// What one library signs, another must accept by the published half alone, and ours too: so will
    /// whoever gets our tokens.
    fn check(&self) -> Result<(), SigningKeyFault> {
        let sample = b"counterfoil signs";
        let signature = self.sign_bytes(sample)?;
        let ours = self.public.verify(self.alg, sample, &signature).is_ok();
        let verifier = independent(self.public.jwk()).ok_or(SigningKeyFault::DoesNotSign)?;
        let theirs = verifier.verify(sample, &signature).is_ok();
        if ours && theirs { Ok(()) } else { Err(SigningKeyFault::DoesNotSign) }
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
        match &self.signer {
            Signer::P256(pair) => match pair.sign(&SystemRandom::new(), message) {
                Ok(signature) => Ok(signature.as_ref().to_vec()),
                Err(_) => Err(SigningKeyFault::DoesNotSign),
            },
            Signer::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid())
    }
}

/// josekit's verifier of a published key.
fn independent(published: &PublicJwk) -> Option<Box<dyn JwsVerifier>> {
    let jwk = Jwk::from_bytes(serde_json::to_vec(published).ok()?).ok()?;
    match published.kind() {
        KeyKind::P256 => Some(Box::new(ES256.verifier_from_jwk(&jwk).ok()?)),
        KeyKind::Ed25519 => Some(Box::new(EdDSA.verifier_from_jwk(&jwk).ok()?)),
    }
}
