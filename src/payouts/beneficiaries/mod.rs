//! Beneficiaries: people and businesses who can be paid.
//!
//! What is personal is sealed, and opened only by the `pii` endpoints, which write down who looked.
//! One person is one beneficiary of a merchant: a keyed fingerprint of the personal data finds the twin.

pub mod http;
mod model;
mod pii;
mod privacy;
mod read;
mod seed;
mod service;
mod store;
mod wire;

pub use model::{
    Beneficiary, BeneficiaryStatus, BeneficiaryType, Change, Filter, STATUSES, Step, short_text,
};
pub use pii::{Address, Business, Individual, Pii};
pub use privacy::{
    Reader, disclose, read as read_pii, read_before as read_pii_before, replace as replace_pii,
};
pub use seed::seed;
pub(super) use service::to_change;
pub use service::{
    NewBeneficiary, Prepared, create, delete, get, list, list_among, operate, prepare, save, step,
    update,
};
pub use store::{STATEMENTS, find, find_ever, names, wipe};
pub use wire::{BeneficiaryBody, PiiBody};
