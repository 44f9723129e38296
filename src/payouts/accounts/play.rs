//! Coordinates of a bank that does not exist, for merchants that try things out.

use sha2::{Digest, Sha256};

use super::Coordinates;
use crate::{
    base::{ids::MerchantId, mod97},
    money::{Country, Currency, CurrencyKind},
};

/// No bank has these codes: money that is sent here by mistake comes back.
const GERMAN_BANK: &str = "99999999";
const BRITISH_BANK: &str = "PLAY";
const BRITISH_SORT_CODE: &str = "000000";
/// Its check digit is right, its institution is none.
const US_ROUTING: &str = "019999995";

/// Always the same for a merchant and a currency, with right check digits; none for coins.
pub fn coordinates(merchant: MerchantId, currency: Currency, holder: &str) -> Option<Coordinates> {
    if currency.kind() != CurrencyKind::Fiat {
        return None;
    }
    let number = number(merchant, currency);
    let start = |country: &str| -> Option<Coordinates> {
        Some(Coordinates {
            currency,
            country: country.parse::<Country>().ok()?,
            iban: None,
            bic: None,
            account_number: None,
            sort_code: None,
            bank_name: "Play Bank (sandbox)".to_owned(),
            holder_name: holder.to_owned(),
            routing_codes: std::collections::BTreeMap::new(),
        })
    };
    let code = |name: &str, code: &str| [(name.to_owned(), code.to_owned())].into();
    match currency.code() {
        "USD" => Some(Coordinates {
            account_number: Some(format!("{number:010}")),
            bic: Some("PLAYUS33XXX".to_owned()),
            routing_codes: code("aba", US_ROUTING),
            ..start("US")?
        }),
        "GBP" => {
            let account = format!("{:08}", number % 100_000_000);
            Some(Coordinates {
                iban: mod97::iban("GB", &format!("{BRITISH_BANK}{BRITISH_SORT_CODE}{account}")),
                bic: Some("PLAYGB2LXXX".to_owned()),
                account_number: Some(account),
                sort_code: Some(BRITISH_SORT_CODE.to_owned()),
                routing_codes: code("sort_code", BRITISH_SORT_CODE),
                ..start("GB")?
            })
        }
        _ => Some(Coordinates {
            iban: mod97::iban("DE", &format!("{GERMAN_BANK}{number:010}")),
            bic: Some("PLAYDEFFXXX".to_owned()),
            routing_codes: code("blz", GERMAN_BANK),
            ..start("DE")?
        }),
    }
}

/// Ten digits that follow from whose account it is.
fn number(merchant: MerchantId, currency: Currency) -> u64 {
    let digest = Sha256::new()
        .chain_update("counterfoil play account")
        .chain_update(merchant.to_string())
        .chain_update(currency.code())
        .finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)) % 10_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{clock::Clock, random::Random};

    #[test]
    fn check_digits_are_right_and_nobody_shares_an_account() {
        let random = Random::seeded(1);
        let merchants = [0, 1].map(|_| MerchantId::make(&Clock::system(), &random));
        for currency in Currency::all() {
            let [one, other] = merchants.map(|id| coordinates(id, currency, "Shop"));
            assert_eq!(one, coordinates(merchants[0], currency, "Shop"));
            let Some(one) = one else {
                assert_ne!(currency.kind(), CurrencyKind::Fiat, "{currency}");
                continue;
            };
            assert_ne!(Some(&one), other.as_ref(), "{currency}");
            assert!(one.iban.iter().all(|iban| mod97::is_iban(iban)), "{currency}");
            assert!(one.iban.is_some() || one.account_number.is_some());
        }
        let weights = [3, 7, 1].into_iter().cycle();
        let digits = US_ROUTING.chars().filter_map(|digit| digit.to_digit(10));
        assert_eq!(digits.zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % 10, 0);
    }
}
