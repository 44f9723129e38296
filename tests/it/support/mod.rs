//! What the tests stand on: private servers, databases, a raw HTTP client.

pub(crate) mod app;
pub(crate) mod both;
pub(crate) mod client;
pub(crate) mod guarded;
pub(crate) mod http;
pub(crate) mod postgres;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod scratch;
