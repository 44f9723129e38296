//! The routes of this room, and what their answers have in common.

use utoipa_axum::router::OpenApiRouter;

use super::{Pricing, exchanges, fx, plans, quotes, reference};

/// Every route of the room.
pub fn routes() -> OpenApiRouter<Pricing> {
    OpenApiRouter::new()
        .merge(plans::http::routes())
        .merge(quotes::http::routes())
        .merge(fx::http::routes())
        .merge(exchanges::http::routes())
        .merge(reference::http::routes())
}
