//! What can be done to a proof: to its bytes, its letters, its parts, its signature, its texts and
//! their members.

use counterfoil::oauth::jose::{Alg, base64url};
use p256::ecdsa::Signature;

/// Repeatable chance (SplitMix64): cheap, because a million rounds throw it several times each.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64, round: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ round);
        dice.throw();
        dice
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.throw() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.throw().to_le_bytes()[0]
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// The two texts under a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Texts {
    pub(super) header: String,
    pub(super) claims: String,
}

impl Texts {
    pub(super) fn signing_input(&self) -> String {
        format!("{}.{}", base64url::encode(&self.header), base64url::encode(&self.claims))
    }

    /// One of the two, changed.
    fn with(&self, dice: &mut Dice, change: impl FnOnce(&mut Dice, &str) -> String) -> Self {
        let mut texts = self.clone();
        let text = if dice.below(2) == 0 { &mut texts.header } else { &mut texts.claims };
        *text = change(dice, text);
        texts
    }
}

/// One to three bytes flipped, cut out, doubled, put in, swapped, or the rest cut off.
pub(super) fn bytes(dice: &mut Dice, good: &[u8]) -> Vec<u8> {
    const TELLING: &[u8] = b"\"{}[]:,.\\/eE-+0=_ Aaz9\n\t\0\x7f\xff";
    let mut bytes = good.to_vec();
    for _ in 0..=dice.below(3) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = dice.below(bytes.len());
        match dice.below(7) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes[at] = dice.byte(),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, bytes[at]),
            4 => bytes.insert(at, TELLING[dice.below(TELLING.len())]),
            5 => bytes[at] = TELLING[dice.below(TELLING.len())],
            _ => {
                let other = dice.below(bytes.len());
                bytes.swap(at, other);
            }
        }
        if dice.below(50) == 0 {
            bytes.truncate(at);
        }
    }
    bytes
}

/// Other spellings of base64url: padding, the other alphabet, unused bits, white space, other letters.
pub(super) fn letters(dice: &mut Dice, good: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
    let part = &mut parts[dice.below(3)];
    let at = dice.below(part.len());
    let letter = char::from(ALPHABET[dice.below(64)]);
    match dice.below(7) {
        // The last letter has bits that carry nothing in two lengths of three.
        0 => {
            part.pop();
            part.push(letter);
        }
        1 => part.push_str(&"=".repeat(1 + dice.below(3))),
        2 => part.insert_str(at, dice.pick(&[" ", "\n", "\r\n", "\t", "=", "%3D", "\u{e4}"])),
        3 => *part = part.replace('-', "+").replace('_', "/"),
        4 => part.push(letter),
        5 => drop(part.pop()),
        _ => part.replace_range(at..=at, &letter.to_string()),
    }
    parts.join(".")
}

/// Parts left out, doubled, swapped, emptied; two proofs in one; space around them.
pub(super) fn parts(dice: &mut Dice, good: &str) -> String {
    let mut parts: Vec<&str> = good.split('.').collect();
    let (one, other) = (dice.below(3), dice.below(3));
    match dice.below(8) {
        0 => drop(parts.remove(one)),
        1 => parts.insert(one, parts[other]),
        2 => parts.swap(one, other),
        3 => parts[one] = "",
        4 => parts[one] = parts[other],
        5 => return format!("{good}{}{good}", dice.pick(&[",", ", ", " ", ".", ";", "\n"])),
        6 => {
            let space = dice.pick(&[" ", "\t", "\n", "\0", "\"", "DPoP "]);
            return if one == 0 { format!("{space}{good}") } else { format!("{good}{space}") };
        }
        _ => return parts.join(dice.pick(&["..", ",", "", " ", "-", "%2E"])),
    }
    parts.join(".")
}

/// A signature of another form, and whether it is the one that JWS takes for equal: ECDSA with the
/// other `s` (P28). Ed25519 has no such pair.
pub(super) fn signature(dice: &mut Dice, good: &[u8], alg: Alg) -> (Vec<u8>, bool) {
    let (r, s) = good.split_at(32);
    let changed = match dice.below(10) {
        0 => [s, r].concat(),
        1 => [r, &[0; 32]].concat(),
        2 => [&[0; 32], s].concat(),
        3 => [r, &[0xff; 32]].concat(),
        4 => good[..dice.below(64)].to_vec(),
        5 => [good, &good[..=dice.below(64)]].concat(),
        6 => std::array::from_fn::<u8, 64, _>(|_| dice.byte()).to_vec(),
        7 if alg == Alg::Es256 => Signature::from_slice(good).unwrap().to_der().as_bytes().to_vec(),
        8 if alg == Alg::Es256 => {
            let signature = Signature::from_slice(good).unwrap();
            let other = Signature::from_scalars(signature.r(), -signature.s()).unwrap();
            return (other.to_bytes().to_vec(), true);
        }
        _ => bytes(dice, good),
    };
    (changed, false)
}

/// One of the two texts with changed bytes. What is no UTF-8 any more becomes some.
pub(super) fn text(dice: &mut Dice, good: &Texts) -> Texts {
    good.with(dice, |dice, text| {
        String::from_utf8_lossy(&bytes(dice, text.as_bytes())).into_owned()
    })
}

/// Names and values that mean something to some reader of proofs.
const NAMES: &[&str] = &[
    "typ", "alg", "jwk", "crit", "b64", "kid", "jku", "x5c", "enc", "zip", "kty", "crv", "x", "y",
    "d", "k", "n", "e", "use", "key_ops", "jti", "htm", "htu", "iat", "ath", "exp", "nbf", "nonce",
    "iss", "aud", "cnf", "new", "Jti", "HTM", "",
];
const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1e300",
    "1.5",
    "[]",
    "{}",
    "\"\"",
    "\"x\"",
    "[[[[[[[[[[]]]]]]]]]]",
    "\"dpop+jwt\"",
    "\"DPOP+JWT\"",
    "\"application/dpop+jwt\"",
    "\"jwt\"",
    "[\"dpop+jwt\"]",
    "\"ES256\"",
    "\"EdDSA\"",
    "\"Ed25519\"",
    "\"none\"",
    "\"HS256\"",
    "\"RS256\"",
    "[\"ES256\"]",
    "\"POST\"",
    "\"post\"",
    "\"GET\"",
    "\"\\u0050OST\"",
    "[\"POST\"]",
    "1800000000",
    "1800000060",
    "1800000060.000001",
    "1800000061",
    "1799999940",
    "1799999939",
    "1.8e9",
    "18e8",
    "1800000000.999",
    "\"1800000000\"",
    "1800000000000",
    "\"https://pay.example/v1/payouts/a~b\"",
    "\"HTTPS://PAY.example:443/v1/payouts/a~b\"",
    "\"https://pay.example/v1/payouts/a%7eb?x#y\"",
    "\"https://pay.example/v1/x/../payouts/./a~b\"",
    "\"https://pay.example/V1/payouts/a~b\"",
    "\"http://pay.example/v1/payouts/a~b\"",
    "\"https://pay.example:8443/v1/payouts/a~b\"",
    "\"https://pay.example/v1/payouts/a~b/\"",
    "\"https://pay.example//v1/payouts/a~b\"",
    "\"https://pay.example@evil.example/v1/payouts/a~b\"",
    "\"https://pay.example.evil.example/v1/payouts/a~b\"",
    "\"https://evil.example/v1/payouts/a~b\"",
    "\"https:\\/\\/pay.example/v1/payouts/a~b\"",
    "\"/v1/payouts/a~b\"",
    "\"EC\"",
    "\"OKP\"",
    "\"P-256\"",
    "\"P-384\"",
    "\"X25519\"",
    "\"sig\"",
    "\"enc\"",
    "[\"verify\"]",
    "[\"sign\"]",
    "[\"sign\",\"verify\"]",
    "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"",
    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
    "\"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo\"",
    "\"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo=\"",
    "\"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEp\"",
];

type Members = Vec<(String, String)>;

/// Members left out, doubled, renamed, added, given other values, moved, respelled, one to three times.
pub(super) fn members(dice: &mut Dice, good: &Texts) -> Texts {
    good.with(dice, |dice, text| {
        let mut outer = read(text);
        for _ in 0..=dice.below(3) {
            let inner = outer.iter().position(|(_, value)| value.starts_with('{'));
            match inner.filter(|_| dice.below(2) == 0) {
                Some(at) => {
                    let mut inner = read(&outer[at].1);
                    change(dice, &mut inner);
                    outer[at].1 = write(dice, &inner);
                }
                None => change(dice, &mut outer),
            }
        }
        write(dice, &outer)
    })
}

fn change(dice: &mut Dice, members: &mut Members) {
    let (name, value) = (dice.pick(NAMES).to_owned(), dice.pick(VALUES).to_owned());
    if members.is_empty() {
        members.push((name, value));
        return;
    }
    let (at, other) = (dice.below(members.len()), dice.below(members.len()));
    match dice.below(9) {
        0 => drop(members.remove(at)),
        1 => members.insert(at, members[other].clone()),
        2 => members[at].0 = name,
        3 => members[at].1 = value,
        4 => members.insert(at, (name, value)),
        5 => members.swap(at, other),
        6 => members[at].1 = members[other].1.clone(),
        7 => members[at].0 = escaped(&members[at].0),
        _ => {
            let inside = members[at].1.trim_matches('"').to_owned();
            if members[at].1.starts_with('"') && !inside.contains('\\') {
                members[at].1 = format!("\"{}\"", escaped(&inside));
            }
        }
    }
}

/// The same letters for a reader of JSON, the first of them spelled as an escape.
fn escaped(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if first.is_ascii_alphanumeric() => {
            format!("\\u{:04x}{}", u32::from(first), letters.as_str())
        }
        _ => text.to_owned(),
    }
}

fn read(text: &str) -> Members {
    let members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).unwrap_or_default();
    members.into_iter().map(|(name, value)| (name, value.to_string())).collect()
}

fn write(dice: &mut Dice, members: &Members) -> String {
    let space = dice.pick(&["", "", "", " ", "\n\t"]);
    let members = members.iter().map(|(name, value)| format!("{space}\"{name}\":{space}{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
