//! The routes of this room.

use super::{Events, deliveries, endpoints};
use crate::web::routes::Routes;

/// Endpoints and deliveries.
pub(crate) fn routes() -> Routes<Events> {
    endpoints::http::routes().merge(deliveries::http::routes())
}
