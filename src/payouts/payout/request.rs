//! A request for a payout, as it came and after its fields were checked.

use crate::{
    base::{
        failure::{Failure, FieldFault, Result},
        metadata::Metadata,
    },
    money::{Amount, Currency, MoneyError},
    payouts::{BeneficiaryId, InstrumentId, rails::RailType},
    pricing::{Method, QuoteId},
};

use super::{FeeBearer, FixedSide};

/// The longest purpose.
const LONGEST_PURPOSE: usize = 255;
/// The longest reference.
const LONGEST_REFERENCE: usize = 100;
/// The longest name of a network.
const LONGEST_NETWORK: usize = 32;

/// The texts of a request, or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawPayout<'a> {
    /// Required.
    pub beneficiary_id: Option<&'a str>,
    /// Required.
    pub instrument_id: Option<&'a str>,
    /// Required.
    pub source_amount: Option<&'a str>,
    /// Required.
    pub dest_amount: Option<&'a str>,
    /// Required.
    pub dest_currency: Option<&'a str>,
    /// Required.
    pub method: Option<&'a str>,
    /// That of the destination without it: no exchange happens that nobody has asked for.
    pub source_currency: Option<&'a str>,
    /// Merchant's words.
    pub purpose: Option<&'a str>,
    /// Merchant's words.
    pub reference: Option<&'a str>,
    /// Follows from the method without it.
    pub rail_type: Option<&'a str>,
    /// A chain.
    pub network: Option<&'a str>,
    /// The merchant without it.
    pub fee_bearer: Option<&'a str>,
    /// The destination without it.
    pub fixed_side: Option<&'a str>,
    /// A quote to use.
    pub quote_id: Option<&'a str>,
}

/// A checked request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayout {
    /// Who is paid.
    pub beneficiary: BeneficiaryId,
    /// Through what.
    pub instrument: InstrumentId,
    /// What is debited before fees.
    pub source: Amount,
    /// What arrives.
    pub dest: Amount,
    /// How it is delivered.
    pub method: Method,
    /// What kind of rail that needs.
    pub rail_type: RailType,
    /// The chain, if it is one.
    pub network: Option<String>,
    /// Who bears the fee.
    pub bearer: FeeBearer,
    /// Which amount is fixed.
    pub fixed: FixedSide,
    /// The quote to use.
    pub quote: Option<QuoteId>,
    /// Merchant's words.
    pub purpose: Option<String>,
    /// Merchant's words.
    pub reference: Option<String>,
    /// Merchant's notes.
    pub metadata: Metadata,
}

/// Collects faults while fields are read.
struct Faults(Vec<FieldFault>);

impl Faults {
    fn note(&mut self, field: &str, message: &str) {
        self.0.push(FieldFault { field: field.to_owned(), message: message.to_string() });
    }

    fn required<T>(
        &mut self,
        field: &str,
        text: Option<&str>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        if text.is_none() {
            self.note(field, "is required");
        }
        self.optional(field, text, read)
    }

    fn optional<T>(
        &mut self,
        field: &str,
        text: Option<&str>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        read(text?).map_err(|message| self.note(field, &message)).ok()
    }

    fn amount(
        &mut self,
        field: &str,
        text: Option<&str>,
        currency: Option<Currency>,
    ) -> Option<Amount> {
        let read = |text: &str| match Amount::parse(text, currency.unwrap_or(Currency::EUR)) {
            // Without its currency only the form can be judged; the euro stands in for it.
            Err(error) if currency.is_none() && error != MoneyError::AmountPattern => Ok(None),
            Err(error) => Err(error.to_string()),
            Ok(amount) if !amount.is_positive() => Err("must be greater than zero".to_owned()),
            Ok(amount) => Ok(currency.map(|_| amount)),
        };
        self.required(field, text, read).flatten()
    }
}

impl NewPayout {
    /// Checks every field and reports every fault.
    pub fn check(raw: &RawPayout<'_>, metadata: Metadata) -> Result<Self> {
        let mut faults = Faults(Vec::new());
        let beneficiary = faults.required("beneficiary_id", raw.beneficiary_id, id);
        let instrument = faults.required("instrument_id", raw.instrument_id, id);
        let to = faults.required("dest_currency", raw.dest_currency, parse);
        let named = faults.optional("source_currency", raw.source_currency, parse);
        let from = if raw.source_currency.is_some() { named } else { to };
        let source = faults.amount("source_amount", raw.source_amount, from);
        let dest = faults.amount("dest_amount", raw.dest_amount, to);
        if let (Some(source), Some(dest)) = (source, dest)
            && source.currency() == dest.currency()
            && source != dest
        {
            // One of the two is a mistake, and nobody here can tell which.
            faults.note("dest_amount", "must equal source_amount when both are in one currency");
        }
        let method: Option<Method> = faults.required("method", raw.method, parse);
        let rail_type = faults.optional("rail_type", raw.rail_type, |text| {
            let kind = RailType::parse(text).ok_or("must be fiat, crypto or stablecoin")?;
            match method {
                Some(method) if RailType::of(method) != kind => {
                    Err(format!("must be {} with this method", RailType::of(method).as_str()))
                }
                _ => Ok(kind),
            }
        });
        let network = faults.optional("network", raw.network, words(LONGEST_NETWORK));
        let bearer = faults.optional("fee_bearer", raw.fee_bearer, |text| {
            FeeBearer::parse(text).ok_or_else(|| "must be merchant or beneficiary".to_owned())
        });
        let fixed = faults.optional("fixed_side", raw.fixed_side, |text| {
            FixedSide::parse(text).ok_or_else(|| "must be fixed_dest or fixed_source".to_owned())
        });
        let quote = faults.optional("quote_id", raw.quote_id, id);
        let purpose = faults.optional("purpose", raw.purpose, words(LONGEST_PURPOSE));
        let reference = faults.optional("reference", raw.reference, words(LONGEST_REFERENCE));
        let complete = beneficiary.zip(instrument).zip(source.zip(dest)).zip(method);
        match complete {
            Some((((beneficiary, instrument), (source, dest)), method)) if faults.0.is_empty() => {
                Ok(Self {
                    beneficiary,
                    instrument,
                    source,
                    dest,
                    method,
                    rail_type: rail_type.unwrap_or(RailType::of(method)),
                    network,
                    bearer: bearer.unwrap_or(FeeBearer::Merchant),
                    fixed: fixed.unwrap_or(FixedSide::Dest),
                    quote,
                    purpose,
                    reference,
                    metadata,
                })
            }
            _ => Err(Failure::invalid(faults.0)),
        }
    }
}

fn id<T: std::str::FromStr<Err = crate::base::ids::IdError>>(text: &str) -> Result<T, String> {
    parse(text)
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// Free words that can be printed on a statement: some of them, not too many, nothing invisible.
fn words(longest: usize) -> impl Fn(&str) -> Result<String, String> {
    move |text| {
        let length = text.chars().count();
        if length == 0 || length > longest || text.chars().any(char::is_control) {
            return Err(format!("must have 1 to {longest} characters and no control characters"));
        }
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: RawPayout<'_> = RawPayout {
        beneficiary_id: Some("ben_01HX8Z9K0M2N3P4Q5R6S7T8VAB"),
        instrument_id: Some("ins_01HX8Z9K0M2N3P4Q5R6S7T8VAB"),
        source_amount: Some("550.00"),
        dest_amount: Some("500.00"),
        dest_currency: Some("EUR"),
        method: Some("sepa"),
        source_currency: Some("USD"),
        purpose: None,
        reference: None,
        rail_type: None,
        network: None,
        fee_bearer: None,
        fixed_side: None,
        quote_id: None,
    };

    fn refused(raw: RawPayout<'_>) -> Vec<String> {
        let refused = NewPayout::check(&raw, Metadata::default()).unwrap_err();
        refused.fields().iter().map(|fault| fault.field.clone()).collect()
    }

    #[test]
    fn what_is_left_out_has_the_published_default() {
        let new = NewPayout::check(&GOOD, Metadata::default()).unwrap();
        assert_eq!((new.bearer, new.fixed), (FeeBearer::Merchant, FixedSide::Dest));
        assert_eq!(new.rail_type, RailType::Fiat);
        let same = RawPayout { source_currency: None, source_amount: Some("500.00"), ..GOOD };
        let same = NewPayout::check(&same, Metadata::default()).unwrap();
        assert_eq!(same.source.currency(), Currency::EUR);
    }

    #[test]
    fn every_fault_is_told_and_none_twice() {
        let nothing = RawPayout::default();
        assert_eq!(
            refused(nothing),
            [
                "beneficiary_id",
                "instrument_id",
                "dest_currency",
                "source_amount",
                "dest_amount",
                "method"
            ]
        );
        let long = "x".repeat(256);
        for (raw, field) in [
            (RawPayout { beneficiary_id: Some("pay_1"), ..GOOD }, "beneficiary_id"),
            (RawPayout { source_amount: Some("0.00"), ..GOOD }, "source_amount"),
            (RawPayout { source_amount: Some("-1.00"), ..GOOD }, "source_amount"),
            (RawPayout { dest_amount: Some("1.001"), ..GOOD }, "dest_amount"),
            (RawPayout { dest_amount: Some("1e3"), ..GOOD }, "dest_amount"),
            (RawPayout { dest_currency: Some("EURO!"), ..GOOD }, "dest_currency"),
            (RawPayout { source_currency: Some("usd"), ..GOOD }, "source_currency"),
            (RawPayout { source_currency: Some("EUR"), ..GOOD }, "dest_amount"),
            (RawPayout { method: Some("pigeon"), ..GOOD }, "method"),
            (RawPayout { rail_type: Some("crypto"), ..GOOD }, "rail_type"),
            (RawPayout { rail_type: Some("rail"), ..GOOD }, "rail_type"),
            (RawPayout { fee_bearer: Some("payee"), ..GOOD }, "fee_bearer"),
            (RawPayout { fixed_side: Some("source"), ..GOOD }, "fixed_side"),
            (RawPayout { quote_id: Some("fxq_1"), ..GOOD }, "quote_id"),
            (RawPayout { purpose: Some(&long), ..GOOD }, "purpose"),
            (RawPayout { reference: Some("a\nb"), ..GOOD }, "reference"),
            (RawPayout { reference: Some(""), ..GOOD }, "reference"),
        ] {
            assert_eq!(refused(raw), [field], "{raw:?}");
        }
    }
}
