//! Reference data: the currencies and countries there are, and the corridors that plans open.
//!
//! Currencies and countries come from kept crates (ISO 4217, ISO 3166-1); corridors from the plans
//! in force, because a corridor is enabled exactly when a plan prices it.

pub mod http;
mod model;

pub use model::{Corridor, CountryFacts, corridors, countries};
