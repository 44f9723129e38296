//! Counterfoil, a self-hosted payments server.

pub mod base;
pub mod db;
