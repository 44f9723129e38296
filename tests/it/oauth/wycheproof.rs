//! The published Wycheproof vectors: our verifier, the pure-Rust oracle and the vectors' own verdict
//! agree on every one of them.

use counterfoil::oauth::jose::{Alg, JwkFault, PublicJwk, PublicKey, base64url};
use p256::ecdsa::signature::Verifier as _;
use wycheproof::{TestResult, ecdh, ecdsa, eddsa};

/// A registered key from the 65 bytes of an uncompressed point.
fn p256_jwk(point: &[u8]) -> Result<PublicJwk, JwkFault> {
    let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
    let (x, y) = (base64url::encode(x), base64url::encode(y));
    PublicJwk::parse(format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#).as_bytes())
}

fn is_valid(result: TestResult) -> bool {
    match result {
        TestResult::Valid => true,
        TestResult::Invalid => false,
        TestResult::Acceptable => panic!("a vector leaves it open; decide here"),
    }
}

/// The vectors whose signature is `r‖s`, as a JWS has it.
#[test]
fn es256_agrees_on_every_vector() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut seen = [0; 2];
    for group in &set.test_groups {
        let key = PublicKey::new(p256_jwk(&group.key.key).unwrap()).unwrap();
        let oracle = p256::ecdsa::VerifyingKey::from_sec1_bytes(&group.key.key).unwrap();
        for test in &group.tests {
            let valid = is_valid(test.result);
            let ours = key.verify(Alg::Es256, &test.msg, &test.sig).is_ok();
            let theirs = p256::ecdsa::Signature::from_slice(&test.sig)
                .is_ok_and(|signature| oracle.verify(&test.msg, &signature).is_ok());
            assert_eq!((ours, theirs), (valid, valid), "{}: {}", test.tc_id, test.comment);
            seen[usize::from(valid)] += 1;
        }
    }
    assert!(seen[0] > 80 && seen[1] > 150, "{seen:?}");
}

/// The vectors whose signature is DER: as it is it never counts; of what `r` and `s` can be read
/// from, our verifier says what the oracle and the vector say.
#[test]
fn es256_agrees_on_every_vector_that_was_der() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap();
    let mut read = 0;
    for group in &set.test_groups {
        let key = PublicKey::new(p256_jwk(&group.key.key).unwrap()).unwrap();
        let oracle = p256::ecdsa::VerifyingKey::from_sec1_bytes(&group.key.key).unwrap();
        for test in &group.tests {
            assert!(key.verify(Alg::Es256, &test.msg, &test.sig).is_err(), "{}", test.tc_id);
            let Ok(signature) = p256::ecdsa::Signature::from_der(&test.sig) else {
                assert!(!is_valid(test.result), "{}: {}", test.tc_id, test.comment);
                continue;
            };
            let valid = is_valid(test.result);
            let ours = key.verify(Alg::Es256, &test.msg, &signature.to_bytes()).is_ok();
            let theirs = oracle.verify(&test.msg, &signature).is_ok();
            assert_eq!((ours, theirs), (valid, valid), "{}: {}", test.tc_id, test.comment);
            read += 1;
        }
    }
    assert!(read > 190, "{read}");
}

#[test]
fn ed25519_agrees_on_every_vector() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut seen = [0; 2];
    for group in &set.test_groups {
        let x = base64url::encode(&*group.key.pk);
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
        let key = PublicKey::new(PublicJwk::parse(jwk.as_bytes()).unwrap()).unwrap();
        let oracle =
            ed25519_dalek::VerifyingKey::from_bytes(group.key.pk.as_slice().try_into().unwrap())
                .unwrap();
        for test in &group.tests {
            let valid = is_valid(test.result);
            let theirs = ed25519_dalek::Signature::from_slice(&test.sig)
                .is_ok_and(|signature| oracle.verify_strict(&test.msg, &signature).is_ok());
            for alg in [Alg::EdDsa, Alg::Ed25519] {
                let ours = key.verify(alg, &test.msg, &test.sig).is_ok();
                assert_eq!((ours, theirs), (valid, valid), "{}: {}", test.tc_id, test.comment);
            }
            seen[usize::from(valid)] += 1;
        }
    }
    assert!(seen[0] > 60 && seen[1] > 80, "{seen:?}");
}

/// Points of the vectors for key agreement: on the curve, off it, and of other curves.
#[test]
fn points_agree_on_every_vector() {
    let set = ecdh::TestSet::load(ecdh::TestName::EcdhSecp256r1Ecpoint).unwrap();
    let mut seen = [0; 2];
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        // A JWK has both coordinates in full, so a compressed point cannot be written as one.
        if test.public_key.len() != 65 {
            continue;
        }
        let (valid, jwk) = (is_valid(test.result), p256_jwk(&test.public_key));
        assert_eq!(jwk.is_ok(), valid, "{}: {}", test.tc_id, test.comment);
        assert!(jwk.is_err() || PublicKey::new(jwk.unwrap()).is_ok());
        seen[usize::from(valid)] += 1;
    }
    assert!(seen[0] > 10 && seen[1] > 300, "{seen:?}");
}
