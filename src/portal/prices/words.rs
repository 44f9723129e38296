//! Plans in words.

use crate::{
    money::Amount,
    pricing::plans::{Covers, FeeCurrency, FeeRule, Terms, TierBasis, TierMode, Tiers},
};

/// Which payments a plan prices.
pub(super) fn covered(covers: &Covers) -> String {
    let Covers { source_currency, dest_currency, dest_country, method, min_amount, max_amount } =
        covers;
    let parts = [
        source_currency.map(|currency| format!("from {currency}")),
        dest_currency.map(|currency| format!("in {currency}")),
        dest_country.map(|country| format!("to {}", country.name())),
        method.map(|method| format!("by {}", method.as_str().replace('_', " "))),
        match (min_amount, max_amount) {
            (None, None) => None,
            (Some(least), None) => Some(format!("of {least} or more")),
            (None, Some(most)) => Some(format!("of {most} or less")),
            (Some(least), Some(most)) => Some(format!("of {least} to {most}")),
        },
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "Every payment".to_owned()
    } else {
        format!("Payments {}", parts.join(", "))
    }
}

/// What it charges.
pub(super) fn charged(terms: &Terms) -> String {
    match &terms.fee {
        FeeRule::Fixed(fixed) => fixed.to_string(),
        FeeRule::Percentage(percent) => format!("{percent}\u{202f}%"),
        FeeRule::Hybrid(fixed, percent) => format!("{fixed} + {percent}\u{202f}%"),
        FeeRule::Tiered(_) => "By tiers".to_owned(),
    }
}

/// Its bounds, and what it is charged in.
pub(super) fn bounds(terms: &Terms) -> String {
    let bound =
        |word: &str, amount: Option<Amount>| amount.map(|amount| format!("{word} {amount}"));
    let charged_in = match terms.fee_currency {
        FeeCurrency::Source => "charged in the currency you pay from".to_owned(),
        FeeCurrency::Dest => "charged in the beneficiary's currency".to_owned(),
        FeeCurrency::Named(currency) => format!("charged in {currency}"),
    };
    let parts =
        [bound("at least", terms.min_fee), bound("at most", terms.max_fee), Some(charged_in)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How tiers are read.
pub(super) const fn tiers(tiers: &Tiers) -> &'static str {
    match (tiers.mode, tiers.on) {
        (TierMode::Slice, TierBasis::Amount) => {
            "Each part of the amount is charged by the tier it lies in."
        }
        (TierMode::Whole, TierBasis::Amount) => {
            "The whole amount is charged by the one tier it lies in."
        }
        (TierMode::Slice, TierBasis::MonthlyVolume) => {
            "Each part is charged by the tier it lies in, counted on from what you have sent this month (UTC)."
        }
        (TierMode::Whole, TierBasis::MonthlyVolume) => {
            "The whole amount is charged by the tier in which this month's volume (UTC) stands before it."
        }
    }
}
