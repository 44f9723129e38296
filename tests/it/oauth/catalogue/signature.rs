//! What can be wrong, or only look wrong, about a signature.

use aws_lc_rs::hmac;
use counterfoil::oauth::jose::base64url;

use crate::support::client::ProofKey;

/// The order of P-256, big-endian.
const P256_ORDER: [u8; 32] = *b"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\
       \xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";

/// The order of the base point of Ed25519, little-endian.
const ED25519_ORDER: [u8; 32] =
    *b"\xed\xd3\xf5\x5c\x1a\x63\x12\x58\xd6\x9c\xf7\xa2\xde\xf9\xde\x14\
       \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10";

/// Signs, in the way that the catalogue names.
pub(super) fn sign(how: &str, key: &ProofKey, input: &[u8]) -> String {
    let good = key.signing.sign_bytes(input).unwrap();
    let (r, s) = good.split_at(32);
    let bytes = match how {
        "good" => good,
        "empty" => Vec::new(),
        "der" => der(r, s),
        "one-short" => good[..63].to_vec(),
        "one-long" => [&good[..], &[0]].concat(),
        "r-zero" => [&[0; 32], s].concat(),
        "s-zero" => [r, &[0; 32]].concat(),
        "r-order" => [&P256_ORDER[..], s].concat(),
        "s-order" => [r, &P256_ORDER[..]].concat(),
        "s-over-order" => [r, &[0xff; 32]].concat(),
        "other-half" => [r, &minus(&P256_ORDER, s)[..]].concat(),
        "s-plus-order" => [r, &plus_little_endian(s, &ED25519_ORDER)[..]].concat(),
        "bit-flipped" => {
            let mut bad = good;
            bad[40] ^= 1;
            bad
        }
        "hmac" => {
            // The classic: the public key as the shared secret.
            let secret = serde_json::to_vec(&key.jwk).unwrap();
            let secret = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            hmac::sign(&secret, input).as_ref().to_vec()
        }
        _ => panic!("the catalogue has no signature {how}"),
    };
    base64url::encode(bytes)
}

/// The proof with the other of the two `s` that fit: other bytes, the same meaning.
pub(in crate::oauth) fn other_half(proof: &str) -> String {
    let (input, signature) = proof.rsplit_once('.').unwrap();
    let signature = base64url::decode(signature).unwrap();
    let (r, s) = signature.split_at(32);
    format!("{input}.{}", base64url::encode([r, &minus(&P256_ORDER, s)].concat()))
}

/// `ECDSA-Sig-Value` of RFC 3279, as OpenSSL writes it.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |value: &[u8]| {
        let mut bytes: Vec<u8> = value.iter().copied().skip_while(|byte| *byte == 0).collect();
        if bytes.first().is_none_or(|first| *first >= 0x80) {
            bytes.insert(0, 0);
        }
        [vec![2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    };
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(body.len()).unwrap()], body].concat()
}

fn minus(order: &[u8; 32], s: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut bytes: Vec<u8> = order
        .iter()
        .zip(s)
        .rev()
        .map(|(order, s)| {
            let difference = i16::from(*order) - i16::from(*s) - borrow;
            borrow = i16::from(difference < 0);
            u8::try_from(difference.rem_euclid(256)).unwrap()
        })
        .collect();
    bytes.reverse();
    bytes
}

fn plus_little_endian(s: &[u8], order: &[u8; 32]) -> Vec<u8> {
    let mut carry = 0;
    s.iter()
        .zip(order)
        .map(|(s, order)| {
            let sum = u16::from(*s) + u16::from(*order) + carry;
            carry = sum >> 8;
            u8::try_from(sum & 0xff).unwrap()
        })
        .collect()
}
