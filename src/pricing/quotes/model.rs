//! Asking for a quote, what it is, and when it may be used.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    base::{
        failure::{Code, Failure, FieldFault, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    money::{Amount, Country, Currency},
    pricing::{
        Method, QuoteId,
        plans::{Payment, PlanBook},
    },
};

use super::facts::{Facts, Outcome};

/// A request for a quote as it came: texts, or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawQuote<'a> {
    /// Required.
    pub source_currency: Option<&'a str>,
    /// Required.
    pub dest_currency: Option<&'a str>,
    /// Required.
    pub amount: Option<&'a str>,
    /// An open country is priced by plans that name none.
    pub dest_country: Option<&'a str>,
    /// Likewise.
    pub method: Option<&'a str>,
}

/// A checked request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewQuote {
    /// What is to be priced.
    pub payment: Payment,
}

impl NewQuote {
    /// Checks every field and reports every fault.
    pub fn check(raw: &RawQuote<'_>) -> Result<Self> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: String| {
            faults.push(FieldFault { field: field.to_owned(), message });
        };
        let mut currency = |field: &str, text: Option<&str>| match text.map(str::parse::<Currency>)
        {
            Some(Ok(currency)) => Some(currency),
            Some(Err(error)) => {
                fault(field, error.to_string());
                None
            }
            None => {
                fault(field, "is required".to_owned());
                None
            }
        };
        let source = currency("source_currency", raw.source_currency);
        let dest = currency("dest_currency", raw.dest_currency);
        let amount = match (raw.amount, source) {
            (None, _) => Err("is required".to_owned()),
            // Without its currency only the form can be judged; the euro stands in for it.
            (Some(text), None) => match Amount::parse(text, Currency::EUR) {
                Err(error @ crate::money::MoneyError::AmountPattern) => Err(error.to_string()),
                _ => Ok(None),
            },
            (Some(text), Some(source)) => match Amount::parse(text, source) {
                Ok(amount) if amount.is_positive() => Ok(Some(amount)),
                Ok(_) => Err("must be greater than zero".to_owned()),
                Err(error) => Err(error.to_string()),
            },
        };
        let amount = amount.unwrap_or_else(|message| {
            fault("amount", message);
            None
        });
        let dest_country = match raw.dest_country.map(str::parse::<Country>) {
            Some(Err(error)) => {
                fault("dest_country", error.to_string());
                None
            }
            Some(Ok(country)) => Some(country),
            None => None,
        };
        let method = match raw.method.map(str::parse::<Method>) {
            Some(Err(error)) => {
                fault("method", error.to_string());
                None
            }
            Some(Ok(method)) => Some(method),
            None => None,
        };
        match (amount, dest) {
            (Some(amount), Some(dest_currency)) if faults.is_empty() => {
                Ok(Self { payment: Payment { amount, dest_currency, dest_country, method } })
            }
            _ => Err(Failure::invalid(faults)),
        }
    }
}

/// What a quote offers, as names and texts: what is shown is what is signed.
pub type Offer = BTreeMap<&'static str, String>;

/// A fee promised to a merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Its id, which a payout names to use it.
    pub id: QuoteId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// What its numbers follow from.
    pub facts: Facts,
    /// Its numbers.
    pub outcome: Outcome,
    /// When it was given.
    pub created_at: Timestamp,
    /// The first moment at which it holds no longer.
    pub expires_at: Timestamp,
    /// Whether it was used.
    pub state: QuoteState,
}

/// What is stored about its use; that it has expired is told by the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuoteState {
    /// Not used.
    Open,
    /// Used.
    Consumed {
        /// When.
        at: Timestamp,
        /// The id of the payout that used it.
        by: String,
    },
}

/// The three states as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can be used.
    Open,
    /// It was used.
    Consumed,
    /// Its time ran out.
    Expired,
}

impl Standing {
    /// The published word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Consumed => "consumed",
            Self::Expired => "expired",
        }
    }
}

/// The payment that wants to use a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What is debited before fees.
    pub source_amount: Amount,
    /// What the beneficiary gets, if the payment fixes that.
    pub dest_amount: Option<Amount>,
    /// What the beneficiary gets it in.
    pub dest_currency: Currency,
    /// Where the beneficiary is.
    pub dest_country: Option<Country>,
    /// How it is delivered.
    pub method: Method,
}

impl Quote {
    /// Makes a quote of its facts; how long it holds is the plan's to say.
    pub fn issue(id: QuoteId, merchant: MerchantId, facts: Facts, now: Timestamp) -> Result<Self> {
        let outcome = facts.compute()?;
        let ttl = Duration::from_secs(u64::from(facts.version.quote_ttl_seconds));
        Ok(Self {
            id,
            merchant,
            facts,
            outcome,
            created_at: now,
            expires_at: now.plus(ttl),
            state: QuoteState::Open,
        })
    }

    /// The state at a moment.
    pub fn standing(&self, now: Timestamp) -> Standing {
        match self.state {
            QuoteState::Consumed { .. } => Standing::Consumed,
            QuoteState::Open if now < self.expires_at => Standing::Open,
            QuoteState::Open => Standing::Expired,
        }
    }

    /// Whether a payment may use this quote now.
    ///
    /// To be asked inside the transaction that uses it, with that transaction's time; the store's
    /// guarded update (`state = 'open' AND expires_at_us > now`) asks the same again.
    pub fn check_use(&self, wanted: &Wanted, book: &PlanBook, now: Timestamp) -> Result<()> {
        match self.standing(now) {
            Standing::Consumed => Err(Failure::new(Code::QuoteAlreadyUsed)),
            Standing::Expired => Err(Failure::new(Code::QuoteExpired)),
            Standing::Open => {
                let faults = self.mismatches(wanted, book);
                if faults.is_empty() { Ok(()) } else { Err(mismatch(faults)) }
            }
        }
    }

    /// What differs between the payment and the quote, each with what was quoted.
    fn mismatches(&self, wanted: &Wanted, book: &PlanBook) -> Vec<FieldFault> {
        let Payment { amount, dest_currency, dest_country, method } = self.facts.payment;
        let mut faults = Vec::new();
        let mut differs = |field: &str, same: bool, quoted: String| {
            if !same {
                let message = format!("must be {quoted}, as quoted");
                faults.push(FieldFault { field: field.to_owned(), message });
            }
        };
        let source = wanted.source_amount.currency();
        differs("source_currency", source == amount.currency(), amount.currency().to_string());
        let same_amount = wanted.source_amount.minor() == amount.minor();
        differs("source_amount", same_amount, amount.render());
        differs("dest_currency", wanted.dest_currency == dest_currency, dest_currency.to_string());
        let dest_amount = self.outcome.dest_amount;
        let same_dest = wanted.dest_amount.is_none_or(|wanted| wanted == dest_amount);
        differs("dest_amount", same_dest, dest_amount.render());
        if let Some(country) = dest_country {
            differs("dest_country", wanted.dest_country == Some(country), country.to_string());
        }
        if let Some(method) = method {
            differs("method", wanted.method == method, method.to_string());
        }
        if faults.is_empty() { self.open_fields(wanted, book) } else { faults }
    }

    /// A quote that leaves country or method open must not become cheaper than one that names
    /// them: it serves only a payment that the same version would have priced at that moment.
    fn open_fields(&self, wanted: &Wanted, book: &PlanBook) -> Vec<FieldFault> {
        let quoted = self.facts.payment;
        if quoted.dest_country.is_some() && quoted.method.is_some() {
            return Vec::new();
        }
        let named = Payment {
            dest_country: quoted.dest_country.or(wanted.dest_country),
            method: Some(wanted.method),
            ..quoted
        };
        let same = book.select(self.merchant, &named, self.created_at).is_ok_and(|chosen| {
            chosen.plan.id == self.facts.plan && chosen.version.number == self.facts.version.number
        });
        let open = [
            ("dest_country", quoted.dest_country.is_none() && wanted.dest_country.is_some()),
            ("method", quoted.method.is_none()),
        ];
        let fault = |(field, _): (&str, bool)| FieldFault {
            field: field.to_owned(),
            message: "was left open in the quote and is priced by another plan; name it in a new \
                      quote"
                .to_owned(),
        };
        open.into_iter().filter(|(_, left)| *left && !same).map(fault).collect()
    }

    /// What was offered, as sorted members of plain text: the exact bytes of this as JSON are what
    /// the offer's signature covers.
    pub fn offer(&self) -> Offer {
        let Payment { amount, dest_currency, dest_country, method } = self.facts.payment;
        let fee = self.outcome.fee.amount;
        let mut offer = BTreeMap::from([
            ("amount", amount.render()),
            ("created_at", self.created_at.to_string()),
            ("dest_amount", self.outcome.dest_amount.render()),
            ("dest_currency", dest_currency.to_string()),
            ("expires_at", self.expires_at.to_string()),
            ("fee", fee.render()),
            ("fee_currency", fee.currency().to_string()),
            ("fee_type", self.facts.version.terms.fee.as_str().to_owned()),
            ("merchant_id", self.merchant.to_string()),
            ("plan_id", self.facts.plan.to_string()),
            ("plan_version", self.facts.version.number.to_string()),
            ("quote_id", self.id.to_string()),
            ("source_currency", amount.currency().to_string()),
        ]);
        let optional = [
            ("dest_country", dest_country.map(|country| country.to_string())),
            ("exchange_rate", self.facts.exchange_rate.as_ref().map(|used| used.rate.to_string())),
            ("method", method.map(|method| method.to_string())),
        ];
        offer.extend(optional.into_iter().filter_map(|(name, text)| Some((name, text?))));
        offer
    }
}

fn mismatch(faults: Vec<FieldFault>) -> Failure {
    faults.into_iter().fold(Failure::new(Code::QuoteMismatch), |failure, fault| {
        failure.field(fault.field, fault.message)
    })
}
