//! Counterfoil, a self-hosted payments server.

pub mod admin;
pub mod app;
pub mod base;
pub mod client;
pub mod config;
pub mod ctx;
pub mod db;
pub mod events;
pub mod jobs;
pub mod ledger;
pub mod money;
pub mod oauth;
pub mod payouts;
pub mod portal;
pub mod pricing;
pub mod router;
pub mod telemetry;
pub mod vault;
pub mod web;
