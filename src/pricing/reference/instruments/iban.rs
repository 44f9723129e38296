//! International account numbers (ISO 13616) and bank codes (ISO 9362).

use std::{collections::BTreeSet, sync::LazyLock};

use iban::{Iban, ParseIbanError};

use super::rule::Given;
use crate::money::Country;

/// Check digits (modulo 97), length and structure of the country, by the registry of SWIFT as the crate
/// `iban_validate` carries it.
pub(super) fn passes(given: &Given<'_>) -> bool {
    given.text("iban").parse::<Iban>().is_ok()
}

/// The country in which the account is held; nothing for the few that ISO 3166-1 does not know.
pub(super) fn country(iban: &str) -> Option<Country> {
    iban.get(..2)?.parse().ok()
}

/// The bank inside an account number.
pub(super) fn bank(iban: &str) -> Option<String> {
    iban.parse::<Iban>().ok()?.bank_identifier().map(str::to_owned)
}

/// Whether people of this country have accounts with an IBAN.
pub(super) fn serves(country: Country) -> bool {
    static CODES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
        let all = Country::all().into_iter().map(Country::code);
        all.filter(|code| has_structure(code)).collect()
    });
    CODES.contains(issuer(country))
}

/// Whose IBANs are used there: the registry has some territories under the country they belong to.
pub(super) fn issuer(country: Country) -> &'static str {
    match country.code() {
        "BL" | "GF" | "GP" | "MF" | "MQ" | "NC" | "PF" | "PM" | "RE" | "TF" | "WF" | "YT" => "FR",
        "GG" | "IM" | "JE" => "GB",
        "AX" => "FI",
        code => code,
    }
}

/// Asks the crate with a number that has good check digits and the structure of no country: it is
/// refused for its structure where there is one, and for its country elsewhere.
fn has_structure(code: &str) -> bool {
    (2..=98).any(|check| {
        let probe = format!("{code}{check:02}0").parse::<Iban>();
        matches!(probe, Err(ParseIbanError::InvalidBban(_)))
    })
}

/// Four letters for the bank, two for a country that exists, two for the place, three for the branch.
pub(super) fn bic_passes(given: &Given<'_>) -> bool {
    let bic = given.text("bic");
    let letters =
        |part: Option<&str>| part.is_some_and(|part| part.bytes().all(|b| b.is_ascii_uppercase()));
    // Kosovo has bank codes, and no entry in ISO 3166-1.
    let country = bic.get(4..6).is_some_and(|code| code == "XK" || code.parse::<Country>().is_ok());
    [8, 11].contains(&bic.len()) && letters(bic.get(..6)) && country
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_with_ibans_are_those_of_the_registry_and_their_territories() {
        let serves = |code: &str| super::serves(code.parse().unwrap());
        for code in ["DE", "GB", "FR", "RE", "JE", "AX", "BR", "SA", "UA", "NI", "TL"] {
            assert!(serves(code), "{code}");
        }
        for code in ["US", "CA", "AU", "JP", "IN", "ZA", "MX", "CN"] {
            assert!(!serves(code), "{code}");
        }
    }

    #[test]
    fn the_bank_and_the_country_are_read_from_the_number() {
        assert_eq!(bank("DE89370400440532013000").as_deref(), Some("37040044"));
        assert_eq!(country("GB29NWBK60161331926819").unwrap().code(), "GB");
    }
}
