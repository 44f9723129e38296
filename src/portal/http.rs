//! Every page, in one place.

use axum::{Router, middleware::from_fn_with_state};

use super::{
    Portal, account, beneficiaries, credentials, events, exports,
    frame::{
        Known,
        http::{Pages, finish},
    },
    overview, payouts, prices, proofs, quotes, requests, sign_in, team, webhooks,
};

fn pages() -> Pages {
    let routes = [
        sign_in::http::routes,
        overview::http::routes,
        payouts::http::routes,
        quotes::http::routes,
        beneficiaries::http::routes,
        prices::http::routes,
        credentials::http::routes,
        proofs::http::routes,
        webhooks::http::routes,
        events::http::routes,
        requests::http::routes,
        exports::http::routes,
        team::http::routes,
        account::http::routes,
    ];
    routes.into_iter().fold(Pages::default(), |pages, add| add(pages))
}

/// Each route with who may use it; the tests walk over them.
pub fn known() -> Vec<Known> {
    pages().known()
}

/// The pages, their gate and their assets.
pub fn router(room: &Portal) -> Router {
    pages().into_router(room)
}

/// Puts the last layer around what the router has put its limits around.
pub fn finished(room: &Portal, routes: Router) -> Router {
    routes.layer(from_fn_with_state(room.clone(), finish))
}
