//! What payments cost: the plans, the rule among them, the rates, and a price to try.

pub mod http;
mod view;
mod words;
