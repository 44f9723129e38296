//! The log of events, and their way to endpoints.

mod courier;
mod deliveries;
mod endpoints;
mod failing;
mod interrupted;
mod log;
mod outbound;
pub(crate) mod receiver;
mod searches;
