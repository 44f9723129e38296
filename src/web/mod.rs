//! HTTP without meaning.

pub mod idempotency;
