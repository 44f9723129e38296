//! What a merchant is.

use crate::base::{
    failure::{Failure, FieldFault, Result},
    ids::MerchantId,
    timestamp::Timestamp,
};

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    /// The first column of every key.
    pub id: MerchantId,
    /// As shown to people.
    pub name: String,
    /// Where its owner signs in.
    pub email: String,
    /// Whether it may act.
    pub status: MerchantStatus,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whether a merchant may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MerchantStatus {
    /// It may.
    Active,
    /// Its requests are refused with 403 until the operator lifts this.
    Suspended,
}

impl MerchantStatus {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Suspended].into_iter().find(|status| status.as_str() == word)
    }
}

/// A checked wish for a merchant.
#[derive(Clone, Debug)]
pub struct NewMerchant {
    pub(super) name: String,
    pub(super) email: String,
}

impl NewMerchant {
    /// Checks both fields and reports both faults.
    pub fn check(name: &str, email: &str) -> Result<Self> {
        let (name, email) = (name.trim(), email.trim().to_lowercase());
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: &str| {
            faults.push(FieldFault { field: field.to_owned(), message: message.to_owned() });
        };
        if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
            fault("name", "must be 1 to 200 printable characters");
        }
        if !looks_like_email(&email) {
            fault("email", "must be an e-mail address such as owner@example.com");
        }
        if faults.is_empty() {
            Ok(Self { name: name.to_owned(), email })
        } else {
            Err(Failure::invalid(faults))
        }
    }
}

/// Enough to catch a typing slip; only a delivered mail proves an address.
fn looks_like_email(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>(),;:\"[]\\".contains(c);
    match text.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && domain.contains('.')
                && !domain.contains('@')
                && domain.split('.').all(|label| !label.is_empty())
                && text.len() <= 254
                && !text.contains(odd)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_faults_are_reported_and_the_address_is_folded() {
        let refused = NewMerchant::check(" ", "nobody").unwrap_err();
        assert_eq!(refused.fields().len(), 2);
        for wrong in ["a@b", "@b.c", "a@.c", "a b@c.d", "a@b@c.d", "a@b..c"] {
            assert!(NewMerchant::check("Shop", wrong).is_err(), "{wrong}");
        }
        assert_eq!(NewMerchant::check("Shop", "Owner@B.example").unwrap().email, "owner@b.example");
    }
}
