//! What happened, what was sent of it, and sending it again.

mod file;
pub mod http;
mod service;
mod view;

pub(super) use file::{DELIVERIES, delivery_cells};
pub(super) use service::{Again, again};
pub(super) use view::answer;
