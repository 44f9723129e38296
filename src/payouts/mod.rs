//! Paying out: what merchants have, to whom it goes, and how it gets there.

pub mod balances;
pub mod beneficiaries;
pub mod events;
pub mod instruments;
mod people;

pub use people::People;

crate::ids! {
    /// Somebody who can be paid.
    BeneficiaryId = "ben_";
    /// A way to pay a beneficiary.
    InstrumentId = "ins_";
    /// An entry in the record of who saw personal data.
    PiiAccessId = "aud_";
}
