//! What a beneficiary is, and which steps its status may take.

use std::{fmt, str::FromStr};

use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        metadata::Metadata,
        timestamp::Timestamp,
    },
    money::Country,
    payouts::BeneficiaryId,
};

/// The longest name, label or reference; the published limit.
const LONGEST: usize = 255;

/// Somebody who can be paid, without what is personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beneficiary {
    /// Its id.
    pub id: BeneficiaryId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// A person or a business.
    pub kind: BeneficiaryType,
    /// Whether it can be paid.
    pub status: BeneficiaryStatus,
    /// What lists show.
    pub display_name: String,
    /// Where it is paid.
    pub country: Country,
    /// The merchant's own name for it.
    pub external_ref: Option<String>,
    /// The merchant's own notes.
    pub metadata: Metadata,
    /// The batch that made it, if one did.
    pub source_batch_id: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything of it changed last.
    pub updated_at: Timestamp,
}

/// A person or a business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeneficiaryType {
    /// A person.
    Individual,
    /// A business.
    Business,
}

impl BeneficiaryType {
    /// The published word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Individual => "individual",
            Self::Business => "business",
        }
    }
}

impl FromStr for BeneficiaryType {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "individual" => Ok(Self::Individual),
            "business" => Ok(Self::Business),
            _ => Err("must be individual or business"),
        }
    }
}

/// Whether a beneficiary can be paid. Deletion is apart from it: who is deleted is not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeneficiaryStatus {
    /// It can.
    Active,
    /// The merchant has put it away, and may take it back.
    Archived {
        /// Since when.
        at: Timestamp,
    },
    /// Compliance has stopped it; the merchant cannot change that.
    Blocked {
        /// Since when.
        at: Timestamp,
        /// Why, for the operator. It is never shown: who is under suspicion must not be told.
        reason: String,
    },
}

/// The published words, for filters.
pub const STATUSES: &[&str] = &["active", "archived", "blocked"];

/// What may be done to a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The merchant puts it away.
    Archive,
    /// The merchant takes it back.
    Restore,
    /// The operator stops it.
    Block {
        /// Why.
        reason: String,
    },
    /// The operator lets it go; it is active then, whatever it was before.
    Unblock,
}

impl BeneficiaryStatus {
    /// The published word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived { .. } => "archived",
            Self::Blocked { .. } => "blocked",
        }
    }

    /// The one place that says which step leads where.
    pub fn after(&self, step: &Step, at: Timestamp) -> Result<Self> {
        match (self, step) {
            (Self::Active, Step::Archive) => Ok(Self::Archived { at }),
            (Self::Archived { .. }, Step::Restore) | (Self::Blocked { .. }, Step::Unblock) => {
                Ok(Self::Active)
            }
            (Self::Active | Self::Archived { .. }, Step::Block { reason }) => {
                Ok(Self::Blocked { at, reason: reason.clone() })
            }
            (Self::Blocked { .. }, Step::Archive | Step::Restore) => {
                Err(refused("the beneficiary is blocked; only the operator can change that"))
            }
            (Self::Archived { .. }, Step::Archive) => {
                Err(refused("the beneficiary is archived already"))
            }
            (Self::Active, Step::Restore) => {
                Err(refused("the beneficiary is active already; there is nothing to restore"))
            }
            (Self::Blocked { .. }, Step::Block { .. }) => {
                Err(refused("the beneficiary is blocked already"))
            }
            (Self::Active | Self::Archived { .. }, Step::Unblock) => {
                Err(refused("the beneficiary is not blocked"))
            }
        }
    }
}

fn refused(why: &'static str) -> Failure {
    Failure::because(Code::InvalidState, why)
}

impl fmt::Display for BeneficiaryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a merchant may change without touching personal data; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Another name to show.
    pub display_name: Option<String>,
    /// Another country.
    pub country: Option<Country>,
    /// Another reference, or none.
    pub external_ref: Option<Option<String>>,
    /// Other notes, as a whole.
    pub metadata: Option<Metadata>,
}

impl Beneficiary {
    /// Takes a change in.
    pub fn change(&mut self, change: Change, at: Timestamp) {
        let Change { display_name, country, external_ref, metadata } = change;
        self.display_name = display_name.unwrap_or_else(|| std::mem::take(&mut self.display_name));
        self.country = country.unwrap_or(self.country);
        self.external_ref = external_ref.unwrap_or_else(|| self.external_ref.take());
        self.metadata = metadata.unwrap_or_else(|| std::mem::take(&mut self.metadata));
        self.updated_at = at;
    }

    /// Whether it can be paid; if not, what to do about it.
    pub fn payable(&self) -> Result<(), &'static str> {
        match self.status {
            BeneficiaryStatus::Active => Ok(()),
            BeneficiaryStatus::Archived { .. } => {
                Err("is archived; restore it, or name another beneficiary")
            }
            BeneficiaryStatus::Blocked { .. } => {
                Err("is blocked and cannot be paid; name another beneficiary")
            }
        }
    }
}

/// What a list is narrowed to; what is absent narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A published status.
    pub status: Option<&'static str>,
    /// A person or a business.
    pub kind: Option<BeneficiaryType>,
    /// A country.
    pub country: Option<Country>,
    /// The merchant's own name, exactly.
    pub external_ref: Option<String>,
}

/// Reads a short text: not empty, no control characters (a database refuses some of them, and a log
/// line could be forged with others), and no longer than published.
pub fn short_text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    if text.chars().count() > LONGEST {
        return Err(format!("must be at most {LONGEST} characters long"));
    }
    if text.chars().any(char::is_control) {
        return Err("must be one line without control characters".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_unix_seconds(7);

    #[test]
    fn every_step_leads_where_it_is_published_to_lead() {
        let archived = BeneficiaryStatus::Archived { at: AT };
        let reason = "list 7".to_owned();
        let blocked = BeneficiaryStatus::Blocked { at: AT, reason: reason.clone() };
        let block = Step::Block { reason };
        let active = BeneficiaryStatus::Active;
        let table = [
            (&active, [Some(&archived), None, Some(&blocked), None]),
            (&archived, [None, Some(&active), Some(&blocked), None]),
            (&blocked, [None, None, None, Some(&active)]),
        ];
        for (from, expected) in table {
            let steps = [&Step::Archive, &Step::Restore, &block, &Step::Unblock];
            for (step, to) in steps.into_iter().zip(expected) {
                match (from.after(step, AT), to) {
                    (Ok(got), Some(to)) => assert_eq!(&got, to, "{from} {step:?}"),
                    (Err(refused), None) => assert_eq!(refused.code(), Code::InvalidState),
                    (got, to) => panic!("{from} {step:?}: {got:?} instead of {to:?}"),
                }
            }
        }
    }

    #[test]
    fn texts_are_short_and_in_one_line() {
        assert_eq!(short_text("Zoë & Söhne"), Ok("Zoë & Söhne".to_owned()));
        assert!(short_text(&"ü".repeat(255)).is_ok());
        for wrong in ["", "  ", "a\nb", "a\u{0}b", &"x".repeat(256)] {
            assert!(short_text(wrong).is_err(), "{wrong}");
        }
    }
}
