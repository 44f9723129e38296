//! Counterfoil, a self-hosted payments server.

pub mod base;
pub mod ctx;
pub mod db;
pub mod jobs;
pub mod oauth;
pub mod web;
