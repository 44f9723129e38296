//! Where merchants want their events sent.
//!
//! An endpoint is `active`, `inactive` (its merchant switched it off), `disabled` (we did: it failed
//! for days, or said that it is gone) or deleted. It keeps its place in the merchant's log whatever its
//! state: one that is switched on again goes on where it stopped.

mod filter;
pub mod http;
mod model;
mod secrets;
mod service;
mod store;
mod wire;

pub use filter::Filter;
pub use model::{Because, Endpoint, Health, LATEST, Metadata, Status, WAITING_SHOWN};
pub(super) use secrets::{Sealed, open_keys};
pub use service::{
    Changes, NewEndpoint, Rotated, create, create_once, deactivate, delete, find, health, list,
    reactivate, rotate, rotate_once, secret, test, test_once, update,
};
pub use store::STATEMENTS;
pub(super) use store::read_filter;
