//! What an access token says.

use std::time::Duration;

use serde::Serialize;

use crate::{
    base::{ids::MerchantId, random::Random, timestamp::Timestamp},
    oauth::{
        jose::{Jkt, base64url},
        keys::{SigningKey, SigningKeyFault},
        scopes::Scopes,
    },
};

/// What a client has been granted. Nothing in it is personal: a token is read by every proxy it
/// passes.
#[derive(Debug, Clone)]
pub struct Grant<'a> {
    /// The `iss` that metadata and verifiers know.
    pub issuer: &'a str,
    /// The one `aud`.
    pub audience: &'a str,
    /// The client, which is also the subject: nobody else is behind it.
    pub client_id: &'a str,
    /// Whose money the client may move.
    pub merchant: MerchantId,
    /// What it may do.
    pub scopes: &'a Scopes,
    /// The key whose proofs make the token worth something.
    pub jkt: &'a Jkt,
    /// How long.
    pub lifetime: Duration,
}

/// A new token and what must be known to revoke it.
#[derive(Debug, Clone)]
pub struct Minted {
    /// The token. Handed out once; never stored, never logged.
    pub token: String,
    /// Its name.
    pub jti: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    client_id: &'a str,
    merchant_id: String,
    scope: String,
    iat: i64,
    exp: i64,
    jti: &'a str,
    cnf: Confirmation<'a>,
}

#[derive(Serialize)]
struct Confirmation<'a> {
    jkt: &'a Jkt,
}

impl Grant<'_> {
    /// Signs a token. Its `jti` has 128 random bits, so tokens of one second differ.
    pub fn mint(
        &self,
        key: &SigningKey,
        now: Timestamp,
        random: &Random,
    ) -> Result<Minted, SigningKeyFault> {
        let jti = base64url::encode(random.bytes::<16>());
        let iat = now.unix_seconds();
        // From the whole second, so that `exp - iat` is exactly what `expires_in` says.
        let expires_at = Timestamp::from_unix_seconds(iat).plus(self.lifetime);
        let claims = Claims {
            iss: self.issuer,
            sub: self.client_id,
            aud: self.audience,
            client_id: self.client_id,
            merchant_id: self.merchant.to_string(),
            scope: self.scopes.to_string(),
            iat,
            exp: expires_at.unix_seconds(),
            jti: &jti,
            cnf: Confirmation { jkt: self.jkt },
        };
        let payload = serde_json::to_vec(&claims).map_err(|_| SigningKeyFault::DoesNotSign)?;
        let token = key.sign(super::verify::TYP, &payload)?;
        Ok(Minted { token, jti, expires_at })
    }
}
