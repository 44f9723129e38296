//! Payouts: money that leaves, one transaction at a time.
//!
//! Making one claims its key, uses its quote, sets the money aside, writes the payout and tells of it,
//! all in one transaction. From there a job carries it: checks, a rail, and whatever the rail says.
//!
//! ```text
//! created ─▶ pending_screening ─▶ approved ─▶ processing ─▶ sent ─▶ completed
//!    │           │  │  └▶ pending_approval, pending_engine_review, manual_review: somebody's word
//!    │           │  └▶ velocity_blocked        │            │  └▶ returned (also after completed)
//!    └▶ cancelled └▶ screening_failed          └▶ failed ◀──┘
//! ```
//!
//! Every step is an append-only row with who took it and why, and an event; every end settles the
//! money that was set aside, once.

mod advance;
mod amounts;
pub mod audit;
pub mod desk;
pub mod http;
mod model;
mod request;
mod service;
mod settle;
mod status;
mod store;
mod wire;

pub use advance::{Advance, decide, decide_before, record};
pub(super) use advance::{hurry, is_first};
pub use amounts::{Amounts, FeeBearer, FixedSide, Priced};
pub use model::{Actor, Decision, Moments, Payout, Railed, Transition};
pub use request::{NewPayout, RawPayout};
pub use service::{
    Filter, cancel, cancel_before, create, find, get, history, list, list_among, timeline,
};
pub use status::PayoutStatus;
pub use store::STATEMENTS;
pub use wire::{PayoutBody, StepBody};
