//! Where events are sent, how that goes, and what can be done about it.

mod form;
pub mod http;
mod service;
mod shown;
mod view;
