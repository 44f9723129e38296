//! A proof from a stranger, whole and in parts.

use std::{sync::LazyLock, time::Duration};

use counterfoil::{
    base::timestamp::Timestamp,
    oauth::{
        dpop::{Expected, ExpectedHtu, NonceRule, PublicBase, proof},
        jose::{PublicJwk, PublicKey, base64url},
    },
};

/// The key of the RFC's examples: its private half is not in this program.
static KEY: LazyLock<PublicKey> = LazyLock::new(|| {
    const JWK: &[u8] = br#"{"crv":"P-256","kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#;
    PublicKey::new(PublicJwk::parse(JWK).unwrap()).unwrap()
});

pub(crate) fn run(data: &[u8]) {
    let bases = [PublicBase::parse("https://server.example.com").unwrap()];
    let htu = ExpectedHtu::new(&bases, "/token").unwrap();
    let expected = Expected {
        method: "POST",
        htu: &htu,
        // Long after the published examples, which the fuzzer might find.
        now: Timestamp::from_unix_seconds(1_800_000_000),
        window: Duration::from_mins(1),
        token_hash: None,
        nonces: NonceRule::Off,
        forgotten_until: None,
    };
    let judge = |header: &[u8]| {
        let accepted = proof::read(header, &expected).and_then(|proof| proof.verify(&KEY));
        assert!(accepted.is_err());
    };
    judge(data);
    let mut parts = data.splitn(3, |byte| *byte == 0);
    let mut part = || base64url::encode(parts.next().unwrap_or_default());
    judge(format!("{}.{}.{}", part(), part(), part()).as_bytes());
}
