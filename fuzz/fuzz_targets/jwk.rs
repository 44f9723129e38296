//! A key somebody wants to register.
#![no_main]

use counterfoil::oauth::jose::{PublicJwk, PublicKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(jwk) = PublicJwk::parse(data) {
        let key = PublicKey::new(jwk).expect("a point that was imported can be prepared");
        assert_eq!(*key.jkt(), jwk.thumbprint());
    }
});
