//! Proofs of possession, as a client makes them (RFC 9449 §4.2).

use serde_json::{Map, Value, json};

use crate::{
    base::{
        failure::{Failure, Result},
        random::Random,
        timestamp::Timestamp,
    },
    oauth::{
        jose::{TokenHash, base64url},
        keys::SigningKey,
    },
};

/// What one proof is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The method of the request, as sent.
    pub method: &'a str,
    /// Its address, without query and fragment.
    pub htu: &'a str,
    /// The access token that goes with it; none at the token endpoint.
    pub token: Option<&'a str>,
    /// The nonce that this server has asked for, if it has.
    pub nonce: Option<&'a str>,
}

/// A key pair that signs proofs.
#[derive(Debug)]
pub struct Prover {
    key: SigningKey,
}

impl Prover {
    /// Proofs will be signed with this key.
    pub fn new(key: SigningKey) -> Self {
        Self { key }
    }

    /// A proof for one request; it counts once, so a repetition needs another one.
    pub fn prove(&self, about: &About<'_>, now: Timestamp, random: &Random) -> Result<String> {
        let jwk = self.key.public().jwk();
        let header = json!({ "typ": "dpop+jwt", "alg": self.key.alg().name(), "jwk": jwk });
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("jti", base64url::encode(random.bytes::<16>()).into());
        claim("htm", about.method.into());
        claim("htu", about.htu.into());
        claim("iat", now.unix_seconds().into());
        if let Some(token) = about.token {
            claim("ath", TokenHash::of(token).as_str().into());
        }
        if let Some(nonce) = about.nonce {
            claim("nonce", nonce.into());
        }
        let claims = Value::Object(claims).to_string();
        let mut jws =
            format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(claims));
        let signature = self.key.sign_bytes(jws.as_bytes()).map_err(Failure::internal)?;
        jws.push('.');
        jws.push_str(&base64url::encode(signature));
        Ok(jws)
    }
}
