//! The routes of this room.

use utoipa_axum::router::OpenApiRouter;

use super::{Events, deliveries, endpoints};

/// Endpoints and deliveries.
pub fn routes() -> OpenApiRouter<Events> {
    endpoints::http::routes().merge(deliveries::http::routes())
}
