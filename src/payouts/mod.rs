//! Paying out: what merchants have, to whom it goes, and how it gets there.

pub mod accounts;
pub mod balances;
pub mod beneficiaries;
pub mod checks;
pub mod days;
pub mod events;
pub mod funding;
pub mod idempotency;
pub mod instruments;
pub mod limits;
pub mod payout;
mod people;
pub mod rails;
pub mod receipts;
mod room;
pub mod sandbox;

pub use people::People;
pub use room::{Parts, Payouts, Policy};

crate::ids! {
    /// Somebody who can be paid.
    BeneficiaryId = "ben_";
    /// A way to pay a beneficiary.
    InstrumentId = "ins_";
    /// Money on its way to somebody.
    PayoutId = "pay_";
    /// Money that came in.
    DepositId = "dep_";
    /// An entry in the record of who saw personal data.
    PiiAccessId = "aud_";
}
