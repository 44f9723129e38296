//! What the client makes, judged by the server's own checks.

use std::time::Duration;

use counterfoil::{
    base::{random::Random, timestamp::Timestamp},
    client::{About, Prover},
    oauth::{
        dpop::{
            Expected, ExpectedHtu, NonceKeys, NonceRule, NonceSeen, Proof, ProofFault, PublicBase,
            nonce::Side, proof,
        },
        jose::{KeyKind, PublicJwk, PublicKey, TokenHash},
        keys::SigningKey,
    },
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const TOKEN: &str = "header.payload.signature";

fn prover(kind: KeyKind) -> Prover {
    let pem = SigningKey::generate(kind, &Random::seeded(7)).unwrap();
    Prover::new(SigningKey::from_pem(&pem).unwrap())
}

fn about<'a>(token: Option<&'a str>, nonce: Option<&'a str>) -> About<'a> {
    About { method: "POST", htu: "https://pay.example/v1/payouts", token, nonce }
}

/// What the server says to a proof that comes with `POST /v1/payouts?dry=1`.
fn judge(proof: &str, token: Option<&str>, nonces: NonceRule<'_>) -> Result<Proof, ProofFault> {
    let bases = [PublicBase::parse("https://pay.example").unwrap()];
    let htu = ExpectedHtu::new(&bases, "/v1/payouts?dry=1").unwrap();
    let hash = token.map(TokenHash::of);
    let expected = Expected {
        method: "POST",
        htu: &htu,
        now: NOW,
        window: Duration::from_mins(1),
        token_hash: hash.as_ref(),
        nonces,
        forgotten_until: None,
    };
    let read = proof::read(proof.as_bytes(), &expected)?;
    let key = PublicKey::new(PublicJwk::import(read.claimed_key()).unwrap()).unwrap();
    read.verify(&key)
}

#[test]
fn the_server_accepts_what_the_client_signs() {
    let random = Random::seeded(1);
    for kind in [KeyKind::P256, KeyKind::Ed25519] {
        let prover = prover(kind);
        for token in [None, Some(TOKEN)] {
            let proof = prover.prove(&about(token, None), NOW, &random).unwrap();
            let accepted = judge(&proof, token, NonceRule::Off).unwrap();
            assert_eq!(accepted.issued_at, NOW, "{kind:?}");
        }
    }
}

#[test]
fn a_proof_is_good_for_its_token_only() {
    let (prover, random) = (prover(KeyKind::P256), Random::seeded(1));
    let proof = prover.prove(&about(Some("another.token.here"), None), NOW, &random).unwrap();
    assert_eq!(judge(&proof, Some(TOKEN), NonceRule::Off), Err(ProofFault::Ath));
    let proof = prover.prove(&about(None, None), NOW, &random).unwrap();
    assert_eq!(judge(&proof, Some(TOKEN), NonceRule::Off), Err(ProofFault::AthMissing));
}

#[test]
fn each_proof_has_a_jti_of_its_own() {
    let (prover, random) = (prover(KeyKind::Ed25519), Random::seeded(1));
    let jti = || {
        let proof = prover.prove(&about(None, None), NOW, &random).unwrap();
        judge(&proof, None, NonceRule::Off).unwrap().jti
    };
    assert_ne!(jti(), jti());
}

#[test]
fn a_nonce_is_sent_back_as_it_came() {
    let (prover, random) = (prover(KeyKind::P256), Random::seeded(1));
    let keys = NonceKeys::new([3; 32].into(), None);
    let rule = NonceRule::Required(&keys, Side::Resource);
    let nonce = keys.mint(Side::Resource, NOW);
    let proof = prover.prove(&about(Some(TOKEN), Some(&nonce)), NOW, &random).unwrap();
    assert_eq!(judge(&proof, Some(TOKEN), rule).unwrap().nonce, NonceSeen::Current);
    let proof = prover.prove(&about(Some(TOKEN), None), NOW, &random).unwrap();
    assert_eq!(judge(&proof, Some(TOKEN), rule), Err(ProofFault::NonceMissing));
}
