//! Plans, their versions, and which of them prices a payment.

use std::{cmp::Ordering, sync::Arc};

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    money::{Amount, Country, Currency},
    pricing::{Method, PlanId},
};

use super::terms::Terms;

/// A fee plan: a name that stays, and versions that never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Shown to merchants.
    pub id: PlanId,
    /// The operator's name for it in import files; unique.
    pub key: String,
    /// For this merchant only; the same over all versions.
    pub merchant: Option<MerchantId>,
    /// When its first version was imported.
    pub created_at: Timestamp,
    /// Ascending by number, and never descending by moment.
    pub versions: Vec<Arc<PlanVersion>>,
}

/// One version of a plan, in force from a moment on, until the next one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanVersion {
    /// 1, 2, 3 …
    pub number: u32,
    /// The first moment it prices.
    pub effective_from: Timestamp,
    /// As shown to people.
    pub name: String,
    /// A plan is retired by a version that is not active.
    pub active: bool,
    /// Higher goes first; see [`RULES`].
    pub priority: i32,
    /// What it prices.
    pub covers: Covers,
    /// What it charges.
    pub terms: Terms,
    /// How long its quotes hold.
    pub quote_ttl_seconds: u32,
}

/// Which payments a plan prices; what is left open covers everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Covers {
    /// The merchant pays from this currency.
    pub source_currency: Option<Currency>,
    /// The beneficiary gets this currency.
    pub dest_currency: Option<Currency>,
    /// The beneficiary is here.
    pub dest_country: Option<Country>,
    /// It is delivered this way.
    pub method: Option<Method>,
    /// At least so much, in the named source currency.
    pub min_amount: Option<Amount>,
    /// At most so much, in the named source currency.
    pub max_amount: Option<Amount>,
}

/// A payment, as far as prices depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Paid from this currency: `amount.currency()`.
    pub amount: Amount,
    /// The beneficiary gets this currency.
    pub dest_currency: Currency,
    /// The beneficiary is here, if said.
    pub dest_country: Option<Country>,
    /// Delivered this way, if said.
    pub method: Option<Method>,
}

/// Why a plan did not price a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// No version of it was in force yet.
    NotYet,
    /// The version in force retires it.
    Inactive,
    /// It is for another source currency.
    SourceCurrency(Currency),
    /// It is for another destination currency.
    DestCurrency(Currency),
    /// It is for one country, and the payment names another or none.
    DestCountry(Country),
    /// It is for one method, and the payment names another or none.
    Method(Method),
    /// The amount is below its range.
    BelowMinimum(Amount),
    /// The amount is above its range.
    AboveMaximum(Amount),
    /// It would have done, but another goes first.
    Outranked {
        /// The key of the plan that won.
        by: String,
        /// The first rule in which they differ.
        rule: &'static str,
    },
}

impl Covers {
    /// Why these keys do not cover a payment, if they do not.
    pub fn refuses(&self, payment: &Payment) -> Option<Lost> {
        let differs = |named: Option<Currency>, actual| named.filter(|named| *named != actual);
        let below = |bound: &Amount| payment.amount.compared_with(*bound) == Ok(Ordering::Less);
        let above = |bound: &Amount| payment.amount.compared_with(*bound) == Ok(Ordering::Greater);
        None.or_else(|| {
            differs(self.source_currency, payment.amount.currency()).map(Lost::SourceCurrency)
        })
        .or_else(|| differs(self.dest_currency, payment.dest_currency).map(Lost::DestCurrency))
        .or_else(|| {
            let named = self.dest_country.filter(|named| payment.dest_country != Some(*named));
            named.map(Lost::DestCountry)
        })
        .or_else(|| {
            let named = self.method.filter(|named| payment.method != Some(*named));
            named.map(Lost::Method)
        })
        .or_else(|| self.min_amount.filter(below).map(Lost::BelowMinimum))
        .or_else(|| self.max_amount.filter(above).map(Lost::AboveMaximum))
    }
}

impl Plan {
    /// The version in force at a moment.
    pub fn version_at(&self, at: Timestamp) -> Option<&Arc<PlanVersion>> {
        self.versions.iter().rev().find(|version| version.effective_from <= at)
    }

    /// Its last version, in force or still to come.
    pub fn latest(&self) -> Option<&Arc<PlanVersion>> {
        self.versions.last()
    }
}

/// A plan that could price a payment.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its version in force.
    pub version: &'a Arc<PlanVersion>,
}

/// One rule of precedence: what it looks at, in the words of an explanation, and how it counts.
type Rule = (&'static str, fn(&Candidate<'_>) -> i64);

/// The written precedence. Of two plans that cover a payment, the first rule in which they differ
/// decides, and the larger count wins. Two plans that differ in none are ordered by key; an import
/// refuses to make such a pair.
pub const RULES: [Rule; 7] = [
    ("a plan made for the merchant goes before one for everybody", |c| {
        i64::from(c.plan.merchant.is_some())
    }),
    ("the higher priority goes first", |c| i64::from(c.version.priority)),
    ("the plan that names more of country, method and the two currencies goes first", |c| {
        let covers = &c.version.covers;
        [
            covers.dest_country.is_some(),
            covers.method.is_some(),
            covers.dest_currency.is_some(),
            covers.source_currency.is_some(),
        ]
        .into_iter()
        .map(i64::from)
        .sum()
    }),
    ("a named country goes before an open one", |c| {
        i64::from(c.version.covers.dest_country.is_some())
    }),
    ("a named method goes before an open one", |c| i64::from(c.version.covers.method.is_some())),
    ("a named destination currency goes before an open one", |c| {
        i64::from(c.version.covers.dest_currency.is_some())
    }),
    ("a plan with an amount range goes before one without", |c| {
        let covers = &c.version.covers;
        i64::from(covers.min_amount.is_some() || covers.max_amount.is_some())
    }),
];

impl Candidate<'_> {
    /// Which of two goes first, and by which rule.
    pub fn against(&self, other: &Self) -> (Ordering, &'static str) {
        for (rule, count) in RULES {
            let order = count(self).cmp(&count(other));
            if order.is_ne() {
                return (order, rule);
            }
        }
        // Reversed: the earlier key is the larger candidate.
        (other.plan.key.cmp(&self.plan.key), "the key that comes first in the alphabet")
    }
}
