//! The shape of a plan in a file and in a stored row, read whole and written canonically.
//!
//! ```toml
//! [[plans]]
//! key = "sepa"                     # yours; a second import with it makes a new version
//! name = "SEPA credit transfer"
//! source_currency = "EUR"          # what is left out covers everything
//! dest_currency = "EUR"
//! method = "sepa"
//! fee_type = "hybrid"              # fixed, percentage, hybrid or tiered
//! fixed_fee = "0.25"
//! percentage_fee = "0.10"          # percent: ten basis points
//! max_fee = "20.00"
//! fixed_currency = "EUR"           # of every amount here; else the source currency
//! fee_currency = "source"          # source, dest or a code
//! rounding = "half_up"
//! quote_ttl_seconds = 1800
//! ```

use std::collections::HashSet;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::{
    base::{failure::FieldFault, ids::MerchantId, timestamp::Timestamp},
    money::{Amount, Currency, Rounding},
    pricing::Method,
};

use super::{
    model::{Covers, PlanVersion},
    reader::Fields,
    terms::{FeeCurrency, FeeRule, Percent, Terms, Tier, TierBasis, TierMode, Tiers},
};

/// How long a quote may hold, in seconds; the default is half an hour.
const TTLS: [u32; 7] = [60, 300, 900, DEFAULT_TTL, 3_600, 14_400, 86_400];
const DEFAULT_TTL: u32 = 1_800;
const MOST_TIERS: usize = 50;

const PLAN: &[&str] = &[
    "key",
    "name",
    "merchant",
    "active",
    "priority",
    "effective_from",
    "quote_ttl_seconds",
    "source_currency",
    "dest_currency",
    "dest_country",
    "method",
    "min_amount",
    "max_amount",
    "fee_type",
    "fixed_fee",
    "fixed_currency",
    "percentage_fee",
    "min_fee",
    "max_fee",
    "fee_currency",
    "rounding",
    "tier_mode",
    "tier_on",
    "tiers",
];
const TIER: &[&str] = &["min_volume", "max_volume", "fixed_fee", "percentage_fee"];

/// A version as a file wishes it; number and moment are given when it is imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Which plan.
    pub key: String,
    /// For whom.
    pub merchant: Option<MerchantId>,
    /// From when; from the import on if absent.
    pub effective_from: Option<Timestamp>,
    /// The rest; its number and moment are not yet meant.
    pub version: PlanVersion,
}

/// The two file formats; they have the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `[[plans]]` tables.
    Toml,
    /// `{ "plans": [ … ] }`.
    Json,
}

/// Reads a whole file; every fault in it is reported, with the path of its field.
pub fn read(text: &str, format: Format) -> Result<Vec<Draft>, Vec<FieldFault>> {
    let refused = |message: String| vec![FieldFault { field: "file".to_owned(), message }];
    let document: Value = match format {
        Format::Json => serde_json::from_str(text)
            .map_err(|error| refused(format!("is not readable as JSON: {error}")))?,
        Format::Toml => toml::from_str(text)
            .map_err(|error| refused(format!("is not readable as TOML: {error}")))?,
    };
    let mut faults = Vec::new();
    let Some(mut file) = Fields::of(String::new(), &document, &["plans"], &mut faults) else {
        return Err(faults);
    };
    let plans = match file.get("plans") {
        Some(Value::Array(plans)) if !plans.is_empty() => plans.as_slice(),
        _ => {
            file.fault("plans", "must be a list of at least one plan");
            &[]
        }
    };
    let mut drafts = Vec::new();
    let mut keys = HashSet::new();
    for (place, plan) in plans.iter().enumerate() {
        let path = format!("plans.{place}");
        if plan.get("key").and_then(Value::as_str).is_some_and(|key| !keys.insert(key)) {
            let message = "is used by an earlier plan of this file".to_owned();
            faults.push(FieldFault { field: format!("{path}.key"), message });
        }
        drafts.extend(read_plan(path, plan, &mut faults));
    }
    if faults.is_empty() { Ok(drafts) } else { Err(faults) }
}

/// Reads the version that was written into a row in its canonical form.
pub fn read_stored(
    number: u32,
    effective_from: Timestamp,
    stored: &Value,
) -> Result<PlanVersion, Vec<FieldFault>> {
    let mut faults = Vec::new();
    let version = Fields::of("plan".to_owned(), stored, PLAN, &mut faults)
        .and_then(|mut fields| read_version(&mut fields));
    match version {
        Some(version) if faults.is_empty() => Ok(PlanVersion { number, effective_from, ..version }),
        _ => Err(faults),
    }
}

fn read_plan(path: String, plan: &Value, faults: &mut Vec<FieldFault>) -> Option<Draft> {
    let mut fields = Fields::of(path, plan, PLAN, faults)?;
    let key = match fields.text("key") {
        Some(key) if is_key(key) => Some(key.to_owned()),
        _ => {
            fields.fault("key", "must be 1 to 64 small letters, digits, - or _");
            None
        }
    };
    let merchant = fields.parsed("merchant");
    let effective_from = fields.parsed("effective_from");
    let version = read_version(&mut fields);
    Some(Draft { key: key?, merchant, effective_from, version: version? })
}

fn is_key(key: &str) -> bool {
    (1..=64).contains(&key.len())
        && key
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn read_version(fields: &mut Fields<'_, '_>) -> Option<PlanVersion> {
    let name = fields.text("name").unwrap_or_default();
    if name.trim().is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        fields.fault("name", "must be 1 to 200 printable characters");
    }
    let quote_ttl_seconds = fields.whole("quote_ttl_seconds", 60..=86_400).unwrap_or(DEFAULT_TTL);
    if !TTLS.contains(&quote_ttl_seconds) {
        fields.fault("quote_ttl_seconds", format!("must be one of {TTLS:?}"));
    }
    let covers = read_covers(fields);
    let terms = read_terms(fields, covers.source_currency);
    Some(PlanVersion {
        number: 0,
        effective_from: Timestamp::from_micros(0),
        name: name.to_owned(),
        active: fields.flag("active").unwrap_or(true),
        priority: fields.whole("priority", -1_000_000..=1_000_000).unwrap_or(0),
        covers,
        terms: terms?,
        quote_ttl_seconds,
    })
}

fn read_covers(fields: &mut Fields<'_, '_>) -> Covers {
    let source_currency = fields.parsed("source_currency");
    let mut bound = |name| {
        if let Some(currency) = source_currency {
            return fields.amount(name, currency);
        }
        if fields.has(name) {
            fields.fault(name, "needs a source_currency to be counted in");
        }
        None
    };
    let (min_amount, max_amount) = (bound("min_amount"), bound("max_amount"));
    if let (Some(least), Some(most)) = (min_amount, max_amount)
        && least.minor() > most.minor()
    {
        fields.fault("max_amount", "must not be below min_amount");
    }
    Covers {
        source_currency,
        dest_currency: fields.parsed("dest_currency"),
        dest_country: fields.parsed("dest_country"),
        method: fields.parsed("method"),
        min_amount,
        max_amount,
    }
}

fn read_terms(fields: &mut Fields<'_, '_>, source: Option<Currency>) -> Option<Terms> {
    let money = ["fixed_fee", "min_fee", "max_fee", "tiers"].iter().any(|name| fields.has(name));
    let currency = fields.parsed("fixed_currency").or(source);
    if money && currency.is_none() && !fields.has("fixed_currency") {
        fields.fault("fixed_currency", "is required for amounts when source_currency is open");
    }
    let mut bound = |name| currency.and_then(|currency| fields.amount(name, currency));
    let (min_fee, max_fee) = (bound("min_fee"), bound("max_fee"));
    if let (Some(least), Some(most)) = (min_fee, max_fee)
        && least.minor() > most.minor()
    {
        fields.fault("max_fee", "must not be below min_fee");
    }
    let fee_currency = match fields.get("fee_currency").and_then(Value::as_str) {
        None if !fields.has("fee_currency") => FeeCurrency::Source,
        Some("source") => FeeCurrency::Source,
        Some("dest") => FeeCurrency::Dest,
        _ => FeeCurrency::Named(fields.parsed("fee_currency").unwrap_or(Currency::EUR)),
    };
    let rounding = fields.parsed("rounding").unwrap_or(Rounding::HalfUp);
    let fee = read_fee(fields, currency)?;
    // A currency beside no amount would only ask for a rate that nobody needs.
    let currency = currency.filter(|_| money);
    Some(Terms { fee, currency, fee_currency, min_fee, max_fee, rounding })
}

fn read_fee(fields: &mut Fields<'_, '_>, currency: Option<Currency>) -> Option<FeeRule> {
    let kind = fields.word("fee_type", &["fixed", "percentage", "hybrid", "tiered"], |word| word);
    if kind.is_none() && !fields.has("fee_type") {
        fields.fault("fee_type", "is required: fixed, percentage, hybrid or tiered");
    }
    let kind = kind?;
    let needed: &[&str] = match kind {
        "fixed" => &["fixed_fee"],
        "percentage" => &["percentage_fee"],
        "hybrid" => &["fixed_fee", "percentage_fee"],
        _ => &["tier_mode", "tier_on", "tiers"],
    };
    for name in ["fixed_fee", "percentage_fee", "tier_mode", "tier_on", "tiers"] {
        if needed.contains(&name) && !fields.has(name) {
            fields.fault(name, format!("is required when fee_type is {kind}"));
        } else if !needed.contains(&name) && fields.has(name) {
            fields.fault(name, format!("has no meaning when fee_type is {kind}; remove it"));
        }
    }
    let percent = fields.parsed("percentage_fee");
    if kind == "percentage" {
        return percent.map(FeeRule::Percentage);
    }
    let currency = currency?;
    let fixed = fields.amount("fixed_fee", currency);
    match kind {
        "fixed" => fixed.map(FeeRule::Fixed),
        "hybrid" => Some(FeeRule::Hybrid(fixed?, percent?)),
        _ => {
            let mode = fields.word("tier_mode", &TierMode::ALL, TierMode::as_str);
            let on = fields.word("tier_on", &TierBasis::ALL, TierBasis::as_str);
            let tiers = read_tiers(fields, currency);
            Some(FeeRule::Tiered(Tiers { mode: mode?, on: on?, tiers: tiers? }))
        }
    }
}

fn read_tiers(fields: &mut Fields<'_, '_>, currency: Currency) -> Option<Vec<Tier>> {
    let written = match fields.get("tiers")? {
        Value::Array(tiers) if (1..=MOST_TIERS).contains(&tiers.len()) => tiers,
        _ => {
            fields.fault("tiers", format!("must be a list of 1 to {MOST_TIERS} tiers"));
            return None;
        }
    };
    let path = fields.path("tiers");
    let mut begins = Some(Amount::zero(currency));
    let mut tiers = Vec::new();
    for (place, tier) in written.iter().enumerate() {
        let mut fields = Fields::of(format!("{path}.{place}"), tier, TIER, fields.nested())?;
        let min_volume =
            fields.amount("min_volume", currency).unwrap_or_else(|| Amount::zero(currency));
        if Some(min_volume) != begins {
            let wanted = begins.map_or("nothing".to_owned(), Amount::render);
            fields.fault("min_volume", format!("must be {wanted}, where the tier before it ends"));
        }
        let max_volume = fields.amount("max_volume", currency);
        let last = place + 1 == written.len();
        match max_volume {
            Some(most) if most.minor() <= min_volume.minor() => {
                fields.fault("max_volume", "must be above min_volume");
            }
            Some(_) if last => fields.fault("max_volume", "must be left out of the last tier"),
            None if !last && !fields.has("max_volume") => {
                fields.fault("max_volume", "is required in all tiers but the last");
            }
            _ => {}
        }
        if !fields.has("fixed_fee") && !fields.has("percentage_fee") {
            fields.fault("percentage_fee", "is required, unless the tier has a fixed_fee");
        }
        begins = max_volume;
        tiers.push(Tier {
            min_volume,
            max_volume,
            fixed_fee: fields
                .amount("fixed_fee", currency)
                .unwrap_or_else(|| Amount::zero(currency)),
            percentage_fee: fields.parsed("percentage_fee").unwrap_or(Percent::ZERO),
        });
    }
    Some(tiers)
}

/// The canonical form of everything but number and moment: one spelling for equal versions. Each quote
/// carries it.
impl Serialize for PlanVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, active, priority, covers, terms, quote_ttl_seconds, .. } = self;
        let (fixed, percent, tiers) = match &terms.fee {
            FeeRule::Fixed(fixed) => (Some(*fixed), None, None),
            FeeRule::Percentage(percent) => (None, Some(*percent), None),
            FeeRule::Hybrid(fixed, percent) => (Some(*fixed), Some(*percent), None),
            FeeRule::Tiered(tiers) => (None, None, Some(tiers)),
        };
        let mut members = Members(serializer.serialize_map(None)?);
        members.put("name", Some(name))?;
        members.put("active", Some(active))?;
        members.put("priority", Some(priority))?;
        members.put("source_currency", covers.source_currency)?;
        members.put("dest_currency", covers.dest_currency)?;
        members.put("dest_country", covers.dest_country)?;
        members.put("method", covers.method.map(Method::as_str))?;
        members.put("min_amount", covers.min_amount.map(Amount::render))?;
        members.put("max_amount", covers.max_amount.map(Amount::render))?;
        members.put("fee_type", Some(terms.fee.as_str()))?;
        members.put("fixed_currency", terms.currency)?;
        members.put("tier_mode", tiers.map(|tiers| tiers.mode.as_str()))?;
        members.put("tier_on", tiers.map(|tiers| tiers.on.as_str()))?;
        members.put("tiers", tiers.map(|tiers| &tiers.tiers))?;
        members.put("fixed_fee", fixed.map(Amount::render))?;
        members.put("percentage_fee", percent.map(|percent| percent.to_string()))?;
        members.put("min_fee", terms.min_fee.map(Amount::render))?;
        members.put("max_fee", terms.max_fee.map(Amount::render))?;
        members.put("fee_currency", Some(terms.fee_currency.as_str()))?;
        members.put("rounding", Some(terms.rounding.as_str()))?;
        members.put("quote_ttl_seconds", Some(quote_ttl_seconds))?;
        members.0.end()
    }
}

impl Serialize for Tier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = Members(serializer.serialize_map(None)?);
        members.put("min_volume", Some(self.min_volume.render()))?;
        members.put("max_volume", self.max_volume.map(Amount::render))?;
        members.put("fixed_fee", Some(self.fixed_fee.render()))?;
        members.put("percentage_fee", Some(self.percentage_fee.to_string()))?;
        members.0.end()
    }
}

/// The members of an object, of which those that say nothing are left out.
struct Members<M>(M);

impl<M: SerializeMap> Members<M> {
    fn put(&mut self, name: &'static str, value: Option<impl Serialize>) -> Result<(), M::Error> {
        value.map_or(Ok(()), |value| self.0.serialize_entry(name, &value))
    }
}
