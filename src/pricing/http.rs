//! The routes of this room, and what their answers have in common.

use super::{Pricing, exchanges, fx, plans, quotes, reference};
use crate::web::routes::Routes;

/// Every route of the room.
pub(crate) fn routes() -> Routes<Pricing> {
    plans::http::routes()
        .merge(quotes::http::routes())
        .merge(fx::http::routes())
        .merge(exchanges::http::routes())
        .merge(reference::http::routes())
}
