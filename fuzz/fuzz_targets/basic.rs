//! The credentials of a client.
#![no_main]

use counterfoil::oauth::token::basic;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some((client, secret)) = basic(data) {
        assert!(!client.is_empty() && !secret.expose().is_empty());
    }
});
