//! What may be shown of credentials.

use super::{InstrumentMethod, card, iban, rule::Given};

/// Enough to know an account by, too little to use it. No member of the credentials is in here whole,
/// but for the chain of a wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The end of the account.
    pub last4: Option<String>,
    /// The code of its bank.
    pub bank: Option<String>,
    /// The brand of a card, the chain of a wallet.
    pub network: Option<String>,
    /// Such as `DE89****5432`.
    pub masked: Option<String>,
}

impl Shown {
    pub(super) fn of(method: &InstrumentMethod, given: Given<'_>) -> Self {
        let account = given.text(method.account);
        let last = ending(account);
        let head = if method.word == "iban" { account.get(..4).unwrap_or_default() } else { "" };
        Self {
            bank: bank(method.word, given),
            network: network(method.word, given),
            masked: Some(format!("{head}****{last}")),
            last4: Some(last),
        }
    }
}

/// The last four characters, and of a short account no more than its half: otherwise the mask would
/// show it all.
fn ending(account: &str) -> String {
    let length = account.chars().count();
    account.chars().skip(length - (length / 2).min(4)).collect()
}

/// The bank, where the account names it by a part of a field.
fn bank(word: &str, given: Given<'_>) -> Option<String> {
    let start = |field: &str, length: usize| given.text(field).get(..length).map(str::to_owned);
    match word {
        "iban" if given.has("bic") => start("bic", 4),
        "iban" => iban::bank(given.text("iban")),
        "swift" => start("bic", 4),
        "in_bank" => start("ifsc", 4),
        "clabe" => start("clabe", 3),
        "cbu" => start("cbu", 3),
        "cci" => start("cci", 3),
        "nz_bank" => start("account_number", 2),
        _ => None,
    }
}

fn network(word: &str, given: Given<'_>) -> Option<String> {
    match word {
        "card" => card::brand(given.text("pan")).map(str::to_owned),
        "crypto" => Some(given.text("network").to_owned()),
        _ => None,
    }
}
