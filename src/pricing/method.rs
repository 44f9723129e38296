//! How a payout is delivered.

use std::{fmt, str::FromStr};

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// The delivery family of a payout, as published.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Method { $($(#[$doc])* $name,)+ }

        impl Method {
            /// Every family.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

methods! {
    /// A transfer whose rail the house chooses.
    BankTransfer = "bank_transfer";
    /// A domestic wire.
    Wire = "wire";
    /// A euro credit transfer.
    Sepa = "sepa";
    /// An international wire.
    Swift = "swift";
    /// A transfer through the US clearing house.
    Ach = "ach";
    /// A transfer through UK Faster Payments.
    FasterPayment = "faster_payment";
    /// To a phone's account.
    MobileMoney = "mobile_money";
    /// To a wallet.
    Wallet = "wallet";
    /// On a chain.
    Crypto = "crypto";
    /// On a chain above a chain.
    Layer2 = "layer2";
    /// To an account at an exchange.
    Exchange = "exchange";
    /// A token that promises a state's money.
    Stablecoin = "stablecoin";
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(word: &str) -> Result<Self, UnknownMethod> {
        Self::ALL.iter().copied().find(|method| method.as_str() == word).ok_or(UnknownMethod)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is none of the twelve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be bank_transfer, wire, sepa, swift, ach, faster_payment, mobile_money, wallet, crypto, \
     layer2, exchange or stablecoin"
)]
pub struct UnknownMethod;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_lists_every_method() {
        let said = UnknownMethod.to_string();
        for method in Method::ALL {
            assert!(said.contains(method.as_str()), "{method}");
            assert_eq!(method.as_str().parse(), Ok(*method));
        }
        assert!("on_chain".parse::<Method>().is_err());
    }
}
