//! Instruments: the accounts, cards, wallets and phones through which beneficiaries are paid.
//!
//! Credentials are checked by the rules of their method, sealed, and never come back: what is shown is
//! a mask. They never change either; a new account is a new instrument.

pub mod http;
mod model;
mod service;
mod store;
mod wire;

pub use crate::pricing::reference::{InstrumentMethod, Shown};
pub use model::{Change, Filter, Instrument, InstrumentStatus, SealedCredentials};
pub use service::{
    NewInstrument, Prepared, create, credentials, delete, get, list, list_of, prepare, save,
    update, usable,
};
pub use store::{STATEMENTS, find, find_ever, wipe};
pub use wire::InstrumentBody;
