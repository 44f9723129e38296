//! What an instrument is.

use std::{fmt, str::FromStr};

use super::{InstrumentMethod, Shown};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    money::{Country, Currency},
    payouts::{BeneficiaryId, InstrumentId},
};

/// A way to pay a beneficiary.
#[derive(Clone, Debug)]
pub struct Instrument {
    /// Its id.
    pub id: InstrumentId,
    /// Whose customer's it is.
    pub merchant: MerchantId,
    /// Who is paid.
    pub beneficiary: BeneficiaryId,
    /// The form of its credentials.
    pub method: &'static InstrumentMethod,
    /// Whether it can be used.
    pub status: InstrumentStatus,
    /// Whether it is the one to use for its currency.
    pub is_default: bool,
    /// In what it is paid, if it was said.
    pub currency: Option<Currency>,
    /// Where it is, if it was said or can be seen.
    pub country: Option<Country>,
    /// The merchant's own name for it.
    pub label: Option<String>,
    /// What can be shown of its credentials.
    pub shown: Shown,
    /// What nobody is shown.
    pub credentials: SealedCredentials,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Credentials as they are stored; `Debug` says nothing of them.
#[derive(Clone)]
pub struct SealedCredentials(pub Vec<u8>);

impl fmt::Debug for SealedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedCredentials(***)")
    }
}

/// Whether an instrument can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstrumentStatus {
    /// It can.
    Active,
    /// The merchant has switched it off.
    Disabled,
}

impl InstrumentStatus {
    /// The published word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

impl FromStr for InstrumentStatus {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "active" => Ok(Self::Active),
            "disabled" => Ok(Self::Disabled),
            _ => Err("must be active or disabled"),
        }
    }
}

/// What may be changed; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Another name, or none.
    pub label: Option<Option<String>>,
    /// Whether it is the one to use.
    pub is_default: Option<bool>,
    /// On or off.
    pub status: Option<InstrumentStatus>,
}

impl Instrument {
    /// Takes a change in. What is off is nobody's default: a payout that names no instrument must
    /// find one that works.
    pub fn change(&mut self, change: Change, at: Timestamp) -> Result<()> {
        let Change { label, is_default, status } = change;
        let status = status.unwrap_or(self.status);
        if status == InstrumentStatus::Disabled && is_default == Some(true) {
            return Err(Failure::because(
                Code::InvalidState,
                "a disabled instrument cannot be the default; make it active first",
            ));
        }
        self.label = label.unwrap_or_else(|| self.label.take());
        self.is_default =
            status == InstrumentStatus::Active && is_default.unwrap_or(self.is_default);
        self.status = status;
        self.updated_at = at;
        Ok(())
    }

    /// Whether it can be used; if not, what to do about it.
    pub fn payable(&self) -> Result<(), &'static str> {
        match self.status {
            InstrumentStatus::Active => Ok(()),
            InstrumentStatus::Disabled => Err("is disabled; make it active, or name another one"),
        }
    }

    /// For which currency it is the default; an instrument without one serves any.
    pub fn default_for(&self) -> Option<&'static str> {
        self.is_default.then(|| self.currency.map(Currency::code).unwrap_or_default())
    }
}

/// What a list is narrowed to; what is absent narrows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// One beneficiary's.
    pub beneficiary: Option<BeneficiaryId>,
    /// Of one form.
    pub method: Option<&'static InstrumentMethod>,
    /// On or off.
    pub status: Option<InstrumentStatus>,
}
