//! Which instruments a delivery method can reach.

use crate::{pricing::Method, words};

words! {
    /// What kind of rail a payout needs.
    RailType {
        /// Of banks.
        Fiat = "fiat",
        /// Of a chain.
        Crypto = "crypto",
        /// Of a token that promises a state's money.
        Stablecoin = "stablecoin",
    }
}

impl RailType {
    /// The kind that a method needs.
    pub const fn of(method: Method) -> Self {
        match method {
            Method::Crypto | Method::Layer2 | Method::Exchange => Self::Crypto,
            Method::Stablecoin => Self::Stablecoin,
            _ => Self::Fiat,
        }
    }
}

/// Accounts at banks.
const BANKS: &[&str] = &[
    "iban", "uk_bank", "us_bank", "ca_bank", "au_bank", "nz_bank", "jp_bank", "in_bank", "za_bank",
    "ng_bank", "ph_bank", "cl_bank", "co_bank", "swift", "clabe", "cbu", "cci",
];

/// Names that stand for an account: a phone, an address, a number.
const PROXIES: &[&str] =
    &["pix", "upi", "interac", "paynow", "fps_hk", "promptpay", "mobile_money"];

/// Whether a method delivers to an instrument of this kind.
pub fn reaches(method: Method, instrument: &str) -> bool {
    let is = |kinds: &[&str]| kinds.contains(&instrument);
    match method {
        // The house chooses the rail, so whatever a bank can reach will do.
        Method::BankTransfer => is(BANKS) || is(PROXIES) || is(&["card"]),
        Method::Wire => is(BANKS),
        Method::Sepa => is(&["iban"]),
        Method::Swift => is(&["swift", "iban"]),
        Method::Ach => is(&["us_bank"]),
        Method::FasterPayment => is(&["uk_bank"]),
        Method::MobileMoney => is(&["mobile_money"]),
        Method::Wallet => is(PROXIES) || is(&["card"]),
        Method::Crypto | Method::Layer2 | Method::Exchange | Method::Stablecoin => is(&["crypto"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_reaches_something_and_no_bank_pays_to_a_chain() {
        for method in Method::ALL {
            let all = BANKS.iter().chain(PROXIES).chain(&["card", "crypto"]);
            let reached: Vec<_> = all.filter(|kind| reaches(*method, kind)).collect();
            assert!(!reached.is_empty(), "{method}");
            let on_chain = RailType::of(*method) != RailType::Fiat;
            assert_eq!(reached.contains(&&"crypto"), on_chain, "{method}");
            assert!(!on_chain || reached.len() == 1, "{method}");
        }
    }
}
