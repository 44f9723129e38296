//! How beneficiaries are paid: each instrument method with the form and the rules of its credentials.
//!
//! One table makes the JSON Schema that `GET /v1/payment-methods` shows, and checks the credentials
//! of a new instrument, so that the two cannot say different things. What a form cannot say is a
//! named rule: check digits, structures by country, checksums of wallets. No rule can tell whether an
//! account exists.

mod bank;
mod card;
mod digits;
mod field;
mod iban;
mod proxy;
mod rule;
mod shown;
mod table;
mod wallet;

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{base::timestamp::Timestamp, money::Country};
pub use field::{Field, Form};
pub use rule::Rule;
pub use shown::Shown;
pub use table::METHODS;

use rule::Given;

/// A credential format: not the rail, but what must be known to pay somebody.
pub struct InstrumentMethod {
    /// The published word.
    pub word: &'static str,
    /// As shown to people.
    pub name: &'static str,
    countries: Countries,
    /// The field that names the account; masks are made of it.
    account: &'static str,
    /// What its credentials are made of.
    pub fields: &'static [Field],
    /// What they must pass besides their forms.
    pub rules: &'static [Rule],
}

#[derive(Debug)]
enum Countries {
    /// Everywhere.
    All,
    /// Where there are IBANs.
    Iban,
    /// Only there.
    Only(&'static [&'static str]),
}

/// One fault of credentials. It never quotes a value: these are account numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CredentialFault {
    /// For example `credentials.iban`.
    pub field: String,
    /// What was broken: `form`, `required`, `unknown_field`, or the name of a rule.
    pub rule: &'static str,
    /// What to do.
    pub message: String,
}

/// What good credentials tell about themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What may be shown of them.
    pub shown: Shown,
    /// Where the account is, if that can be seen.
    pub country: Option<Country>,
}

impl InstrumentMethod {
    /// The method of a word.
    pub fn find(word: &str) -> Option<&'static Self> {
        METHODS.iter().find(|method| method.word == word)
    }

    /// Whether somebody in this country can be paid by it.
    pub fn serves(&self, country: Country) -> bool {
        match self.countries {
            Countries::All => true,
            Countries::Iban => iban::serves(country),
            Countries::Only(codes) => codes.contains(&country.code()),
        }
    }

    /// Whether an account whose credentials show one country may be said to be in another: accounts of
    /// some territories carry the code of the country they belong to.
    pub fn is_in(&self, seen: Country, said: Country) -> bool {
        match self.countries {
            Countries::Iban => iban::issuer(said) == iban::issuer(seen),
            _ => seen == said,
        }
    }

    /// The form of its credentials as JSON Schema (2020-12); `x-checksum` names the rule of a field's
    /// check digits, `x-rules` every rule besides its form.
    pub fn schema(&self) -> Value {
        let shown = |field: &Field| {
            let own = self.rules.iter().filter(|rule| rule.field == field.name);
            let rules: Vec<&str> = own.map(|rule| rule.name).collect();
            (field.name.to_owned(), field.schema(&rules))
        };
        let properties: Map<String, Value> = self.fields.iter().map(shown).collect();
        let required = self.fields.iter().filter(|field| field.required).map(|field| field.name);
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": required.collect::<Vec<_>>(),
            "additionalProperties": false,
        })
    }

    /// Checks credentials against the same table: what they tell, or every fault with its path.
    pub fn check(&self, value: &Value, now: Timestamp) -> Result<Accepted, Vec<CredentialFault>> {
        let Value::Object(members) = value else {
            return Err(vec![fault("", "form", "must be an object")]);
        };
        let mut faults = self.unknown(members);
        for field in self.fields {
            match members.get(field.name).filter(|value| !value.is_null()) {
                None if field.required => {
                    faults.push(fault(field.name, "required", "is required"));
                }
                None => {}
                Some(value) => {
                    faults.extend(field.refuses(value).map(|why| fault(field.name, "form", &why)));
                }
            }
        }
        let given = Given::new(members, now);
        for rule in self.rules {
            let told = |name: &str| {
                let path = format!("credentials.{name}");
                faults.iter().any(|fault| fault.field == path)
            };
            if !told(rule.field) && !rule.with.iter().any(|name| told(name)) && !rule.passes(&given)
            {
                faults.push(fault(rule.field, rule.name, rule.otherwise));
            }
        }
        if faults.is_empty() { Ok(self.accept(&given)) } else { Err(faults) }
    }

    /// Members that no method has: card verification values among them, which nobody may store.
    fn unknown(&self, members: &Map<String, Value>) -> Vec<CredentialFault> {
        let known = |name: &str| self.fields.iter().any(|field| field.name == name);
        let word = |name: &str| {
            name.len() <= 64 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        let unknown = members.keys().filter(|name| !known(name));
        // A name that is no word may be a value in the wrong place.
        let shown = |name: &String| if word(name) { name.clone() } else { "(unknown)".to_owned() };
        unknown
            .map(|name| fault(&shown(name), "unknown_field", "is not a known field; leave it out"))
            .collect()
    }

    fn accept(&self, given: &Given<'_>) -> Accepted {
        let country = match self.countries {
            Countries::Iban => iban::country(given.text("iban")),
            Countries::Only(&[code]) => code.parse().ok(),
            Countries::Only(_) | Countries::All => None,
        };
        Accepted { shown: Shown::of(self, *given), country }
    }
}

/// Two methods are one when their words are.
impl PartialEq for InstrumentMethod {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for InstrumentMethod {}

impl fmt::Debug for InstrumentMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

fn fault(name: &str, rule: &'static str, message: &str) -> CredentialFault {
    let field = format!("credentials.{name}").trim_end_matches('.').to_owned();
    CredentialFault { field, rule, message: message.to_owned() }
}

#[cfg(test)]
mod tests;
