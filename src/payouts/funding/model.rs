//! A credit, as it is told and as it is kept.

use crate::{
    base::{
        failure::{Failure, FieldFault, Result},
        timestamp::Timestamp,
    },
    money::Amount,
    payouts::DepositId,
};

/// The longest reference: what a SEPA transfer can carry.
const LONGEST_REFERENCE: usize = 140;
/// The longest name of a sender.
const LONGEST_NAME: usize = 255;

/// A credit that somebody has told us of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    pub(super) amount: Amount,
    pub(super) reference: String,
    pub(super) counterparty: Option<String>,
}

impl Incoming {
    /// Checks every part and reports every fault. The reference is the outside's own name for the credit:
    /// a bank's transaction id, the number of a statement's line.
    pub fn check(amount: Amount, reference: &str, counterparty: Option<&str>) -> Result<Self> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: String| {
            faults.push(FieldFault { field: field.to_owned(), message });
        };
        if !amount.is_positive() {
            fault("amount", "must be greater than zero".to_owned());
        }
        for (field, text, longest) in [
            ("reference", Some(reference), LONGEST_REFERENCE),
            ("counterparty", counterparty, LONGEST_NAME),
        ] {
            let Some(text) = text else { continue };
            let length = text.chars().count();
            if length == 0 || length > longest || text.chars().any(char::is_control) {
                fault(
                    field,
                    format!("must have 1 to {longest} characters, none a control character"),
                );
            }
        }
        if !faults.is_empty() {
            return Err(Failure::invalid(faults));
        }
        let (reference, counterparty) = (reference.to_owned(), counterparty.map(str::to_owned));
        Ok(Self { amount, reference, counterparty })
    }
}

/// A credit that was booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// Its id, which is the cause of its entry in the ledger.
    pub id: DepositId,
    /// How much.
    pub amount: Amount,
    /// The outside's name for it.
    pub reference: String,
    /// Who sent it.
    pub counterparty: Option<String>,
    /// When it was booked.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn every_fault_is_told() {
        let nothing = Amount::zero(Currency::EUR);
        let refused = Incoming::check(nothing, "", Some("a\nb")).unwrap_err();
        let fields: Vec<_> = refused.fields().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["amount", "reference", "counterparty"]);
        let cent = Amount::from_minor(1, Currency::EUR);
        assert!(Incoming::check(cent, &"x".repeat(140), Some("Grün & Söhne")).is_ok());
        assert!(Incoming::check(cent, &"x".repeat(141), None).is_err());
    }
}
