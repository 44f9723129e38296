//! Check digits: named rules that find a slip of the finger before money goes astray.

use crate::money::Country;

/// A rule that one field must pass besides its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// ISO 13616: the length of its country, and 1 modulo 97 (ISO 7064).
    Iban,
    /// The nine digits of a US routing number, weighed 3, 7, 1.
    AbaRouting,
    /// The eighteen digits of a Mexican CLABE, weighed 3, 7, 1.
    Clabe,
    /// Both blocks of an Argentine CBU, weighed 7, 1, 3, 9 and 3, 9, 7, 1 from the right.
    Cbu,
    /// The digits of a card, by Luhn.
    Luhn,
}

impl Checksum {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iban => "iban_mod97",
            Self::AbaRouting => "aba_mod10",
            Self::Clabe => "clabe_mod10",
            Self::Cbu => "cbu_mod10",
            Self::Luhn => "luhn",
        }
    }

    /// Whether a text of the right form passes.
    pub fn passes(self, text: &str) -> bool {
        match self {
            Self::Iban => iban(text),
            Self::AbaRouting => weighed(text, &[3, 7, 1]) == Some(0),
            Self::Clabe => {
                // Each product counts by its last digit, which changes nothing modulo ten.
                let Some((body, check)) = text.split_at_checked(17) else { return false };
                weighed(body, &[3, 7, 1]).is_some_and(|sum| (10 - sum) % 10 == number(check))
            }
            Self::Cbu => {
                let Some((bank, account)) = text.split_at_checked(8) else { return false };
                weighed(bank, &[7, 1, 3, 9, 7, 1, 3, 1]) == Some(0)
                    && weighed(account, &[3, 9, 7, 1, 3, 9, 7, 1, 3, 9, 7, 1, 3, 1]) == Some(0)
            }
            Self::Luhn => luhn(text),
        }
    }
}

/// How long an IBAN of a country is; nothing where there are none.
pub fn iban_length(country: Country) -> Option<usize> {
    include_str!("ibans.tsv").lines().find_map(|line| {
        let (code, length) = line.split_once('\t')?;
        if code == country.code() { length.parse().ok() } else { None }
    })
}

fn iban(text: &str) -> bool {
    let Some((head, body)) = text.split_at_checked(4) else { return false };
    let country = head.get(..2).and_then(|code| code.parse::<Country>().ok());
    if country.and_then(iban_length) != Some(text.len()) {
        return false;
    }
    let rest = body.chars().chain(head.chars()).try_fold(0_u32, |rest, letter| {
        let value = letter.to_digit(36)?;
        let shift = if value < 10 { 10 } else { 100 };
        Some((rest * shift + value) % 97)
    });
    rest == Some(1)
}

/// The sum of the digits, weighed in turn, modulo ten.
fn weighed(text: &str, weights: &[u32]) -> Option<u32> {
    let digits = text.chars().zip(weights.iter().cycle());
    digits
        .map(|(digit, weight)| Some(digit.to_digit(10)? * weight))
        .sum::<Option<u32>>()
        .map(|sum| sum % 10)
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or(u32::MAX)
}

fn luhn(text: &str) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum = text.chars().rev().enumerate().try_fold(0, |sum, (place, digit)| {
        let digit = digit.to_digit(10)?;
        Some(sum + if place.is_multiple_of(2) { digit } else { doubled(digit) })
    });
    sum.is_some_and(|sum: u32| sum.is_multiple_of(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published samples: the IBAN registry's, the banks' and the card schemes' own.
    const GOOD: &[(Checksum, &str)] = &[
        (Checksum::Iban, "DE89370400440532013000"),
        (Checksum::Iban, "GB29NWBK60161331926819"),
        (Checksum::Iban, "NO9386011117947"),
        (Checksum::Iban, "MT84MALT011000012345MTLCAST001S"),
        (Checksum::AbaRouting, "021000021"),
        (Checksum::AbaRouting, "011401533"),
        (Checksum::Clabe, "032180000118359719"),
        (Checksum::Cbu, "2850590940090418135201"),
        (Checksum::Luhn, "4242424242424242"),
        (Checksum::Luhn, "378282246310005"),
    ];

    #[test]
    fn published_samples_pass_and_any_other_digit_does_not() {
        for (rule, good) in GOOD {
            assert!(rule.passes(good), "{} {good}", rule.as_str());
            for (place, digit) in good.char_indices().filter(|(_, digit)| digit.is_ascii_digit()) {
                let other = char::from_digit((digit.to_digit(10).unwrap() + 1) % 10, 10).unwrap();
                let mut wrong = (*good).to_owned();
                wrong.replace_range(place..=place, &other.to_string());
                assert!(!rule.passes(&wrong), "{} {wrong}", rule.as_str());
            }
        }
        for wrong in ["", "DE", "DE8937040044053201300", "ZZ89370400440532013000", "Ö"] {
            assert!(!Checksum::Iban.passes(wrong), "{wrong}");
        }
    }
}
