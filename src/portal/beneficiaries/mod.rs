//! Beneficiaries: masked for everybody, in clear on demand, and every such look written down.

pub(super) mod filter;
pub mod http;
mod person;
mod service;
mod view;
