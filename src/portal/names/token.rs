//! 256 random bits that open something to whoever brings them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::{
    base::{hex, random::Random, secret::Secret},
    oauth::jose::base64url,
};

/// The value of a cookie or the end of a link. We keep its hash only: who reads the database, or a
/// backup of it, can bring nobody's cookie.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Token(Secret<String>);

impl Token {
    pub(in crate::portal) fn draw(random: &Random) -> Self {
        Self(Secret::new(base64url::encode(random.bytes::<32>())))
    }

    /// What somebody brings, if it could be one of ours.
    pub(in crate::portal) fn brought(text: &str) -> Option<Self> {
        base64url::decode_exact::<32>(text).map(|_| Self(Secret::new(text.to_owned())))
    }

    /// To be sent, and never to be logged.
    pub(in crate::portal) fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The name it is found under.
    pub(in crate::portal) fn name(&self, kind: &str) -> String {
        format!("{kind}:{}", hex::encode(&Sha256::digest(self.expose())))
    }

    /// What a form must carry that was made for the bearer of this cookie. Stops a page of another site
    /// from sending forms in somebody's name: it can make the browser send the cookie, not read it.
    pub(in crate::portal) fn form_token(&self) -> String {
        base64url::encode(self.mac().finalize().into_bytes())
    }

    /// Whether a form carries it, in a time that does not tell how much of it is right.
    pub(in crate::portal) fn made(&self, form_token: &str) -> bool {
        let brought = base64url::decode_exact::<32>(form_token);
        brought.is_some_and(|brought| self.mac().verify_slice(&brought).is_ok())
    }

    fn mac(&self) -> Hmac<Sha256> {
        // A block of HMAC-SHA-256; a shorter key is filled up with zeros, as it would do itself.
        let mut key = [0_u8; 64];
        for (slot, byte) in key.iter_mut().zip(Sha256::digest(self.expose())) {
            *slot = byte;
        }
        <Hmac<Sha256> as KeyInit>::new(&key.into()).chain_update(b"a form of the portal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_belongs_to_one_cookie() {
        let random = Random::seeded(1);
        let (one, other) = (Token::draw(&random), Token::draw(&random));
        assert!(one.made(&one.form_token()));
        assert!(!other.made(&one.form_token()) && !one.made("") && !one.made(one.expose()));
        assert_ne!(one.name("session"), one.name("link"));
        assert!(!one.name("session").contains(one.expose()));
        assert!(Token::brought(one.expose()).is_some() && Token::brought("x").is_none());
    }
}
