//! Counterfoil, a self-hosted payments server.
