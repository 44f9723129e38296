//! The keys of an endpoint.

use std::{fmt, fmt::Write};

use aws_lc_rs::{hmac, signature::Ed25519KeyPair, signature::KeyPair};
use base64::{Engine, prelude::BASE64_STANDARD};

use crate::base::{
    failure::{Failure, Result},
    random::Random,
    secret::Secret,
};

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// One secret with what is derived from it, and the Ed25519 key that was made beside it.
///
/// Two key byte strings come from one secret. Dialects that sign in hex use the whole text, prefix
/// included, as UTF-8. Standard Webhooks says that the text after the prefix is base64: the 64 hex
/// digits are base64 of 48 bytes, and those are its key.
pub struct SigningKey {
    secret: Secret<String>,
    seed: Secret<[u8; 32]>,
    whole_text: hmac::Key,
    decoded: hmac::Key,
    pair: Option<Ed25519KeyPair>,
}

/// The keys that are good now.
#[derive(Debug)]
pub struct SigningKeys {
    /// The newest.
    pub current: SigningKey,
    /// The one before, until its grace is over.
    pub previous: Option<SigningKey>,
}

impl SigningKeys {
    /// The key that receivers have had the longest: what is good for them until they have changed.
    pub(super) fn longest_known(&self) -> &SigningKey {
        self.previous.as_ref().unwrap_or(&self.current)
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

impl SigningKey {
    /// A fresh secret of 256 random bits, and a key pair independent of it: who checks `v1a` with the
    /// public key alone must not depend on how well others keep the secret.
    pub fn make(random: &Random) -> Self {
        let secret = format!("{PREFIX}{}", hex(&random.bytes::<32>()));
        Self::new(secret, random.bytes())
    }

    pub(super) fn new(secret: String, seed: [u8; 32]) -> Self {
        let text = secret.strip_prefix(PREFIX).unwrap_or(&secret);
        let decoded = BASE64_STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec());
        Self {
            whole_text: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            decoded: hmac::Key::new(hmac::HMAC_SHA256, &decoded),
            pair: Ed25519KeyPair::from_seed_unchecked(&seed).ok(),
            secret: Secret::new(secret),
            seed: Secret::new(seed),
        }
    }

    /// The secret as its merchant sees it.
    pub fn secret(&self) -> &Secret<String> {
        &self.secret
    }

    /// The Ed25519 public key, in the form of Standard Webhooks.
    pub fn public(&self) -> Option<String> {
        let public = self.pair.as_ref()?.public_key();
        Some(format!("whpk_{}", BASE64_STANDARD.encode(public.as_ref())))
    }

    /// What is sealed and stored.
    pub fn to_stored(&self) -> Secret<Vec<u8>> {
        let mut stored = self.seed.expose().to_vec();
        stored.extend_from_slice(self.secret.expose().as_bytes());
        Secret::new(stored)
    }

    /// The reverse of [`SigningKey::to_stored`].
    pub fn from_stored(stored: &[u8]) -> Result<Self> {
        let unreadable = || Failure::internal("a stored webhook secret is not readable");
        let (seed, secret) = stored.split_first_chunk::<32>().ok_or_else(unreadable)?;
        let secret = std::str::from_utf8(secret).map_err(|_| unreadable())?;
        Ok(Self::new(secret.to_owned(), *seed))
    }

    /// HMAC-SHA256 with the whole text of the secret as the key, in lower-case hex.
    pub(super) fn hex(&self, parts: &[&[u8]]) -> String {
        hex(mac(&self.whole_text, parts).as_ref())
    }

    /// HMAC-SHA256 with the decoded secret as the key, in base64.
    pub(super) fn base64(&self, parts: &[&[u8]]) -> String {
        BASE64_STANDARD.encode(mac(&self.decoded, parts))
    }

    /// Ed25519, in base64.
    pub(super) fn ed25519(&self, parts: &[&[u8]]) -> String {
        let signature = self.pair.as_ref().map(|pair| pair.sign(&parts.concat()));
        signature.map(|signature| BASE64_STANDARD.encode(signature)).unwrap_or_default()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

fn mac(key: &hmac::Key, parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    context.sign()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // A string takes everything.
        _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_256_bits_in_the_published_form_and_reads_back() {
        let key = SigningKey::make(&Random::seeded(1));
        let secret = key.secret().expose();
        let digits = secret.strip_prefix("whsec_").unwrap();
        assert!(digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(BASE64_STANDARD.decode(digits).unwrap().len(), 48, "a key that libraries take");
        let again = SigningKey::from_stored(key.to_stored().expose()).unwrap();
        assert_eq!(again.secret().expose(), secret);
        assert_eq!(again.public(), key.public());
        assert!(SigningKey::from_stored(b"short").is_err());
    }

    #[test]
    fn the_example_of_standard_webhooks_is_met() {
        let key = SigningKey::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(), [1; 32]);
        let signed =
            key.base64(&[b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.", br#"{"test": 2432232314}"#]);
        assert_eq!(signed, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", SigningKey::make(&Random::seeded(1))), "SigningKey(***)");
    }
}
