//! Reference data: the currencies and countries there are, and the corridors that plans open.
//!
//! Currencies and countries come from kept crates (ISO 4217, ISO 3166-1); corridors from the plans
//! in force, because a corridor is enabled exactly when a plan prices it. How beneficiaries are paid
//! stands in one table, which is shown as JSON Schema and checks the instruments themselves.

pub mod http;
mod instruments;
mod model;

pub use instruments::{
    Accepted, CredentialFault, Field, Form, InstrumentMethod, METHODS, Rule, Shown,
};
pub use model::{Corridor, CountryFacts, corridors, countries};
