//! What somebody must know to pay money in.

use std::collections::BTreeMap;

use crate::{
    config::DepositAccount,
    money::{Country, Currency},
};

/// An account at a bank, of the house or of a play bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coordinates {
    /// What it takes.
    pub currency: Currency,
    /// Where it is.
    pub country: Country,
    /// ISO 13616.
    pub iban: Option<String>,
    /// ISO 9362.
    pub bic: Option<String>,
    /// Where there is no IBAN.
    pub account_number: Option<String>,
    /// British.
    pub sort_code: Option<String>,
    /// The bank.
    pub bank_name: String,
    /// Whose name a sender writes.
    pub holder_name: String,
    /// Codes of national clearing houses, by their names.
    pub routing_codes: BTreeMap<String, String>,
}

impl From<&DepositAccount> for Coordinates {
    fn from(account: &DepositAccount) -> Self {
        let account = account.clone();
        Self {
            currency: account.currency,
            country: account.country,
            iban: account.iban,
            bic: account.bic,
            account_number: account.account_number,
            sort_code: account.sort_code,
            bank_name: account.bank_name,
            holder_name: account.holder_name,
            routing_codes: account.routing_codes.into_iter().collect(),
        }
    }
}
