//! Fee plans: what the house charges for which payment.
//!
//! A plan never changes; a new version of it does, from a moment on. Plans come from files that an
//! operator imports ([`file`](read)), are compared with what there is ([`compare`]) and chosen by a
//! written precedence ([`RULES`]).

mod book;
mod diff;
mod file;
pub mod http;
mod model;
mod reader;
mod service;
mod store;
mod terms;

pub use book::{Considered, PlanBook};
pub use diff::{Change, ChangeKind, FieldChange, compare};
pub use file::{Draft, Format, read, read_stored};
pub use model::{Candidate, Covers, Lost, Payment, Plan, PlanVersion, RULES};
pub use service::{LEAD, Plans, drafts, ensure_sandbox, import, preview};
pub use store::STATEMENTS;
pub use terms::{
    FeeCurrency, FeeRule, Percent, PercentError, Terms, Tier, TierBasis, TierMode, Tiers,
};

/// The plans of a fresh sandbox, in the same shape as an operator's own.
pub const SANDBOX: &str = include_str!("sandbox.toml");
