//! What is personal: its shape, and the form in which two records of one person are equal.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::BeneficiaryType;
use crate::money::Country;

/// Who somebody is. `Debug` shows nothing of it, so that no log can.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pii {
    /// A person.
    Individual(Individual),
    /// A business.
    Business(Business),
}

/// A person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize, ZeroizeOnDrop)]
pub struct Individual {
    /// Given name.
    pub first_name: String,
    /// What stands between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// Family name.
    pub last_name: String,
    /// Where it reads mail.
    pub email: String,
    /// E.164.
    pub phone: String,
    /// `YYYY-MM-DD`.
    pub date_of_birth: String,
    /// Whose passport.
    #[zeroize(skip)]
    #[schema(value_type = String, pattern = "^[A-Z]{2}$")]
    pub nationality: Country,
    /// Where it lives.
    pub address: Address,
}

/// A business.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize, ZeroizeOnDrop)]
pub struct Business {
    /// As in the register.
    pub legal_name: String,
    /// As on the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trading_name: Option<String>,
    /// Its number in the register.
    pub registration_number: String,
    /// Its number at the tax office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    /// Such as `llc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    /// Where it is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[zeroize(skip)]
    #[schema(value_type = Option<String>, pattern = "^[A-Z]{2}$")]
    pub incorporation_country: Option<Country>,
    /// Since when, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incorporation_date: Option<String>,
    /// Where it reads mail.
    pub email: String,
    /// E.164.
    pub phone: String,
    /// Where it can be read about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Where it sits.
    pub address: Address,
}

/// Structured only: free address lines cannot be screened, and rails stop taking them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize, ZeroizeOnDrop)]
pub struct Address {
    /// Street and number.
    pub street_line_1: String,
    /// Flat, floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_line_2: Option<String>,
    /// Town.
    pub city: String,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Postal code.
    pub postal_code: String,
    /// Country.
    #[zeroize(skip)]
    #[schema(value_type = String, pattern = "^[A-Z]{2}$")]
    pub country: Country,
}

impl Pii {
    /// Whether it is a person or a business.
    pub const fn kind(&self) -> BeneficiaryType {
        match self {
            Self::Individual(_) => BeneficiaryType::Individual,
            Self::Business(_) => BeneficiaryType::Business,
        }
    }

    /// The name to show: the parts joined, or the legal name.
    pub fn display_name(&self) -> String {
        match self {
            Self::Individual(person) => {
                let middle = person.middle_name.as_deref();
                let parts = [Some(&*person.first_name), middle, Some(&*person.last_name)];
                let joined = parts.into_iter().flatten().map(str::trim).collect::<Vec<_>>();
                // Three names of the longest kind would be longer than a name to show may be.
                joined.join(" ").chars().take(255).collect()
            }
            Self::Business(business) => business.legal_name.trim().to_owned(),
        }
    }

    /// The form in which two records of one person are equal: composed characters (NFC), case folded,
    /// nothing at the ends. It is what the fingerprint is taken of, so it may never change.
    pub fn canonical(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut shape = serde_json::to_value(self)?;
        fold(&mut shape);
        serde_json::to_vec(&shape)
    }
}

fn fold(value: &mut Value) {
    match value {
        Value::String(text) => {
            let composed: String = text.trim().nfc().collect();
            // Up and down again folds what has no single lower-case letter: `ß`, final `ς`.
            *text = composed.to_uppercase().to_lowercase().nfc().collect();
        }
        Value::Object(members) => members.values_mut().for_each(fold),
        _ => {}
    }
}

macro_rules! silent {
    ($($name:ident)+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )+};
}

silent! { Pii Individual Business Address }

#[cfg(test)]
mod tests {
    use super::*;

    fn person(first: &str, last: &str) -> Pii {
        let country: Country = "DE".parse().unwrap();
        let text = str::to_owned;
        Pii::Individual(Individual {
            first_name: text(first),
            middle_name: None,
            last_name: text(last),
            email: text("ada@example.com"),
            phone: text("+4915112345678"),
            date_of_birth: text("1990-01-31"),
            nationality: country,
            address: Address {
                street_line_1: text("Weg 1"),
                street_line_2: None,
                city: text("Ulm"),
                state: None,
                postal_code: text("89073"),
                country,
            },
        })
    }

    #[test]
    fn one_person_has_one_canonical_form() {
        let one = person("Zoë", "Groß").canonical().unwrap();
        for same in [("zoë", "GROSS"), (" Zoe\u{308} ", "Groß"), ("ZOË", "groß")] {
            assert_eq!(person(same.0, same.1).canonical().unwrap(), one, "{same:?}");
        }
        assert_ne!(person("Zoe", "Groß").canonical().unwrap(), one);
    }

    #[test]
    fn nothing_of_it_is_shown() {
        let pii = person("Ada", "Lovelace");
        assert_eq!(format!("{pii:?}"), "Pii(***)");
        assert_eq!(pii.display_name(), "Ada Lovelace");
        let Pii::Individual(person) = pii else { panic!() };
        assert_eq!(format!("{person:?} {:?}", person.address), "Individual(***) Address(***)");
    }
}
