//! What the merchant's servers have asked, and what they were told.

pub mod http;
mod view;
