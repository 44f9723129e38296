//! Revoking and describing tokens.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::store;
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
    },
    ctx::Ctx,
    db::{self, Owner},
    jobs::{Handler, Job, Next},
    oauth::{
        authority::Authority,
        credentials::{self, Client, ClientId},
        merchants::MerchantStatus,
        token::{self, AccessToken, LEEWAY, TokenRequest, TokenRules, verify},
    },
};

/// Whether a token has been ended before its time.
pub async fn is_revoked(ctx: &Ctx, merchant: MerchantId, jti: &str) -> Result<bool> {
    db::read!(ctx.db, |tx| Ok(store::exists(tx, merchant, jti).await?))
}

/// Ends a token of the calling client. What is not a token of its own is ended already as far as it
/// can tell, so the answer is the same: it must not learn which tokens exist.
pub(super) async fn revoke(authority: &Authority, request: &TokenRequest<'_>) -> Result<()> {
    let client = token::authenticate(authority, request).await?;
    let text = required_token(request)?;
    let Some(presented) = read(authority, text) else {
        // A refresh token, which we never make, cannot be revoked here (RFC 7009 §2.2.1).
        return match request.form.get("token_type_hint") {
            Some("refresh_token") => Err(Failure::new(Code::UnsupportedTokenType)),
            _ => Ok(()),
        };
    };
    if presented.client_id != client.credential.client_id.as_str() {
        return Ok(());
    }
    let ctx = authority.ctx();
    let ends = presented.expires_at.plus(LEEWAY);
    let newly = db::write!(ctx.db, presented.merchant, |tx| {
        let newly = store::insert(tx, presented.merchant, &presented.jti, ends).await?;
        if newly {
            // Not for a repetition: one token, sent again and again, would keep all caches empty.
            credentials::access_changed(tx).await?;
        }
        Ok(newly)
    })?;
    authority.access_changed().await?;
    if newly {
        tracing::info!(client = %client.credential.client_id, "A token was revoked.");
    }
    Ok(())
}

/// Describes a token to a client of the same merchant; about any other there is nothing to say.
pub(super) async fn introspect(authority: &Authority, request: &TokenRequest<'_>) -> Result<Value> {
    let client = token::authenticate(authority, request).await?;
    let text = required_token(request)?;
    let inactive = json!({ "active": false });
    let Some(presented) = read(authority, text) else { return Ok(inactive) };
    if presented.merchant != client.credential.merchant_id
        || is_revoked(authority.ctx(), presented.merchant, &presented.jti).await?
        || !holder_is_active(authority, &presented).await?
    {
        return Ok(inactive);
    }
    Ok(json!({
        "active": true,
        "scope": presented.scopes.to_string(),
        "client_id": presented.client_id,
        "token_type": "DPoP",
        "exp": presented.expires_at.unix_seconds(),
        "iat": presented.issued_at.unix_seconds(),
        "sub": presented.subject,
        "aud": presented.audience,
        "iss": authority.rules().issuer,
        "jti": presented.jti,
        "merchant_id": presented.merchant,
        "cnf": { "jkt": presented.jkt },
    }))
}

async fn holder_is_active(authority: &Authority, token: &AccessToken) -> Result<bool> {
    let Some(client_id) = ClientId::presented(&token.client_id) else { return Ok(false) };
    let holds = |client: &Client| {
        client.merchant_status == MerchantStatus::Active
            && client.is_active()
            && client.key(&token.jkt).is_some()
    };
    Ok(authority.client(&client_id).await?.is_some_and(|client| holds(&client)))
}

fn required_token<'a>(request: &TokenRequest<'a>) -> Result<&'a str> {
    let missing = || Failure::because(Code::InvalidRequest, "token is missing");
    request.form.get("token").ok_or_else(missing)
}

/// A valid token of ours.
fn read(authority: &Authority, text: &str) -> Option<AccessToken> {
    let audiences: Vec<&str> = authority.rules().origins.iter().map(String::as_str).collect();
    let now = authority.ctx().now();
    let rules = TokenRules { issuer: &authority.rules().issuer, audiences: &audiences, now };
    let ring = authority.ring().current();
    verify(text, &rules, |kid| ring.verifier(kid)).ok()
}

/// Drops revocations of tokens that have expired by now, once an hour.
#[derive(Debug)]
pub struct Housekeeping;

impl Housekeeping {
    /// The job's kind and unique name.
    pub const KIND: &'static str = "oauth.forget_revoked_tokens";
}

impl Handler for Housekeeping {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, _: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            let now = ctx.now();
            let gone = db::write!(ctx.db, Owner::House, |tx| Ok(store::forget(tx, now).await?))?;
            credentials::forget_challenges(ctx).await?;
            tracing::debug!(gone, "Revocations of expired tokens were dropped.");
            Ok(Next::At(now.plus(Duration::from_hours(1))))
        })
    }
}
