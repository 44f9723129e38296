//! HTTP without meaning: what every route group has around it and none has to think of.

pub mod address;
pub mod edge;
pub mod error;
pub mod form;
pub mod headers;
pub mod health;
pub mod host;
pub mod idempotency;
pub mod json;
pub mod limits;
pub mod openapi;
pub mod places;
pub mod query;
pub mod rate_limit;
pub mod requests;
pub(crate) mod routes;
pub mod server;
