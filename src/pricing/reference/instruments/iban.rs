//! International account numbers (ISO 13616) and bank codes (ISO 9362).

use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use super::rule::Given;
use crate::money::Country;

/// The structure of the numbers of one country.
#[derive(Debug)]
struct Structure {
    /// What its numbers begin with: some territories use the code of the country they belong to.
    issuer: &'static str,
    /// How many characters of which kind: `n` digits, `a` capitals, `c` either.
    parts: Vec<(usize, char)>,
    /// Where the bank is named, after the first four characters.
    bank: Range<usize>,
}

/// By country, from SWIFT's registry.
static STRUCTURES: LazyLock<BTreeMap<&'static str, Structure>> = LazyLock::new(|| {
    let lines = include_str!("ibans.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(structure).collect()
});

fn structure(line: &'static str) -> Option<(&'static str, Structure)> {
    let mut columns = line.split('\t');
    let (code, issuer) = (columns.next()?, columns.next()?);
    let parts = columns.next()?.split_inclusive(|c: char| c.is_ascii_alphabetic());
    let part = |text: &str| {
        let (count, kind) = text.split_at_checked(text.len().checked_sub(1)?)?;
        Some((count.parse().ok()?, kind.chars().next()?))
    };
    let parts = parts.map(part).collect::<Option<Vec<_>>>()?;
    let (start, end) = columns.next()?.split_once('-')?;
    Some((code, Structure { issuer, parts, bank: start.parse().ok()?..end.parse().ok()? }))
}

impl Structure {
    fn fits(&self, body: &str) -> bool {
        let mut rest = body;
        self.parts.iter().all(|(count, kind)| {
            let Some((part, after)) = rest.split_at_checked(*count) else { return false };
            rest = after;
            part.bytes().all(|b| match kind {
                'n' => b.is_ascii_digit(),
                'a' => b.is_ascii_uppercase(),
                _ => b.is_ascii_digit() || b.is_ascii_uppercase(),
            })
        }) && rest.is_empty()
    }
}

/// Check digits (1 modulo 97, ISO 7064), length and structure of the country.
pub(super) fn passes(given: &Given<'_>) -> bool {
    let iban = given.text("iban");
    let (Some(code), Some(check), Some(body)) = (iban.get(..2), iban.get(2..4), iban.get(4..))
    else {
        return false;
    };
    let known = STRUCTURES.get(code).filter(|structure| structure.issuer == code);
    // 00, 01 and 99 are what 97, 98 and 02 would be: no bank gives them out.
    let given_out = check.parse().is_ok_and(|check: u8| (2..=98).contains(&check));
    given_out && known.is_some_and(|structure| structure.fits(body)) && rest_is_one(iban, body)
}

fn rest_is_one(iban: &str, body: &str) -> bool {
    let head = iban.chars().take(4);
    let rest = body.chars().chain(head).try_fold(0_u32, |rest, letter| {
        let value = letter.to_digit(36)?;
        let shift = if value < 10 { 10 } else { 100 };
        Some((rest * shift + value) % 97)
    });
    rest == Some(1)
}

/// The country in which the account is held; nothing for the few that ISO 3166-1 does not know.
pub(super) fn country(iban: &str) -> Option<Country> {
    iban.get(..2)?.parse().ok()
}

/// The bank inside an account number.
pub(super) fn bank(iban: &str) -> Option<String> {
    let structure = STRUCTURES.get(iban.get(..2)?)?;
    let bank = iban.get(4..)?.get(structure.bank.clone())?;
    (!bank.is_empty()).then(|| bank.to_owned())
}

/// Whether people of this country have accounts with an IBAN.
pub(super) fn serves(country: Country) -> bool {
    STRUCTURES.contains_key(country.code())
}

/// What the numbers of a country begin with.
pub(super) fn issuer(country: Country) -> &'static str {
    STRUCTURES.get(country.code()).map_or(country.code(), |structure| structure.issuer)
}

/// Four letters for the bank, two for a country that exists, two for the place, three for the branch.
pub(super) fn bic_passes(given: &Given<'_>) -> bool {
    let bic = given.text("bic");
    let letters = bic.get(..6).is_some_and(|six| six.bytes().all(|b| b.is_ascii_uppercase()));
    // Kosovo has bank codes, and no entry in ISO 3166-1.
    let country = bic.get(4..6).is_some_and(|code| code == "XK" || code.parse::<Country>().is_ok());
    [8, 11].contains(&bic.len()) && letters && country
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_with_ibans_are_those_of_the_registry_and_their_territories() {
        assert!(STRUCTURES.len() > 100, "a line of the table was not understood");
        let serves = |code: &str| super::serves(code.parse().unwrap());
        for code in ["DE", "GB", "FR", "RE", "JE", "AX", "BR", "SA", "UA", "NI", "PK", "HN"] {
            assert!(serves(code), "{code}");
        }
        for code in ["US", "CA", "AU", "JP", "IN", "ZA", "MX", "CN"] {
            assert!(!serves(code), "{code}");
        }
        assert_eq!(issuer("RE".parse().unwrap()), "FR");
    }

    /// Another reading of the same registry, by other people.
    #[test]
    fn structures_agree_with_another_crate() {
        let letter = |kind: char| if kind == 'n' { "1" } else { "A" };
        let checked = STRUCTURES.iter().filter(|(code, known)| {
            // It lacks Pakistan, Honduras and the letters in Brazil's newer numbers, and has no
            // territories.
            *code == &known.issuer && !["PK", "HN", "BR"].contains(code)
        });
        let mut count = 0;
        for (code, known) in checked {
            let body: String =
                known.parts.iter().map(|(count, kind)| letter(*kind).repeat(*count)).collect();
            let good = (2..=98).map(|check| format!("{code}{check:02}{body}"));
            let good = good.filter(|iban| rest_is_one(iban, &body)).collect::<Vec<_>>();
            assert_eq!(good.len(), 1, "{code}");
            assert!(good[0].parse::<iban::Iban>().is_ok(), "{}", good[0]);
            count += 1;
        }
        assert!(count > 80, "{count}");
    }

    #[test]
    fn the_bank_and_the_country_are_read_from_the_number() {
        assert_eq!(bank("DE89370400440532013000").as_deref(), Some("37040044"));
        assert_eq!(country("GB29NWBK60161331926819").unwrap().code(), "GB");
    }
}
