//! Keys and signatures against p256 and ed25519-dalek as the oracle.

use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::Verifier as _;
use sha2::{Digest, Sha512};

use super::{
    Alg, ClaimedKey, Jkt, JwkFault, KeyKind, PublicJwk, PublicKey, base64url, json::Object,
};
use crate::base::random::Random;

const MESSAGE: &[u8] = b"header.payload";
/// The order of P-256, big-endian, and of Ed25519's prime subgroup, little-endian.
const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const L: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// One key of each kind: how it signs, how its oracle judges, and the key under test.
struct Ec {
    secret: p256::ecdsa::SigningKey,
    key: PublicKey,
}

impl Ec {
    fn new(seed: u8) -> Self {
        let secret = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
        let public = p256::PublicKey::from(secret.verifying_key());
        let key = PublicKey::new(PublicJwk::from_p256(&public).unwrap()).unwrap();
        Self { secret, key }
    }

    fn sign(&self, message: &[u8]) -> p256::ecdsa::Signature {
        use p256::ecdsa::signature::Signer;
        self.secret.sign(message)
    }

    fn oracle(&self, message: &[u8], signature: &[u8]) -> bool {
        p256::ecdsa::Signature::from_slice(signature)
            .is_ok_and(|parsed| self.secret.verifying_key().verify(message, &parsed).is_ok())
    }

    fn ours(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify(Alg::Es256, message, signature).is_ok()
    }
}

struct Ed {
    secret: ed25519_dalek::SigningKey,
    key: PublicKey,
}

impl Ed {
    fn new(seed: u8) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        let jwk = PublicJwk::from_ed25519(&secret.verifying_key()).unwrap();
        Self { secret, key: PublicKey::new(jwk).unwrap() }
    }

    fn oracle(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|parsed| self.secret.verifying_key().verify_strict(message, &parsed).is_ok())
    }

    fn ours(&self, message: &[u8], signature: &[u8]) -> bool {
        let verdict = self.key.verify(Alg::EdDsa, message, signature).is_ok();
        assert_eq!(verdict, self.key.verify(Alg::Ed25519, message, signature).is_ok());
        verdict
    }
}

#[test]
fn ecdsa_edge_cases_agree_with_the_oracle() {
    let ec = Ec::new(7);
    let signature = ec.sign(MESSAGE);
    let good = signature.to_bytes().to_vec();
    let (r, s) = (good[..32].to_vec(), good[32..].to_vec());
    let other_s = p256::ecdsa::Signature::from_scalars(signature.r(), -signature.s()).unwrap();
    let (zero, n, max) = (vec![0; 32], hex(N), vec![0xff; 32]);
    let mut n_minus_1 = n.clone();
    n_minus_1[31] -= 1;
    let join = |r: &[u8], s: &[u8]| [r, s].concat();
    let table: Vec<(&str, Vec<u8>, bool)> = vec![
        ("valid", good.clone(), true),
        ("the other s (P28)", other_s.to_bytes().to_vec(), true),
        ("r = 0", join(&zero, &s), false),
        ("s = 0", join(&r, &zero), false),
        ("both 0", vec![0; 64], false),
        ("r = n", join(&n, &s), false),
        ("s = n", join(&r, &n), false),
        ("s = n - 1", join(&r, &n_minus_1), false),
        ("r = s = n - 1", join(&n_minus_1, &n_minus_1), false),
        ("r beyond n", join(&max, &s), false),
        ("s beyond n", join(&r, &max), false),
        ("r and s swapped", join(&s, &r), false),
        ("DER", signature.to_der().as_bytes().to_vec(), false),
        ("empty", vec![], false),
        ("63 bytes", good[..63].to_vec(), false),
        ("65 bytes", [&good[..], &[0]].concat(), false),
        ("leading zero", [&[0], &good[..]].concat(), false),
        ("128 bytes", [&good[..], &good[..]].concat(), false),
    ];
    for (case, bytes, valid) in table {
        assert_eq!(ec.ours(MESSAGE, &bytes), valid, "{case}");
        assert_eq!(ec.oracle(MESSAGE, &bytes), valid, "oracle: {case}");
    }
    assert!(!ec.ours(b"header.payloae", &good));
    assert!(!Ec::new(8).ours(MESSAGE, &good));
}

#[test]
fn ed25519_edge_cases_agree_with_the_oracle() {
    let ed = Ed::new(7);
    let good = ed.secret.sign(MESSAGE).to_bytes().to_vec();
    let (r, s) = (good[..32].to_vec(), good[32..].to_vec());
    let l = hex(L);
    let join = |r: &[u8], s: &[u8]| [r, s].concat();
    let identity = [&[1], [0; 31].as_slice()].concat();
    // y = p + 1: the identity again, in a spelling that must not count.
    let identity_again = [&[0xee], [0xff; 30].as_slice(), &[0x7f]].concat();
    let table: Vec<(&str, Vec<u8>, bool)> = vec![
        ("valid", good.clone(), true),
        ("s + L (P30)", join(&r, &add(&s, &l)), false),
        ("s = L", join(&r, &l), false),
        ("s = 0", join(&r, &[0; 32]), false),
        ("s all ones", join(&r, &[0xff; 32]), false),
        ("R = 0", join(&[0; 32], &s), false),
        ("R of small order", forged_with_small_r(&ed, &identity), false),
        ("R of small order, other spelling", forged_with_small_r(&ed, &identity_again), false),
        ("empty", vec![], false),
        ("31 bytes", good[..31].to_vec(), false),
        ("63 bytes", good[..63].to_vec(), false),
        ("65 bytes", [&good[..], &[0]].concat(), false),
        ("halves swapped", join(&s, &r), false),
    ];
    for (case, bytes, valid) in table {
        assert_eq!(ed.ours(MESSAGE, &bytes), valid, "{case}");
        assert_eq!(ed.oracle(MESSAGE, &bytes), valid, "oracle: {case}");
    }
    assert!(!ed.ours(b"header.payloae", &good));
    assert!(!Ed::new(8).ours(MESSAGE, &good));
}

/// The sum of two little-endian numbers.
fn add(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut carry = 0_u16;
    let mut sum = Vec::new();
    for (left, right) in left.iter().zip(right) {
        carry += u16::from(*left) + u16::from(*right);
        sum.push(carry.to_le_bytes()[0]);
        carry >>= 8;
    }
    sum
}

/// What a key's owner can make with the nonce zero: R is the identity, s = h·a. It fits the plain
/// equation, so only the strict rule refuses it.
fn forged_with_small_r(ed: &Ed, r: &[u8]) -> Vec<u8> {
    let a = ed.secret.to_scalar();
    let mut hash = Sha512::new();
    hash.update(r);
    hash.update(ed.secret.verifying_key().as_bytes());
    hash.update(MESSAGE);
    let mut s = a;
    s -= a;
    for byte in hash.finalize().iter().rev() {
        for bit in (0..8).rev() {
            s = s + s;
            if byte >> bit & 1 == 1 {
                s += a;
            }
        }
    }
    let signature = [r, &s.to_bytes()].concat();
    if r[0] == 1 {
        let parsed = ed25519_dalek::Signature::from_slice(&signature).unwrap();
        assert!(ed.secret.verifying_key().verify(MESSAGE, &parsed).is_ok(), "the forgery is one");
    }
    signature
}

#[test]
fn mutations_agree_with_the_oracle() {
    let (ec, ed, random) = (Ec::new(21), Ed::new(22), Random::seeded(1));
    let ec_good = ec.sign(MESSAGE).to_bytes().to_vec();
    let edwards_good = ed.secret.sign(MESSAGE).to_bytes().to_vec();
    for round in 0..3_000 {
        let flip = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let place = usize::try_from(random.below(u64::try_from(bytes.len()).unwrap())).unwrap();
            bytes[place] ^= 1 << random.below(8);
            bytes
        };
        let message = if round % 3 == 0 { flip(MESSAGE) } else { MESSAGE.to_vec() };
        let change = |good: &[u8]| match round % 5 {
            0 => good.to_vec(),
            1 => random.bytes::<64>().to_vec(),
            _ => flip(good),
        };
        let (ec_sig, edwards_sig) = (change(&ec_good), change(&edwards_good));
        assert_eq!(ec.ours(&message, &ec_sig), ec.oracle(&message, &ec_sig), "round {round}");
        assert_eq!(
            ed.ours(&message, &edwards_sig),
            ed.oracle(&message, &edwards_sig),
            "round {round}"
        );
    }
}

#[test]
fn the_key_decides_the_algorithm() {
    let (ec, ed) = (Ec::new(3), Ed::new(3));
    let ec_good = ec.sign(MESSAGE).to_bytes().to_vec();
    let edwards_good = ed.secret.sign(MESSAGE).to_bytes();
    assert!(ec.key.verify(Alg::EdDsa, MESSAGE, &ec_good).is_err());
    assert!(ed.key.verify(Alg::Es256, MESSAGE, &edwards_good).is_err());
}

fn jwk(json: &str) -> Result<Jkt, JwkFault> {
    PublicJwk::parse(json.as_bytes()).map(|jwk| jwk.thumbprint())
}

const EC: &str = r#""kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA""#;
const OKP: &str =
    r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

#[test]
fn the_order_and_company_of_members_do_not_matter() {
    let expected = jwk(&format!("{{{EC}}}")).unwrap();
    assert_eq!(expected.as_str(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    for extra in [
        r#","kid":"1","use":"sig","alg":"ES256","key_ops":["verify"],"ext":true"#,
        r#","key_ops":["sign","verify"],"x5c":["AA"],"x5u":"http://x""#,
    ] {
        assert_eq!(jwk(&format!("{{{EC}{extra}}}")), Ok(expected));
    }
    for alg in ["EdDSA", "Ed25519"] {
        let named = jwk(&format!(r#"{{"alg":"{alg}",{OKP}}}"#)).unwrap();
        assert_eq!(named.as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}

#[test]
fn unfit_keys_are_refused() {
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        for key in [EC, OKP, r#""kty":"RSA""#] {
            let json = format!(r#"{{{key},"{private}":null}}"#);
            assert_eq!(jwk(&json), Err(JwkFault::Private), "{private}");
        }
    }
    for (bad, fault) in [
        ("[]".to_owned(), JwkFault::NotAnObject),
        (format!("{{{EC},{EC}}}"), JwkFault::NotAnObject),
        (r#"{"kty":"oct"}"#.to_owned(), JwkFault::Kind),
        (r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.to_owned(), JwkFault::Kind),
        (format!("{{{EC}}}").replace("P-256", "P-384"), JwkFault::Kind),
        (format!("{{{EC}}}").replace("\"EC\"", "\"OKP\""), JwkFault::Kind),
        (format!("{{{OKP}}}").replace("Ed25519", "X25519"), JwkFault::Kind),
        (format!(r#"{{{EC},"alg":"EdDSA"}}"#), JwkFault::Purpose),
        (format!(r#"{{{OKP},"alg":"ES256"}}"#), JwkFault::Purpose),
        (format!(r#"{{{EC},"alg":"ECDH-ES"}}"#), JwkFault::Purpose),
        (format!(r#"{{{EC},"alg":null}}"#), JwkFault::Purpose),
        (format!(r#"{{{EC},"use":"enc"}}"#), JwkFault::Purpose),
        (format!(r#"{{{EC},"use":1}}"#), JwkFault::Purpose),
        (format!(r#"{{{EC},"key_ops":[]}}"#), JwkFault::Purpose),
        (format!(r#"{{{EC},"key_ops":["sign"]}}"#), JwkFault::Purpose),
        (format!(r#"{{{EC},"key_ops":["verify",1]}}"#), JwkFault::Purpose),
        (format!(r#"{{{EC},"key_ops":"verify"}}"#), JwkFault::Purpose),
        (r#"{"kty":"EC","crv":"P-256","x":"AA"}"#.to_owned(), JwkFault::Coordinate),
    ] {
        assert_eq!(jwk(&bad), Err(fault), "{bad}");
    }
}

/// Registers the coordinates as bytes of any length.
fn ec_of(x: &[u8], y: &[u8]) -> Result<Jkt, JwkFault> {
    let (x, y) = (base64url::encode(x), base64url::encode(y));
    jwk(&format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#))
}

fn okp_of(x: &[u8]) -> Result<Jkt, JwkFault> {
    jwk(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url::encode(x)))
}

#[test]
fn points_must_lie_on_the_curve_and_have_their_length() {
    let x = base64url::decode("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs").unwrap();
    let y = base64url::decode("9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA").unwrap();
    assert!(ec_of(&x, &y).is_ok());
    let long = [&[0], &x[..]].concat();
    for (x, y) in [(&x[1..], &y[..]), (&x[..], &y[1..]), (&long[..], &y[..]), (&x[..], &[])] {
        assert_eq!(ec_of(x, y), Err(JwkFault::Coordinate));
    }
    let p = hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    for (x, y) in [(&x, &x), (&y, &x), (&vec![0; 32], &vec![0; 32]), (&p, &y), (&x, &p)] {
        assert_eq!(ec_of(x, y), Err(JwkFault::Point));
    }
    // The last letter of 32 bytes has two unused bits: the same point, another thumbprint.
    let json = format!("{{{EC}}}").replace("AWBFs", "AWBFt");
    assert_eq!(jwk(&json), Err(JwkFault::Coordinate));
}

#[test]
fn weak_and_respelled_ed25519_keys_are_refused() {
    let with = |first: u8, middle: u8, last: u8| {
        let mut bytes = [middle; 32];
        (bytes[0], bytes[31]) = (first, last);
        bytes.to_vec()
    };
    let eighth = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    let other = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    let mut bad = vec![hex(eighth), hex(other)];
    for high in [0, 0x80] {
        bad.extend([with(0, 0, high), with(1, 0, high), with(0xec, 0xff, 0x7f | high)]);
        // y = p … p + 18: canonical encodings end at p - 1.
        bad.extend((0xed..=0xff).map(|first| with(first, 0xff, 0x7f | high)));
    }
    bad.extend([[hex(eighth), hex(other)]].iter().flatten().map(|point| {
        let mut point = point.clone();
        point[31] |= 0x80;
        point
    }));
    for point in bad {
        assert_eq!(okp_of(&point), Err(JwkFault::Point), "{point:02x?}");
    }
    for length in [0, 31, 33, 64] {
        assert_eq!(okp_of(&vec![7; length]), Err(JwkFault::Coordinate), "{length}");
    }
}

#[test]
fn import_agrees_with_the_parser_of_the_hot_path() {
    let random = Random::seeded(5);
    let mut accepted = 0;
    for _ in 0..200 {
        let x = base64url::encode(random.bytes::<32>());
        let json = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
        if let Ok(key) = PublicJwk::parse(json.as_bytes()) {
            assert!(PublicKey::new(key).is_ok());
            accepted += 1;
        }
    }
    assert!((50..150).contains(&accepted), "half of all bytes are points: {accepted}");
}

#[test]
fn a_published_key_has_public_members_only_and_reads_back() {
    for (key, members) in [(Ec::new(9).key, 4), (Ed::new(9).key, 3)] {
        let json = serde_json::to_vec(key.jwk()).unwrap();
        assert_eq!(PublicJwk::parse(&json).as_ref(), Ok(key.jwk()));
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(value.as_object().unwrap().len(), members);
        let object = Object::parse(&json).unwrap();
        let claimed = ClaimedKey::from_object(&object).unwrap();
        assert_eq!(claimed.thumbprint(), *key.jkt());
        assert_eq!(claimed.kind() == KeyKind::P256, members == 4);
    }
}
