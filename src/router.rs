//! One page: every room's routes, in the group whose rules they follow.

#[cfg(test)]
mod document;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::header,
    middleware::{Next, from_fn, from_fn_with_state},
    response::IntoResponse,
    routing::get,
};

use crate::{
    base::failure::{Code, Failure, Result},
    events::{self, Events},
    oauth::{
        access::{self, Access, SeenTokens},
        authority::Authority,
        credentials, discovery, lifecycle, token,
    },
    payouts::{
        Payouts, People, accounts, balances, beneficiaries, events as log, idempotency,
        instruments, payout, receipts, sandbox,
    },
    portal::{self, Portal},
    pricing::{self, Pricing},
    telemetry::Prometheus,
    web::{
        edge::{self, Edge},
        error::{Dialect, render},
        headers::{self, Https},
        health::{self, Readiness},
        host,
        limits::{self, Limits},
        openapi,
        rate_limit::{PerAddress, per_address},
        requests::RequestLog,
        routes::Routes,
    },
};

/// The longest form at the token endpoint and its neighbours.
const FORM_LIMIT: usize = 16 << 10;

/// What the routes stand on.
#[derive(Clone)]
pub struct Rooms {
    /// Tokens, proofs, keys.
    pub authority: Authority,
    /// Plans, quotes, rates.
    pub pricing: Pricing,
    /// Beneficiaries and instruments.
    pub people: People,
    /// Money on its way.
    pub payouts: Payouts,
    /// Webhook endpoints and deliveries.
    pub events: Events,
    /// People's pages.
    pub portal: Portal,
    /// What merchants' servers have asked.
    pub requests: RequestLog,
    /// Names and measures requests.
    pub edge: Edge,
    /// What one request may cost.
    pub limits: Limits,
    /// How often a stranger may ask.
    pub strangers: PerAddress,
    /// How often one address may ask for tokens and about them.
    pub clients: PerAddress,
    /// How often one address may ask for pages of the portal.
    pub visitors: PerAddress,
    /// Browser origins that may call.
    pub cors_origins: Vec<String>,
    /// Whether callers reach us by TLS only.
    pub https: Https,
    /// What `/readyz` tells.
    pub readiness: Readiness,
    /// What `/metrics` shows, if it is shown here.
    pub metrics: Option<Prometheus>,
}

/// Every route with its layers.
pub fn build(rooms: &Rooms) -> Result<Router> {
    let authority = || rooms.authority.clone();
    let oauth = Router::from(oauth()).with_state(authority());
    let discovery = Router::from(discovery::http::routes()).with_state(authority());
    let resources = resources(rooms);
    Ok(Router::new()
        .merge(tokens_group(rooms, oauth))
        .merge(strangers_group(rooms, discovery, Dialect::OAuth))
        .merge(protected_group(rooms, resources))
        .merge(pages_group(rooms, openapi::router()?))
        .merge(portal_group(rooms))
        .merge(probes_group(rooms))
        .fallback(async || Failure::new(Code::NotFound))
        .layer(from_fn(|request: Request, next: Next| render(Dialect::Payouts, request, next)))
        .layer(from_fn_with_state(rooms.https, headers::api))
        .layer(from_fn_with_state(rooms.edge.clone(), edge::observe))
        // Without it, a handler that needs no state is wrapped into its layers anew for each request.
        .with_state(()))
}

/// Clients authenticate by themselves here.
fn oauth() -> Routes<Authority> {
    token::http::routes().merge(lifecycle::http::routes())
}

/// What needs a token and a proof.
fn resources(rooms: &Rooms) -> Router {
    let ctx = rooms.authority.ctx().clone();
    Router::new()
        .merge(Router::from(credentials::http::routes()))
        .merge(Router::from(pricing::http::routes()).with_state(rooms.pricing.clone()))
        .merge(Router::from(balances::http::routes()).with_state(ctx.clone()))
        .merge(Router::from(people()).with_state(rooms.people.clone()))
        .merge(Router::from(money()).with_state(rooms.payouts.clone()))
        .merge(Router::from(idempotency::http::routes()).with_state(ctx.clone()))
        .merge(Router::from(log::http::routes()).with_state(ctx))
        .merge(Router::from(events::http::routes()).with_state(rooms.events.clone()))
}

/// Who is paid, and how.
fn people() -> Routes<People> {
    beneficiaries::http::routes().merge(instruments::http::routes())
}

/// What comes in and what goes out.
fn money() -> Routes<Payouts> {
    accounts::http::routes()
        .merge(payout::http::routes())
        .merge(receipts::http::routes())
        .merge(sandbox::http::routes())
}

/// A token, a proof, a right: whatever stands in this group asks for all three.
fn protected_group(rooms: &Rooms, routes: Router) -> Router {
    let (authority, requests) = (rooms.authority.clone(), rooms.requests.clone());
    let access = Access { authority, seen: SeenTokens::default(), requests };
    let routes = routes
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(access, access::required));
    guarded(rooms, routes, rooms.limits.clone(), Dialect::Payouts)
}

fn tokens_group(rooms: &Rooms, routes: Router) -> Router {
    // Good or bad: without it, one address could keep us reading proofs and secrets.
    let routes = routes
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(rooms.clients.clone(), per_address));
    let body = FORM_LIMIT.min(rooms.limits.body);
    guarded(rooms, routes, Limits { body, ..rooms.limits.clone() }, Dialect::OAuth)
}

/// Public documents: anybody may ask, nobody too often.
fn strangers_group(rooms: &Rooms, routes: Router, dialect: Dialect) -> Router {
    let routes = routes
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(rooms.strangers.clone(), per_address));
    guarded(rooms, routes, Limits { body: 1 << 10, ..rooms.limits.clone() }, dialect)
}

/// Pages for people.
fn pages_group(rooms: &Rooms, routes: Router) -> Router {
    strangers_group(rooms, routes, Dialect::Payouts)
        .layer(from_fn_with_state(rooms.https, headers::page))
}

/// People's pages, behind a sign-in of their own. They make their own refusals, as pages.
fn portal_group(rooms: &Rooms) -> Router {
    let routes = portal::http::router(&rooms.portal)
        .layer(from_fn_with_state(rooms.visitors.clone(), per_address))
        .layer(DefaultBodyLimit::disable());
    let body = FORM_LIMIT.min(rooms.limits.body);
    let limits = Limits { body, ..rooms.limits.clone() };
    let routes = routes
        .layer(from_fn_with_state(Arc::new(limits), limits::guard))
        .layer(from_fn(host::required));
    portal::http::finished(&rooms.portal, routes)
        .layer(from_fn(|request: Request, next: Next| render(Dialect::Payouts, request, next)))
        .layer(from_fn_with_state(rooms.https, headers::page))
}

/// What orchestrators ask: answered under any load, within the limits of every other route.
fn probes_group(rooms: &Rooms) -> Router {
    let limits = Limits { body: 1 << 10, ..rooms.limits.clone() };
    health::router(rooms.readiness.clone())
        .merge(metrics(rooms.metrics.clone()))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::new(limits), limits::guard_probe))
        .layer(from_fn(host::required))
}

/// What every group has around it, outermost last.
fn guarded(rooms: &Rooms, routes: Router, limits: Limits, dialect: Dialect) -> Router {
    routes
        // The guard has read the body already, within its own limit.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::new(limits), limits::guard))
        .layer(from_fn(host::required))
        .layer(from_fn(move |request: Request, next: Next| render(dialect, request, next)))
        .layer(headers::cors(&rooms.cors_origins))
}

async fn method_not_allowed() -> Failure {
    Failure::new(Code::MethodNotAllowed)
}

fn metrics(prometheus: Option<Prometheus>) -> Router {
    let Some(prometheus) = prometheus else { return Router::new() };
    let prometheus = Arc::new(prometheus);
    let show = async move || {
        const TEXT: &str = "text/plain; version=0.0.4";
        ([(header::CONTENT_TYPE, TEXT)], prometheus.render()).into_response()
    };
    Router::new().route("/metrics", get(show))
}

/// `/metrics` alone, for a listener that strangers do not reach.
pub fn metrics_only(prometheus: Prometheus) -> Router {
    metrics(Some(prometheus))
}
