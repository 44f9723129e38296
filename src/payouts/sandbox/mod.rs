//! Starting a sandbox over, and filling it with people and payouts to try things out with.
//!
//! A reset deletes: the books are closed as a whole and opened anew, so that they agree with themselves
//! before and after. What was said stays said: events keep their numbers, personal data its record of who
//! looked, and no id is given out twice. Elsewhere than in a sandbox nothing of this does anything.

pub mod http;
mod model;
mod payouts;
mod people;
mod service;
mod store;

pub use model::ResetScope;
pub use payouts::seed as seed_payouts;
pub use people::seed as seed_beneficiaries;
pub use service::reset;
pub use store::STATEMENTS;

use super::Payouts;
use crate::base::failure::{Code, Failure, Result};

/// Stands before everything here: what is deleted or made up must never be real.
fn only_in_sandbox(room: &Payouts) -> Result<()> {
    if room.policy.sandbox { Ok(()) } else { Err(Failure::new(Code::SandboxOnly)) }
}
