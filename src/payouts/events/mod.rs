//! The face of the event log in the payouts API.

pub mod http;
