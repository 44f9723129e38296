//! Sign-in codes: RFC 6238, and recovery codes for when the device is lost.

mod model;
mod service;
mod store;

pub use model::{Enrolment, Recovery};
pub use service::{Checked, begin, check, claim, confirm, enrolment, left, turn_off};
pub use store::STATEMENTS;
