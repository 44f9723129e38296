//! The arithmetic of a fee: exact decimals in the fee's currency, and one rounding at the end.
//!
//! 1. The amount is taken into the fee's currency by the payment's rate (one for one when it is
//!    the same); every amount of the terms likewise, by the rate of their own currency.
//! 2. The fee type gives the exact fee.
//! 3. Minimum and maximum bound it.
//! 4. It is rounded to the fee's currency, once, by the mode that the terms name.
//!
//! Products that would not be exact are refused, never rounded on the way.

use rust_decimal::Decimal;

use crate::{
    money::{Amount, Currency, MoneyError, Rate, exact_product, exact_sum},
    pricing::plans::{FeeRule, Percent, Terms, Tier, TierBasis, TierMode, Tiers},
};

/// What a fee follows from, besides the terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// The payment, in its source currency.
    pub amount: Amount,
    /// What the fee is charged in.
    pub fee_currency: Currency,
    /// From the source currency to the fee's; absent when they are the same.
    pub amount_rate: Option<Rate>,
    /// From the currency of the terms to the fee's; absent when they are the same, or when the
    /// terms have no amounts.
    pub terms_rate: Option<Rate>,
    /// What the merchant has sent this month before, in the source currency.
    pub month_volume: Amount,
}

/// A fee, and which tiers it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    /// What is charged.
    pub amount: Amount,
    /// The tiers that took part, counted from 1; none for the other fee types.
    pub tiers: Vec<usize>,
}

/// One step of the arithmetic, for people.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// What was done.
    pub step: &'static str,
    /// With which numbers.
    pub detail: String,
    /// What came out, unrounded but for the last step.
    pub result: String,
}

/// The fee.
pub fn price(terms: &Terms, inputs: &Inputs) -> Result<Fee, MoneyError> {
    run(terms, inputs, &mut Trace(None))
}

/// The fee again, with every step that led to it.
pub fn explain(terms: &Terms, inputs: &Inputs) -> Result<(Fee, Vec<Step>), MoneyError> {
    let mut trace = Trace(Some(Vec::new()));
    let fee = run(terms, inputs, &mut trace)?;
    Ok((fee, trace.0.unwrap_or_default()))
}

/// Writes steps down only when somebody asked: pricing is the hot path.
struct Trace(Option<Vec<Step>>);

impl Trace {
    fn step(&mut self, step: &'static str, said: impl FnOnce() -> (String, String)) {
        if let Some(steps) = &mut self.0 {
            let (detail, result) = said();
            steps.push(Step { step, detail, result });
        }
    }
}

fn run(terms: &Terms, inputs: &Inputs, trace: &mut Trace) -> Result<Fee, MoneyError> {
    let base = convert(inputs.amount, inputs.amount_rate)?;
    if let Some(rate) = inputs.amount_rate {
        trace.step("amount in the fee's currency", || {
            (format!("{} x {rate}", inputs.amount), said(base, inputs))
        });
    }
    let sum = Sum { inputs, base };
    let (mut exact, tiers) = match &terms.fee {
        FeeRule::Fixed(fixed) => (sum.charge(Some(*fixed), base, Percent::ZERO, trace)?, vec![]),
        FeeRule::Percentage(percent) => (sum.charge(None, base, *percent, trace)?, vec![]),
        FeeRule::Hybrid(fixed, percent) => {
            (sum.charge(Some(*fixed), base, *percent, trace)?, vec![])
        }
        FeeRule::Tiered(tiers) => sum.tiered(tiers, trace)?,
    };
    if let Some(bound) = terms.min_fee {
        let least = sum.own(bound)?;
        if exact < least {
            exact = least;
            trace.step("minimum", || (bound.to_string(), said(exact, inputs)));
        }
    }
    if let Some(bound) = terms.max_fee {
        let most = sum.own(bound)?;
        if exact > most {
            exact = most;
            trace.step("maximum", || (bound.to_string(), said(exact, inputs)));
        }
    }
    let amount = terms.rounding.to_currency(exact, inputs.fee_currency)?;
    trace.step("rounding", || {
        let places = inputs.fee_currency.scale();
        let detail = format!("{} {} to {places} places", exact.normalize(), terms.rounding);
        (detail, amount.to_string())
    });
    Ok(Fee { amount, tiers })
}

/// An amount in the fee's currency, exactly.
fn convert(amount: Amount, rate: Option<Rate>) -> Result<Decimal, MoneyError> {
    match rate {
        None => Ok(amount.decimal()),
        Some(rate) => exact_product(amount.decimal(), rate.decimal()),
    }
}

fn said(value: Decimal, inputs: &Inputs) -> String {
    format!("{} {}", value.normalize(), inputs.fee_currency)
}

struct Sum<'a> {
    inputs: &'a Inputs,
    base: Decimal,
}

impl Sum<'_> {
    /// An amount of the terms, in the fee's currency.
    fn own(&self, amount: Amount) -> Result<Decimal, MoneyError> {
        convert(amount, self.inputs.terms_rate)
    }

    /// A fixed part and a percentage of a portion of the payment.
    fn charge(
        &self,
        fixed: Option<Amount>,
        portion: Decimal,
        percent: Percent,
        trace: &mut Trace,
    ) -> Result<Decimal, MoneyError> {
        let mut exact = Decimal::ZERO;
        if let Some(fixed) = fixed.filter(|fixed| !fixed.is_zero()) {
            exact = self.own(fixed)?;
            trace.step("fixed fee", || {
                let rate = self.inputs.terms_rate.map(|rate| format!(" x {rate}"));
                (format!("{fixed}{}", rate.unwrap_or_default()), said(exact, self.inputs))
            });
        }
        if !percent.is_zero() {
            let part = exact_product(portion, percent.factor())?;
            exact = exact_sum(exact, part)?;
            trace.step("percentage", || {
                let detail = format!("{} x {percent} %", said(portion, self.inputs));
                (detail, said(part, self.inputs))
            });
        }
        Ok(exact)
    }

    fn tiered(
        &self,
        tiers: &Tiers,
        trace: &mut Trace,
    ) -> Result<(Decimal, Vec<usize>), MoneyError> {
        // What is measured reaches from `begin` to `begin + base`.
        let begin = match tiers.on {
            TierBasis::Amount => Decimal::ZERO,
            TierBasis::MonthlyVolume => {
                let volume = convert(self.inputs.month_volume, self.inputs.amount_rate)?;
                trace.step("volume of the month so far", || {
                    (self.inputs.month_volume.to_string(), said(volume, self.inputs))
                });
                volume
            }
        };
        let end = exact_sum(begin, self.base)?;
        let position = match tiers.on {
            TierBasis::Amount => end,
            TierBasis::MonthlyVolume => begin,
        };
        let (mut exact, mut used) = (Decimal::ZERO, Vec::new());
        for (place, tier) in tiers.tiers.iter().enumerate() {
            let from = self.own(tier.min_volume)?;
            let to = tier.max_volume.map(|bound| self.own(bound)).transpose()?;
            let portion = match tiers.mode {
                TierMode::Whole if from <= position && to.is_none_or(|to| position < to) => {
                    self.base
                }
                TierMode::Whole => Decimal::ZERO,
                TierMode::Slice => {
                    let last = to.map_or(end, |to| to.min(end));
                    exact_sum(last, -from.max(begin))?
                }
            };
            if portion > Decimal::ZERO {
                trace.step("tier", || (describe(place, tier), said(portion, self.inputs)));
                let fixed = Some(tier.fixed_fee);
                let part = self.charge(fixed, portion, tier.percentage_fee, trace)?;
                exact = exact_sum(exact, part)?;
                used.push(place + 1);
            }
        }
        trace.step("sum of the tiers", || {
            (
                format!("by {} of the {}", tiers.mode.as_str(), tiers.on.as_str()),
                said(exact, self.inputs),
            )
        });
        Ok((exact, used))
    }
}

fn describe(place: usize, tier: &Tier) -> String {
    let to = tier.max_volume.map_or("on".to_owned(), |bound| format!("to below {bound}"));
    format!("tier {}: from {} {to}", place + 1, tier.min_volume)
}
