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
    time::Instant,
};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, Method, Uri, request::Parts, uri::PathAndQuery},
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
    web::{
        edge::RequestName,
        error,
        rate_limit::Verdict,
        requests::{Answered, RequestLog},
    },
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
    /// Where a line is left about each request whose merchant is known.
    pub requests: RequestLog,
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
    /// Whose token it is; it was genuine, whatever the request was refused for.
    holder: OnceLock<(MerchantId, ClientId)>,
    quota: OnceLock<Verdict>,
    next_nonce: OnceLock<String>,
}

impl Pass {
    /// Whose request this is, for the request log.
    fn hold(&self, seen: &seen::Seen) {
        let holder = || (seen.token.merchant, seen.client.credential.client_id.clone());
        self.holder.get_or_init(holder);
    }
}

/// What the request log wants to know, as it was when the request came.
struct Noted {
    begun: Instant,
    at: Timestamp,
    method: Method,
    uri: Uri,
    name: Option<RequestName>,
}

impl Noted {
    fn of(access: &Access, request: &Request) -> Self {
        Self {
            begun: Instant::now(),
            at: access.authority.ctx().now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            name: request.extensions().get().cloned(),
        }
    }

    fn answered(
        self,
        (merchant, client): &(MerchantId, ClientId),
        response: &Response,
    ) -> Answered {
        Answered {
            merchant: *merchant,
            at: self.at,
            method: self.method,
            path_and_query: self.uri.path_and_query().map_or("/", PathAndQuery::as_str).into(),
            status: response.status().as_u16(),
            code: error::code(response),
            client: client.as_str().to_owned(),
            request: self.name.map(|RequestName(name)| name).unwrap_or_default(),
            micros: u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// The layer around protected routes.
pub async fn required(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    let requests = access.requests.clone();
    let asked = requests.is_on().then(|| Noted::of(&access, &request));
    let pass = Arc::new(Pass {
        access,
        path: request.uri().path().into(),
        checked: OnceLock::new(),
        holder: OnceLock::new(),
        quota: OnceLock::new(),
        next_nonce: OnceLock::new(),
    });
    request.extensions_mut().insert(pass.clone());
    let mut response = next.run(request).await;
    if let (Some(asked), Some(holder)) = (asked, pass.holder.get()) {
        let refused = response.status().as_u16() >= 400;
        requests.note(holder.0, refused, || asked.answered(holder, &response));
    }
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
