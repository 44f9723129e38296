//! The signing keys on disk and over time.

use std::{path::PathBuf, time::Duration};

use counterfoil::{
    base::{
        clock::{Clock, HandWound},
        failure::Result,
        random::Random,
        secret::Secret,
        timestamp::Timestamp,
    },
    oauth::{
        jose::{Alg, Jkt},
        keys::{LEAD, Protection, Ring, SKEW, Stage},
    },
};

use crate::support::scratch;

const LIFE: Duration = Duration::from_hours(1);

struct Keys {
    dir: PathBuf,
    hands: HandWound,
    clock: Clock,
    random: Random,
}

impl Keys {
    fn new() -> Self {
        let (clock, hands) = Clock::hand_wound(Timestamp::from_unix_seconds(1_800_000_000));
        let dir = scratch::directory("ring");
        Self { dir, hands, clock, random: Random::seeded(1) }
    }

    fn open(&self, protection: Protection, alg: Alg) -> Result<Ring> {
        let (clock, random) = (self.clock.clone(), self.random.clone());
        Ring::open(&self.dir.join("keys"), protection, alg, LIFE, clock, random)
    }

    fn ring(&self) -> Ring {
        self.open(Protection::Plain, Alg::Es256).unwrap()
    }
}

fn kids(ring: &Ring) -> Vec<(String, Stage)> {
    ring.list().unwrap().into_iter().map(|key| (key.kid, key.stage)).collect()
}

fn signs_with(ring: &Ring) -> String {
    ring.refresh().unwrap();
    ring.current().signer().kid().to_string()
}

#[test]
fn the_first_start_makes_a_key_and_the_second_finds_it() {
    let keys = Keys::new();
    let first = signs_with(&keys.ring());
    assert_eq!(signs_with(&keys.ring()), first);
    assert_eq!(kids(&keys.ring()), [(first, Stage::Active)]);
}

#[test]
fn private_keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let keys = Keys::new();
    let kid = signs_with(&keys.ring());
    let folder = keys.dir.join("keys");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join(format!("{kid}.pem"))), 0o600);
}

#[test]
fn a_next_key_is_published_first_signs_later_and_goes_after_its_last_token() {
    let keys = Keys::new();
    let ring = keys.ring();
    let old = signs_with(&ring);
    let next = ring.rotate(false).unwrap().kid;
    ring.refresh().unwrap();
    let published = |kid: &str| {
        let kid: Jkt = kid.parse().unwrap();
        ring.current().verifier(&kid).is_some()
    };
    assert!(published(&next) && published(&old));
    assert_eq!(signs_with(&ring), old);
    keys.hands.advance(LEAD);
    assert_eq!(signs_with(&ring), next);
    assert!(published(&old), "its tokens still live");
    keys.hands.advance(LIFE + SKEW);
    ring.refresh().unwrap();
    assert!(!published(&old));
    assert_eq!(kids(&ring), [(next, Stage::Active)]);
}

#[test]
fn two_operators_who_rotate_together_make_one_key() {
    let keys = Keys::new();
    let (one, other) = (keys.ring(), keys.ring());
    assert_eq!(one.rotate(false).unwrap().kid, other.rotate(false).unwrap().kid);
    assert_eq!(one.list().unwrap().len(), 2);
}

#[test]
fn a_removed_key_verifies_nothing_and_another_takes_over() {
    let keys = Keys::new();
    let ring = keys.ring();
    let stolen = signs_with(&ring);
    let before = ring.generation();
    let other = keys.ring();
    other.remove(&stolen).unwrap();
    let follower = signs_with(&ring);
    assert_ne!(follower, stolen);
    assert!(ring.current().verifier(&stolen.parse().unwrap()).is_none());
    assert!(ring.generation() > before, "tokens verified before are looked at again");
    assert!(!keys.dir.join(format!("keys/{stolen}.pem")).exists());
    assert!(ring.remove(&stolen).is_err());
}

#[test]
fn removing_the_active_key_lets_the_waiting_one_sign_at_once() {
    let keys = Keys::new();
    let ring = keys.ring();
    let stolen = signs_with(&ring);
    let next = ring.rotate(false).unwrap().kid;
    ring.remove(&stolen).unwrap();
    assert_eq!(signs_with(&ring), next);
}

#[test]
fn sealed_keys_open_with_their_key_only() {
    let keys = Keys::new();
    let sealed = |byte| Protection::Sealed(Secret::new([byte; 32]));
    let kid = signs_with(&keys.open(sealed(1), Alg::Ed25519).unwrap());
    assert_eq!(signs_with(&keys.open(sealed(1), Alg::Ed25519).unwrap()), kid);
    assert!(keys.open(sealed(2), Alg::Ed25519).is_err());
    let plain = keys.open(Protection::Plain, Alg::Ed25519).unwrap_err();
    assert!(plain.cause_chain().unwrap().contains("keys.encryption_key"), "{plain:?}");
}

#[test]
fn an_unreadable_folder_leaves_the_last_good_view_in_use() {
    let keys = Keys::new();
    let ring = keys.ring();
    let kid = signs_with(&ring);
    std::fs::write(keys.dir.join("keys/ring.json"), "{").unwrap();
    assert!(ring.refresh().is_err());
    assert_eq!(ring.current().signer().kid().as_str(), kid);
}

#[test]
fn the_jwks_names_each_key_and_holds_nothing_private() {
    for alg in [Alg::Es256, Alg::Ed25519] {
        let keys = Keys::new();
        let ring = keys.open(Protection::Plain, alg).unwrap();
        let view = ring.current();
        let document: serde_json::Value = serde_json::from_slice(view.jwks()).unwrap();
        let key = document["keys"][0].as_object().unwrap();
        assert_eq!(key["kid"], view.signer().kid().as_str());
        assert_eq!((&key["use"], key.contains_key("kty")), (&"sig".into(), true));
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!key.contains_key(private), "{private}");
        }
    }
}
