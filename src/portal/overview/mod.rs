//! The first page: what there is, and what to do next.

mod charts;
mod figures;
pub mod http;
mod view;
