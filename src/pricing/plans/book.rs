//! All plans at hand, and the choice among them.

use std::collections::HashMap;

use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    pricing::PlanId,
};

use super::model::{Candidate, Lost, Payment, Plan};

/// Every plan with every version, kept in memory: few, read by each quote, changed by imports.
#[derive(Clone, Debug, Default)]
pub struct PlanBook {
    general: Vec<Plan>,
    by_merchant: HashMap<MerchantId, Vec<Plan>>,
}

/// One plan that was looked at, for the explanation of a quote.
#[derive(Clone, Debug)]
pub struct Considered<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The version in force then, if any was.
    pub version: Option<u32>,
    /// Why it lost; nothing for the one that won.
    pub lost: Option<Lost>,
}

impl PlanBook {
    /// A book of these plans.
    pub fn new(plans: impl IntoIterator<Item = Plan>) -> Self {
        let mut book = Self::default();
        for plan in plans {
            match plan.merchant {
                None => book.general.push(plan),
                Some(merchant) => book.by_merchant.entry(merchant).or_default().push(plan),
            }
        }
        book
    }

    /// The plans that a merchant may see: its own, then everybody's. Never another merchant's.
    pub fn visible_to(&self, merchant: MerchantId) -> impl Iterator<Item = &Plan> {
        self.by_merchant.get(&merchant).into_iter().flatten().chain(&self.general)
    }

    /// All of them, for imports.
    pub fn all(&self) -> impl Iterator<Item = &Plan> {
        self.by_merchant.values().flatten().chain(&self.general)
    }

    /// A plan by its id, for the merchant who may see it.
    pub fn find(&self, merchant: MerchantId, id: PlanId) -> Option<&Plan> {
        self.visible_to(merchant).find(|plan| plan.id == id)
    }

    /// The plan that prices a payment at a moment.
    ///
    /// Versions never change and never come into force in the past, so the same question about
    /// the same moment has the same answer for ever.
    pub fn select(
        &self,
        merchant: MerchantId,
        payment: &Payment,
        at: Timestamp,
    ) -> Result<Candidate<'_>> {
        self.visible_to(merchant)
            .filter_map(|plan| candidate(plan, payment, at).ok())
            .reduce(|best, next| if next.against(&best).0.is_gt() { next } else { best })
            .ok_or_else(|| Failure::new(Code::CorridorNotEnabled))
    }

    /// Every plan that was looked at, and why each lost.
    pub fn explain(
        &self,
        merchant: MerchantId,
        payment: &Payment,
        at: Timestamp,
    ) -> Vec<Considered<'_>> {
        let winner = self.select(merchant, payment, at).ok();
        let verdict = |plan: &Plan| match (candidate(plan, payment, at), &winner) {
            (Err(lost), _) => Some(lost),
            (Ok(found), Some(winner)) if found.plan.id != winner.plan.id => {
                let (_, rule) = winner.against(&found);
                Some(Lost::Outranked { by: winner.plan.key.clone(), rule })
            }
            (Ok(_), _) => None,
        };
        self.visible_to(merchant)
            .map(|plan| Considered {
                plan,
                version: plan.version_at(at).map(|version| version.number),
                lost: verdict(plan),
            })
            .collect()
    }
}

fn candidate<'a>(
    plan: &'a Plan,
    payment: &Payment,
    at: Timestamp,
) -> std::result::Result<Candidate<'a>, Lost> {
    let version = plan.version_at(at).ok_or(Lost::NotYet)?;
    if !version.active {
        return Err(Lost::Inactive);
    }
    match version.covers.refuses(payment) {
        Some(lost) => Err(lost),
        None => Ok(Candidate { plan, version }),
    }
}

impl Lost {
    /// The reason as a sentence, for the explanation of a quote.
    pub fn sentence(&self) -> String {
        match self {
            Self::NotYet => "it was not in force yet".to_owned(),
            Self::Inactive => "it is retired".to_owned(),
            Self::SourceCurrency(named) => format!("it is for payments from {named}"),
            Self::DestCurrency(named) => format!("it is for payments in {named}"),
            Self::DestCountry(named) => format!("it is for payments to {named}"),
            Self::Method(named) => format!("it is for payments by {named}"),
            Self::BelowMinimum(bound) => format!("the amount is below {bound}"),
            Self::AboveMaximum(bound) => format!("the amount is above {bound}"),
            Self::Outranked { by, rule } => format!("{by} goes first: {rule}"),
        }
    }
}
