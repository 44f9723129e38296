//! A transaction, as merchants know one.

use std::{fmt, str::FromStr};

use crate::{
    base::{ids, timestamp::Timestamp},
    money::{Amount, Currency},
    words,
};

/// The name of a transaction: that of its entry. An exchange moves two currencies in one entry, so the
/// currency is a part of the names of its two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionId<E> {
    /// The entry.
    pub entry: E,
    /// Which of its two.
    pub currency: Option<Currency>,
}

impl<E: fmt::Display> fmt::Display for TransactionId<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.entry, self.currency.map(Currency::code).unwrap_or_default())
    }
}

impl<E: FromStr<Err = ids::IdError>> FromStr for TransactionId<E> {
    type Err = ids::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const ENTRY: usize = 4 + 26;
        let (entry, code) = text.split_at_checked(ENTRY).unwrap_or((text, ""));
        let currency = match code {
            "" => None,
            code => Some(code.parse().map_err(|_| ids::IdError::NeverMade)?),
        };
        Ok(Self { entry: entry.parse()?, currency })
    }
}

words! {
    /// What became of a transaction.
    TransactionStatus {
        /// It is booked.
        Posted = "posted",
        /// It was booked, and undone by a later one.
        Reversed = "reversed",
    }
}

/// What moved a merchant's money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its name.
    pub id: String,
    /// The ledger's word for why.
    pub kind: &'static str,
    /// What became of it.
    pub status: TransactionStatus,
    /// What came in or went out of everything that is the merchant's.
    pub amount: Amount,
    /// What became usable or ceased to be: setting money aside moves this and not the amount.
    pub available: Amount,
    /// The account, which is also the id of the balance.
    pub account: Option<String>,
    /// A sender's words, or the payout or the exchange that caused it.
    pub reference: Option<String>,
    /// Who sent it.
    pub counterparty: Option<String>,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::MerchantId as Entry;

    #[test]
    fn a_name_reads_back_and_nothing_else_does() {
        let ulid = "01HX8Z9K0M2N3P4Q5R6S7T8VA1";
        for good in [format!("mer_{ulid}"), format!("mer_{ulid}USD"), format!("mer_{ulid}USDC")] {
            assert_eq!(good.parse::<TransactionId<Entry>>().unwrap().to_string(), good);
        }
        for wrong in [
            format!("mer_{ulid}usd"),
            format!("mer_{ulid}XXQ"),
            format!("pay_{ulid}"),
            "mer_1".to_owned(),
            format!("mer_{ulid}\0"),
            String::new(),
        ] {
            assert!(wrong.parse::<TransactionId<Entry>>().is_err(), "{wrong:?}");
        }
    }
}
