//! The accounts at banks into which merchants pay, each written in one line.

use crate::base::mod97;
use crate::config::values::{Parsed, Raw, text};
use crate::money::{Country, Currency};

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositAccount {
    /// What it takes.
    pub currency: Currency,
    /// Where it is.
    pub country: Country,
    /// The bank.
    pub bank_name: String,
    /// Whose it is.
    pub holder_name: String,
    /// ISO 13616.
    pub iban: Option<String>,
    /// ISO 9362.
    pub bic: Option<String>,
    /// Where there is no IBAN.
    pub account_number: Option<String>,
    /// British.
    pub sort_code: Option<String>,
    /// Codes of national clearing houses, by their names.
    pub routing_codes: Vec<(String, String)>,
}

/// Reads `"EUR; country=DE; bank_name=…; holder_name=…; iban=…; bic=…"`. An account number is checked as
/// far as it can be: money that goes astray by a slip here is a merchant's.
pub(super) fn deposit_account(raw: &Raw) -> Parsed<DepositAccount> {
    const WANTED: &str = "an account such as \"EUR; country=DE; bank_name=Example Bank; \
        holder_name=Example Ltd; iban=DE89370400440532013000; bic=COBADEFFXXX\", with iban or \
        account_number, and bic, sort_code and other national codes by their names if there are any";
    read(&text(raw)?).ok_or_else(|| WANTED.to_owned())
}

fn read(line: &str) -> Option<DepositAccount> {
    let mut parts = line.split(';').map(str::trim);
    let currency = parts.next()?.parse().ok()?;
    let mut named = Vec::new();
    for part in parts {
        let (name, value) = part.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let is_new = !named.iter().any(|(known, _)| known == name);
        if name.is_empty() || value.is_empty() || !is_new {
            return None;
        }
        named.push((name.to_owned(), value.to_owned()));
    }
    let mut take = |name: &str| {
        let place = named.iter().position(|(known, _)| known == name)?;
        Some(named.remove(place).1)
    };
    let account = DepositAccount {
        currency,
        country: take("country")?.parse().ok()?,
        bank_name: take("bank_name")?,
        holder_name: take("holder_name")?,
        iban: take("iban"),
        bic: take("bic"),
        account_number: take("account_number"),
        sort_code: take("sort_code"),
        routing_codes: named,
    };
    let is_complete = account.iban.is_some() || account.account_number.is_some();
    let is_right = account.iban.iter().all(|iban| mod97::is_iban(iban));
    (is_complete && is_right).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_whole_or_refused() {
        let good = "EUR; country=DE; bank_name=Example Bank; holder_name=A = B Ltd; \
                    iban=DE89370400440532013000; blz=37040044";
        let account = read(good).unwrap();
        assert_eq!(account.holder_name, "A = B Ltd");
        assert_eq!(account.routing_codes, [("blz".to_owned(), "37040044".to_owned())]);
        for wrong in [
            good.replace("3000;", "3001;"),
            good.replace("iban=", "ibna="),
            good.replace("country=DE; ", ""),
            good.replace("country=DE", "country=DE; country=FR"),
            good.replace("EUR", "EURO"),
            "EUR".to_owned(),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }
}
