//! Beneficiaries: masked for everybody, in clear on demand, and every such look written down.

pub mod http;
mod person;
mod service;
mod view;
