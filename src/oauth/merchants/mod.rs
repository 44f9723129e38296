//! Merchants: the tenants that own everything else.

mod model;
mod service;
mod store;

pub use model::{Merchant, MerchantStatus, NewMerchant};
pub use service::{add, create, find, resume, suspend};
pub use store::STATEMENTS;
