//! A key somebody wants to register.

use counterfoil::oauth::jose::{PublicJwk, PublicKey};

pub(crate) fn run(data: &[u8]) {
    if let Ok(jwk) = PublicJwk::parse(data) {
        let key = PublicKey::new(jwk).expect("a point that was imported can be prepared");
        assert_eq!(*key.jkt(), jwk.thumbprint());
    }
}
