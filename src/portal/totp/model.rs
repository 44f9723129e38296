//! RFC 6238 with what every app on a phone takes: SHA-1, six digits, thirty seconds.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::base::{failure::Result, random::Random, secret::Secret, timestamp::Timestamp};

const SECONDS: i64 = 30;
const DIGITS: usize = 6;
/// RFC 4648 §6, which is what these apps read.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The step of a moment.
pub(super) const fn step_at(now: Timestamp) -> i64 {
    now.unix_seconds().div_euclid(SECONDS)
}

/// The step whose code this is: the current one, or a neighbour for clocks that are a little off. Never
/// `last` or an earlier one: a code that was read over somebody's shoulder has been used.
pub(super) fn fits(secret: &[u8], given: &str, now: Timestamp, last: i64) -> Option<i64> {
    let current = step_at(now);
    let given: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    (current - 1..=current + 1)
        .filter(|step| *step > last)
        .find(|step| code(secret, *step) == given)
}

/// The code of a step.
pub(super) fn code(secret: &[u8], step: i64) -> String {
    let digest = match Hmac::<Sha1>::new_from_slice(secret) {
        Ok(mac) => mac.chain_update(step.to_be_bytes()).finalize().into_bytes(),
        // HMAC takes keys of every length; an empty code fits nothing.
        Err(_) => return String::new(),
    };
    let offset = usize::from(digest.last().copied().unwrap_or(0) & 0xf);
    let word =
        digest.iter().skip(offset).take(4).fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:0DIGITS$}", (word & 0x7fff_ffff) % 1_000_000)
}

/// Bytes as people type them.
pub(super) fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let word = chunk.iter().chain(std::iter::repeat(&0)).take(5);
        let word = word.fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            let digit = usize::try_from(word >> (35 - 5 * place) & 31).unwrap_or(0);
            text.extend(ALPHABET.get(digit).map(|letter| char::from(*letter)));
        }
    }
    text
}

fn grouped(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}

/// What somebody puts into their app.
#[derive(Debug)]
pub struct Enrolment {
    secret: Secret<Vec<u8>>,
    email: String,
}

impl Enrolment {
    pub(super) fn new(secret: Secret<Vec<u8>>, email: &str) -> Self {
        Self { secret, email: email.to_owned() }
    }

    /// For typing.
    pub fn typed(&self) -> String {
        grouped(&base32(self.secret.expose()))
    }

    /// For scanning, as these apps agree on it.
    pub fn address(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        let name: String = self
            .email
            .chars()
            .map(|c| if plain(c) { c.to_string() } else { format!("%{:02X}", u32::from(c)) })
            .collect();
        let secret = base32(self.secret.expose());
        format!("otpauth://totp/Counterfoil:{name}?secret={secret}&issuer=Counterfoil")
    }
}

/// Codes that are shown once.
#[derive(Debug)]
pub struct Recovery(Vec<Secret<String>>);

impl Recovery {
    /// Ten of 80 bits each: too many to guess at any speed.
    pub(super) fn draw(random: &Random) -> Self {
        Self((0..10).map(|_| Secret::new(grouped(&base32(&random.bytes::<10>())))).collect())
    }

    /// To be shown.
    pub fn shown(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|code| code.expose().as_str())
    }

    pub(super) fn hashes(&self, hash: impl Fn(&str) -> Result<String>) -> Result<Vec<String>> {
        self.shown().map(|code| hash(&folded(code))).collect()
    }
}

/// A recovery code as it is compared: without blanks, in one case.
pub(super) fn folded(given: &str) -> String {
    given.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_standard() {
        // RFC 6238, appendix B, cut to six digits.
        let secret = b"12345678901234567890";
        for (seconds, wanted) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(secret, step_at(Timestamp::from_unix_seconds(seconds))), wanted);
        }
    }

    #[test]
    fn a_step_counts_once_and_its_neighbours_count() {
        let now = Timestamp::from_unix_seconds(3_000);
        let code_of = |step| code(b"key", step);
        for step in 99..=101 {
            assert_eq!(fits(b"key", &code_of(step), now, 0), Some(step));
            assert_eq!(fits(b"key", &code_of(step), now, step), None, "used");
        }
        assert_eq!(fits(b"key", &code_of(98), now, 0), None);
        assert_eq!(fits(b"key", &code_of(102), now, 0), None);
        let spaced = code_of(100);
        assert_eq!(fits(b"key", &format!("{} {}", &spaced[..3], &spaced[3..]), now, 0), Some(100));
        assert_eq!(fits(b"key", "", now, 0), None);
    }

    #[test]
    fn base32_is_that_of_the_standard() {
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
        assert_eq!(folded("mzxw 6ytb-oi"), "MZXW6YTBOI");
    }
}
