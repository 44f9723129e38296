//! The first page: what there is, and what to do next.

pub mod http;
mod view;
