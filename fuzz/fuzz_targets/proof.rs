//! A proof from a stranger, whole and in parts.
#![no_main]

use std::time::Duration;

use counterfoil::{
    base::timestamp::Timestamp,
    oauth::{
        dpop::{Expected, ExpectedHtu, NonceRule, PublicBase, proof},
        jose::{PublicJwk, PublicKey, base64url},
    },
};
use libfuzzer_sys::fuzz_target;

/// The key of the RFC's examples: its private half is not in this program.
const JWK: &[u8] = br#"{"crv":"P-256","kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#;

fuzz_target!(|data: &[u8]| {
    let key = PublicKey::new(PublicJwk::parse(JWK).unwrap()).unwrap();
    let bases = [PublicBase::parse("https://server.example.com").unwrap()];
    let htu = ExpectedHtu::new(&bases, "/token").unwrap();
    let expected = Expected {
        method: "POST",
        htu: &htu,
        // Long after the published examples, which the fuzzer might find.
        now: Timestamp::from_unix_seconds(1_800_000_000),
        window: Duration::from_secs(60),
        token_hash: None,
        nonces: NonceRule::Off,
        forgotten_until: None,
    };
    let judge = |header: &[u8]| {
        let accepted = proof::read(header, &expected).and_then(|proof| proof.verify(&key));
        assert!(accepted.is_err());
    };
    judge(data);
    let mut parts = data.splitn(3, |byte| *byte == 0);
    let mut part = || base64url::encode(parts.next().unwrap_or_default());
    judge(format!("{}.{}.{}", part(), part(), part()).as_bytes());
});
