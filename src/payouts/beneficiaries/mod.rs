//! Beneficiaries: people and businesses who can be paid.
//!
//! What is personal is sealed, and opened only by the `pii` endpoints, which write down who looked.
//! One person is one beneficiary of a merchant: a keyed fingerprint of the personal data finds the twin.

mod model;
mod pii;
mod store;

pub use model::{
    Beneficiary, BeneficiaryStatus, BeneficiaryType, Change, Filter, Step, short_text,
};
pub use pii::{Address, Business, Individual, Pii};
pub use store::{STATEMENTS, find};
