//! A million changed proofs, judged by the check itself: no HTTP, so there is time for a million.
//!
//! What is accepted must be a proof of the same thing: the very bytes that were signed, the other `s`
//! of an ECDSA signature, or, where the caller signed the changed text anew, a text that means the
//! same to a second reader ([`meaning`]). A panic fails the test by itself.
//!
//! `COUNTERFOIL_MUTATION_SEED` chooses other changes; a failure names its seed and round.

mod changes;
mod meaning;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use counterfoil::{
    base::{random::Random, timestamp::Timestamp},
    oauth::{
        dpop::{Expected, ExpectedHtu, NonceRule, Proof, ProofFault, PublicBase, proof},
        jose::{KeyKind, TokenHash, base64url},
    },
};

use crate::support::client::ProofKey;
use changes::{Dice, Texts};
use meaning::Wanted;

const ROUNDS: u64 = 1_000_000;
/// Each batch has dice of its own, so that nothing depends on how many threads there are.
const BATCH: u64 = 10_000;

const NOW: i64 = 1_800_000_000;
const METHOD: &str = "POST";
const BASE: &str = "https://pay.example";
const PATH: &str = "/v1/payouts/a~b";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

/// A good proof, in all its forms.
struct Good {
    key: ProofKey,
    texts: Texts,
    signature: Vec<u8>,
    proof: String,
}

impl Good {
    fn new(kind: KeyKind) -> Self {
        let key = ProofKey::make(&Random::seeded(11), kind);
        let jwk = serde_json::to_string(&key.jwk).unwrap();
        let (alg, ath) = (key.signing.alg().name(), TokenHash::of(TOKEN));
        let texts = Texts {
            header: format!(r#"{{"typ":"dpop+jwt","alg":"{alg}","jwk":{jwk}}}"#),
            claims: format!(
                r#"{{"jti":"b7c1f6de","htm":"{METHOD}","htu":"{BASE}{PATH}","iat":{NOW},"ath":"{ath}"}}"#
            ),
        };
        let input = texts.signing_input();
        let signature = key.signing.sign_bytes(input.as_bytes()).unwrap();
        let proof = format!("{input}.{}", base64url::encode(&signature));
        Self { key, texts, signature, proof }
    }

    fn wanted(&self) -> Wanted<'_> {
        let jwk = serde_json::to_value(self.key.jwk).unwrap();
        let ath = TokenHash::of(TOKEN).to_string();
        Wanted {
            alg: self.key.signing.alg(),
            jwk,
            method: METHOD,
            base: BASE,
            path: PATH,
            now: NOW,
            ath,
        }
    }

    fn judge(&self, proof: &[u8], expected: &Expected<'_>) -> Result<Proof, ProofFault> {
        let unverified = proof::read(proof, expected)?;
        unverified.must_be_bound_to(&self.key.jkt)?;
        unverified.verify(self.key.signing.public())
    }

    /// Judges texts that the key's owner has signed, without the price of a signature for those that
    /// are refused before it is looked at.
    fn judge_signed(&self, texts: &Texts, expected: &Expected<'_>) -> Result<Proof, ProofFault> {
        let input = texts.signing_input();
        let stale = format!("{input}.{}", base64url::encode(&self.signature));
        drop(proof::read(stale.as_bytes(), expected)?);
        let signature = self.key.signing.sign_bytes(input.as_bytes()).unwrap();
        self.judge(format!("{input}.{}", base64url::encode(signature)).as_bytes(), expected)
    }
}

/// How many were accepted: as they were, with the other `s`, and signed anew with the same meaning.
#[derive(Debug, Default)]
struct Accepted {
    unchanged: AtomicU64,
    other_s: AtomicU64,
    signed_anew: AtomicU64,
}

fn round(good: &Good, expected: &Expected<'_>, dice: &mut Dice, accepted: &Accepted) {
    let sent = |proof: &[u8]| {
        let same = proof == good.proof.as_bytes();
        let verdict = good.judge(proof, expected);
        assert_eq!(verdict.is_ok(), same, "{verdict:?}: {}", proof.escape_ascii());
        accepted.unchanged.fetch_add(u64::from(same), Ordering::Relaxed);
    };
    match dice.below(8) {
        0 => sent(&changes::bytes(dice, good.proof.as_bytes())),
        1 => sent(changes::letters(dice, &good.proof).as_bytes()),
        2 => sent(changes::parts(dice, &good.proof).as_bytes()),
        3 => {
            let (signature, means_the_same) =
                changes::signature(dice, &good.signature, good.key.signing.alg());
            let input = good.texts.signing_input();
            let proof = format!("{input}.{}", base64url::encode(&signature));
            let same = signature == good.signature;
            let verdict = good.judge(proof.as_bytes(), expected);
            assert_eq!(verdict.is_ok(), same || means_the_same, "{signature:02x?}");
            accepted.other_s.fetch_add(u64::from(means_the_same), Ordering::Relaxed);
        }
        kind => {
            let texts = if kind < 6 {
                changes::text(dice, &good.texts)
            } else {
                changes::members(dice, &good.texts)
            };
            sent(
                format!("{}.{}", texts.signing_input(), base64url::encode(&good.signature))
                    .as_bytes(),
            );
            let Ok(proof) = good.judge_signed(&texts, expected) else { return };
            let fits = meaning::fits(&texts, &good.wanted(), &proof);
            assert_eq!(fits, Ok(()), "{}\n{}", texts.header, texts.claims);
            accepted.signed_anew.fetch_add(u64::from(texts != good.texts), Ordering::Relaxed);
        }
    }
}

fn batch(seed: u64, number: u64, goods: &[Good], accepted: &Accepted) {
    let bases = [PublicBase::parse(BASE).unwrap()];
    let (htu, token_hash) = (ExpectedHtu::new(&bases, PATH).unwrap(), TokenHash::of(TOKEN));
    let expected = Expected {
        method: METHOD,
        htu: &htu,
        now: Timestamp::from_unix_seconds(NOW),
        window: Duration::from_mins(1),
        token_hash: Some(&token_hash),
        nonces: NonceRule::Off,
        forgotten_until: None,
    };
    for at in number * BATCH..(number + 1) * BATCH {
        let good = &goods[usize::try_from(at).unwrap() % goods.len()];
        let tell = Tell { seed, round: at };
        round(good, &expected, &mut Dice::new(seed, at), accepted);
        drop(tell);
    }
}

/// Says where it was when a round fails or panics.
struct Tell {
    seed: u64,
    round: u64,
}

impl Drop for Tell {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!(self.seed, self.round, "A changed proof was misjudged.");
        }
    }
}

#[test]
fn a_million_changed_proofs_prove_nothing() {
    #[expect(clippy::disallowed_methods, reason = "an option of the test, not of the server")]
    let seed = std::env::var("COUNTERFOIL_MUTATION_SEED").map_or(1, |seed| seed.parse().unwrap());
    let goods = [KeyKind::P256, KeyKind::Ed25519].map(Good::new);
    let (next, accepted) = (AtomicU64::new(0), Accepted::default());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= ROUNDS / BATCH {
                return;
            }
            batch(seed, number, &goods, &accepted);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    // Every kind of acceptance was met, so the judgement of it was, too.
    let counts = [&accepted.unchanged, &accepted.other_s, &accepted.signed_anew];
    let counts = counts.map(|count| count.load(Ordering::Relaxed));
    assert!(counts.iter().all(|count| *count > 1_000), "seed {seed}: {counts:?}");
}
