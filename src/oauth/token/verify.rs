//! A presented access token, judged like any independent verifier would judge it.

use std::{sync::Arc, time::Duration};

use super::TokenFault;
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    oauth::{
        jose::{
            Jkt, PublicKey,
            compact::{self, Compact, CompactFault, Part},
            json::{Json, Object},
            numeric_date,
        },
        scopes::{Scope, Scopes},
    },
};

/// The media type of RFC 9068, short form.
pub(super) const TYP: &str = "at+jwt";

/// The longest token that is read at all. Ours have 700 to 1 000 bytes.
pub const LONGEST: usize = 4096;

/// How far the clocks of our own replicas may be apart. Callers' clocks play no part in a token.
pub const LEEWAY: Duration = Duration::from_secs(10);

/// What a token must fit.
#[derive(Debug, Clone, Copy)]
pub struct TokenRules<'a> {
    /// The only accepted `iss`, compared letter by letter.
    pub issuer: &'a str,
    /// The identifiers of this server.
    pub audiences: &'a [&'a str],
    /// Our time.
    pub now: Timestamp,
}

/// A token that has passed every check but those that need a memory: revocation, and the state of
/// client and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The key that signed it.
    pub kid: Jkt,
    /// Its name.
    pub jti: String,
    /// Who it speaks for.
    pub subject: String,
    /// What it is meant for.
    pub audience: String,
    /// The client that minted it.
    pub client_id: String,
    /// Whose money it may move.
    pub merchant: MerchantId,
    /// What it may do. Words that we no longer know give no right.
    pub scopes: Scopes,
    /// The key whose proofs it needs.
    pub jkt: Jkt,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Before which it is not valid.
    pub not_before: Timestamp,
    /// When it ends, without leeway.
    pub expires_at: Timestamp,
}

/// Judges a token. Nothing in the payload is looked at before the signature is good.
pub fn verify(
    token: &str,
    rules: &TokenRules<'_>,
    published: impl FnOnce(&Jkt) -> Option<Arc<PublicKey>>,
) -> Result<AccessToken, TokenFault> {
    let jws = Compact::split(token.as_bytes(), LONGEST).map_err(|fault| match fault {
        CompactFault::TooLong => TokenFault::TooLong,
        _ => TokenFault::Malformed,
    })?;
    let malformed = |_| TokenFault::Malformed;
    let header = jws.header().map_err(malformed)?;
    let header = compact::object(&header, Part::Header).map_err(malformed)?;
    let alg = compact::check_header(&header, TYP)?;
    let kid = header.required_text("kid").and_then(|kid| kid.parse().ok());
    let kid: Jkt = kid.ok_or(TokenFault::UnknownKey)?;
    let key = published(&kid).ok_or(TokenFault::UnknownKey)?;
    if alg.key_kind() != key.jwk().kind() {
        return Err(TokenFault::Alg);
    }
    let signature = jws.signature().ok_or(TokenFault::Signature)?;
    key.verify(alg, jws.signing_input(), &signature).map_err(|_| TokenFault::Signature)?;
    let payload = jws.payload().map_err(malformed)?;
    let claims = compact::object(&payload, Part::Payload).map_err(malformed)?;
    judge(kid, &claims, rules)
}

fn judge(kid: Jkt, claims: &Object<'_>, rules: &TokenRules<'_>) -> Result<AccessToken, TokenFault> {
    if claims.required_text("iss") != Some(rules.issuer) {
        return Err(TokenFault::Issuer);
    }
    let names = |audience: &&&str| compact::names_one_of(claims.get("aud"), &[audience]);
    let audience = rules.audiences.iter().find(names).ok_or(TokenFault::Audience)?;
    let expires_at = time(claims, "exp")?.ok_or(TokenFault::Claim("exp"))?;
    let issued_at = time(claims, "iat")?.ok_or(TokenFault::Claim("iat"))?;
    let not_before = time(claims, "nbf")?.unwrap_or(issued_at).max(issued_at);
    let jti = text(claims, "jti")?.to_owned();
    let subject = text(claims, "sub")?.to_owned();
    let client_id = text(claims, "client_id")?.to_owned();
    let merchant = text(claims, "merchant_id")?.parse();
    let merchant = merchant.map_err(|_| TokenFault::Claim("merchant_id"))?;
    let scopes = scopes(claims)?;
    let jkt = bound_key(claims)?;
    let token = AccessToken {
        kid,
        jti,
        subject,
        audience: (*audience).to_owned(),
        client_id,
        merchant,
        scopes,
        jkt,
        issued_at,
        not_before,
        expires_at,
    };
    token.check_times(rules.now).map(|()| token)
}

impl AccessToken {
    /// Whether it is valid at `now`: the one thing that changes after the first look.
    pub fn check_times(&self, now: Timestamp) -> Result<(), TokenFault> {
        if now >= self.expires_at.plus(LEEWAY) {
            return Err(TokenFault::Expired);
        }
        if self.not_before > now.plus(LEEWAY) {
            return Err(TokenFault::NotYetValid);
        }
        Ok(())
    }
}

fn text<'a>(claims: &'a Object<'_>, name: &'static str) -> Result<&'a str, TokenFault> {
    let text = claims.required_text(name).filter(|text| !text.is_empty());
    text.ok_or(TokenFault::Claim(name))
}

/// `Ok(None)` only when the claim is absent.
fn time(claims: &Object<'_>, name: &'static str) -> Result<Option<Timestamp>, TokenFault> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => numeric_date::read(value).map(Some).ok_or(TokenFault::Claim(name)),
    }
}

fn scopes(claims: &Object<'_>) -> Result<Scopes, TokenFault> {
    let words = claims.text("scope").map_err(|_| TokenFault::Claim("scope"))?.unwrap_or_default();
    let known = |word: &str| Scope::ALL.iter().copied().find(|scope| scope.as_str() == word);
    Ok(words.split(' ').filter_map(known).collect())
}

/// A token without `jkt` would be a bearer token; one with another confirmation beside it asks for
/// no less than the proof, so company is ignored.
fn bound_key(claims: &Object<'_>) -> Result<Jkt, TokenFault> {
    let Some(Json::Object(confirmation)) = claims.get("cnf") else {
        return Err(TokenFault::Unbound);
    };
    let jkt = confirmation.required_text("jkt").and_then(|jkt| jkt.parse().ok());
    jkt.ok_or(TokenFault::Unbound)
}
