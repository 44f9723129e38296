//! Who signs in for the merchant, and what they have done.

pub mod http;
mod view;
