//! The guard of every protected route.
//!
//! A route group stands behind [`required`]; a handler in it names the right that its caller must
//! have by taking [`May<R>`](May), and only so learns who calls. A handler that takes none cannot
//! answer: its success is thrown away.

mod check;
mod seen;

use std::{
    marker::PhantomData,
    net::IpAddr,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    authority::Authority,
    credentials::ClientId,
    jose::Jkt,
    scopes::{Scopes, right::Right},
};
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    web::rate_limit::Verdict,
};
pub use seen::SeenTokens;

/// Who calls, after every check.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whose money may move.
    pub merchant: MerchantId,
    /// The credential.
    pub client_id: ClientId,
    /// What the token allows.
    pub scopes: Scopes,
    /// The key that signed the proof.
    pub jkt: Jkt,
    /// Where the request came from.
    pub address: IpAddr,
    /// When the token ends.
    pub token_ends: Timestamp,
}

/// What the layer needs.
#[derive(Clone, Debug)]
pub struct Access {
    /// Keys, rules, caches.
    pub authority: Authority,
    /// Tokens that were verified before.
    pub seen: SeenTokens,
}

/// A caller with the right `R`. Proof and token are checked when a handler asks for it; the proof is
/// spent then, as the last of all checks.
#[derive(Debug)]
pub struct May<R>(Caller, PhantomData<R>);

impl<R> Deref for May<R> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<R: Right, S: Sync> FromRequestParts<S> for May<R> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let pass = parts.extensions.get::<Arc<Pass>>().cloned();
        let pass = pass.ok_or_else(|| Failure::internal("a protected route has no guard"))?;
        let caller = check::caller(&pass, parts, R::SCOPE).await?;
        tracing::Span::current().record("merchant", tracing::field::display(caller.merchant));
        Ok(Self(caller, PhantomData))
    }
}

/// What one request brings, and what it learns on its way in, for the way out.
#[derive(Debug)]
struct Pass {
    access: Access,
    /// The path as it arrived: routers may cut it, proofs are made for the whole.
    path: Box<str>,
    checked: OnceLock<()>,
    quota: OnceLock<Verdict>,
    next_nonce: OnceLock<String>,
}

/// The layer around protected routes.
pub async fn required(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    let pass = Arc::new(Pass {
        access,
        path: request.uri().path().into(),
        checked: OnceLock::new(),
        quota: OnceLock::new(),
        next_nonce: OnceLock::new(),
    });
    request.extensions_mut().insert(pass.clone());
    let mut response = next.run(request).await;
    if pass.checked.get().is_none() && response.status().is_success() {
        return Failure::internal("a protected handler answered without asking who calls")
            .into_response();
    }
    if let Some(quota) = pass.quota.get() {
        quota.write(response.headers_mut());
    }
    if let Some(nonce) = pass.next_nonce.get()
        && let Ok(nonce) = HeaderValue::from_str(nonce)
    {
        response.headers_mut().insert("dpop-nonce", nonce);
    }
    response
}
