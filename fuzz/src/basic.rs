//! The credentials of a client.

use counterfoil::oauth::token::basic;

pub(crate) fn run(data: &[u8]) {
    if let Some((client, secret)) = basic(data) {
        assert!(!client.is_empty() && !secret.expose().is_empty());
    }
}
