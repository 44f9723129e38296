//! What a quote's numbers follow from, how they follow, and how it is all written into a row.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    base::{
        failure::{Failure, FieldFault, Result},
        timestamp::Timestamp,
    },
    money::{Amount, Country, Currency, MoneyError, Rounding},
    pricing::{
        Method, PlanId,
        engine::{self, Fee, Inputs, Step},
        fx::{RateTable, StoredRate, UsedRate},
        plans::{Candidate, Payment, PlanVersion, read_stored},
    },
};

/// What the beneficiary gets is rounded down: less than a minor unit, in the house's favour.
const DEST_ROUNDING: Rounding = Rounding::Down;
/// The version of the written form; a reader of a later one keeps reading this.
const WRITTEN_AS: u8 = 1;

/// Everything that a quote's numbers follow from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What was asked.
    pub payment: Payment,
    /// The plan that priced it.
    pub plan: PlanId,
    /// The version of it, word for word.
    pub version: Arc<PlanVersion>,
    /// What the fee is charged in.
    pub fee_currency: Currency,
    /// What the merchant had sent this month, in the source currency; zero when no tier counts it.
    pub month_volume: Amount,
    /// From the source currency to the fee's, if they differ.
    pub amount_rate: Option<UsedRate>,
    /// From the currency of the plan's amounts to the fee's, if they differ.
    pub terms_rate: Option<UsedRate>,
    /// From the source currency to the beneficiary's, if they differ: locked with the fee.
    pub exchange_rate: Option<UsedRate>,
}

/// What follows from the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The fee, and the tiers it came from.
    pub fee: Fee,
    /// What the beneficiary gets for the quoted amount.
    pub dest_amount: Amount,
}

impl Facts {
    /// Collects the facts for a payment that a plan covers: the rates it needs, as they are now.
    pub fn gather(
        payment: Payment,
        candidate: &Candidate<'_>,
        month_volume: Amount,
        rates: &RateTable,
        now: Timestamp,
    ) -> Result<Self> {
        let (source, dest) = (payment.amount.currency(), payment.dest_currency);
        let terms = &candidate.version.terms;
        let fee_currency = terms.fee_currency.of(source, dest);
        let mid = |from| rates.mid(from, fee_currency, now);
        Ok(Self {
            payment,
            plan: candidate.plan.id,
            version: candidate.version.clone(),
            fee_currency,
            month_volume,
            amount_rate: Some(source).filter(|from| *from != fee_currency).map(mid).transpose()?,
            terms_rate: terms.rate_needed(fee_currency).map(mid).transpose()?,
            exchange_rate: Some(dest)
                .filter(|to| *to != source)
                .map(|to| rates.customer(source, to, now))
                .transpose()?,
        })
    }

    /// Computes the numbers. The same facts give the same digits, today and in ten years.
    pub fn compute(&self) -> Result<Outcome> {
        let fee = engine::price(&self.version.terms, &self.inputs()).map_err(too_large)?;
        let amount = self.payment.amount;
        let dest_amount = match &self.exchange_rate {
            None => amount,
            Some(used) => used
                .rate
                .convert(amount, self.payment.dest_currency, DEST_ROUNDING)
                .map_err(too_large)?,
        };
        if !dest_amount.is_positive() {
            let currency = self.payment.dest_currency;
            let message = format!("is too small: it comes to nothing in {currency}");
            return Err(Failure::invalid(vec![FieldFault { field: "amount".to_owned(), message }]));
        }
        Ok(Outcome { fee, dest_amount })
    }

    /// The steps of the fee's arithmetic, for people.
    pub fn explain(&self) -> Result<Vec<Step>> {
        let explained = engine::explain(&self.version.terms, &self.inputs());
        explained.map(|(_, steps)| steps).map_err(too_large)
    }

    fn inputs(&self) -> Inputs {
        let rate = |used: &Option<UsedRate>| used.as_ref().map(|used| used.rate);
        Inputs {
            amount: self.payment.amount,
            fee_currency: self.fee_currency,
            amount_rate: rate(&self.amount_rate),
            terms_rate: rate(&self.terms_rate),
            month_volume: self.month_volume,
        }
    }

    /// The form that is stored with the quote.
    pub fn write(&self) -> Result<String> {
        let rate = |used: &Option<UsedRate>| used.as_ref().map(StoredRate::from);
        let stored = StoredFacts {
            v: WRITTEN_AS,
            amount: self.payment.amount.render(),
            source_currency: self.payment.amount.currency(),
            dest_currency: self.payment.dest_currency,
            dest_country: self.payment.dest_country,
            method: self.payment.method.map(|method| method.as_str().to_owned()),
            plan_id: self.plan,
            plan_version: self.version.number,
            plan_effective_from_us: self.version.effective_from.micros(),
            plan: &*self.version,
            fee_currency: self.fee_currency,
            month_volume: self.month_volume.minor(),
            amount_rate: rate(&self.amount_rate),
            terms_rate: rate(&self.terms_rate),
            exchange_rate: rate(&self.exchange_rate),
        };
        serde_json::to_string(&stored).map_err(Failure::internal)
    }

    /// Reads what [`Facts::write`] wrote; the error is for the log.
    pub fn read(text: &str) -> std::result::Result<Self, String> {
        let stored: StoredFacts<Value> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        if stored.v != WRITTEN_AS {
            return Err(format!("written as version {}, which is not known here", stored.v));
        }
        let effective_from = Timestamp::from_micros(stored.plan_effective_from_us);
        let version = read_stored(stored.plan_version, effective_from, &stored.plan)
            .map_err(|faults| format!("{faults:?}"))?;
        let source = stored.source_currency;
        let said = |error: MoneyError| error.to_string();
        let method = stored.method.map(|word| word.parse::<Method>()).transpose();
        let rate = |used: Option<StoredRate>| used.map(UsedRate::try_from).transpose();
        Ok(Self {
            payment: Payment {
                amount: Amount::parse(&stored.amount, source).map_err(said)?,
                dest_currency: stored.dest_currency,
                dest_country: stored.dest_country,
                method: method.map_err(|error| error.to_string())?,
            },
            plan: stored.plan_id,
            version: Arc::new(version),
            fee_currency: stored.fee_currency,
            month_volume: Amount::from_minor(stored.month_volume, source),
            amount_rate: rate(stored.amount_rate).map_err(said)?,
            terms_rate: rate(stored.terms_rate).map_err(said)?,
            exchange_rate: rate(stored.exchange_rate).map_err(said)?,
        })
    }
}

fn too_large(error: MoneyError) -> Failure {
    Failure::invalid(vec![error.at("amount")])
}

/// The plan is a [`PlanVersion`] on its way in, and its JSON on its way out.
#[derive(Serialize, Deserialize)]
struct StoredFacts<Plan> {
    v: u8,
    amount: String,
    source_currency: Currency,
    dest_currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    dest_country: Option<Country>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    method: Option<String>,
    plan_id: PlanId,
    plan_version: u32,
    plan_effective_from_us: i64,
    plan: Plan,
    fee_currency: Currency,
    /// In minor units: a month can come to more than the twelve digits of the wire.
    month_volume: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    amount_rate: Option<StoredRate>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    terms_rate: Option<StoredRate>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    exchange_rate: Option<StoredRate>,
}
