//! Quotes: what was promised, why it came to that, and who has used it.

pub mod http;
mod view;
