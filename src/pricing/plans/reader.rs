//! Reading one object of an import file, collecting every fault instead of stopping at the first.

use std::{fmt::Display, str::FromStr};

use serde_json::{Map, Value};

use crate::{
    base::failure::FieldFault,
    money::{Amount, Currency},
};

/// How the TOML reader hands over a date that was written without quotes.
const TOML_DATE: &str = "$__toml_private_datetime";

/// The members of one object, its place in the file, and the list of faults to add to.
pub(super) struct Fields<'a, 'f> {
    path: String,
    members: &'a Map<String, Value>,
    known: &'static [&'static str],
    faults: &'f mut Vec<FieldFault>,
}

impl<'a, 'f> Fields<'a, 'f> {
    /// Looks at an object that may have the `known` members and no others.
    pub(super) fn of(
        path: String,
        value: &'a Value,
        known: &'static [&'static str],
        faults: &'f mut Vec<FieldFault>,
    ) -> Option<Self> {
        let Value::Object(members) = value else {
            faults.push(FieldFault { field: path, message: "must be an object".to_owned() });
            return None;
        };
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            let nearest = known
                .iter()
                .map(|known| (strsim::damerau_levenshtein(name, known), known))
                .min()
                .filter(|(distance, _)| *distance <= 3);
            let message = match nearest {
                Some((_, known)) => format!("is not a member here; is {known} meant?"),
                None => format!("is not a member here; there are {}", known.join(", ")),
            };
            faults.push(FieldFault { field: join(&path, name), message });
        }
        Some(Self { path, members, known, faults })
    }

    /// Where a member is, for faults and for nested objects.
    pub(super) fn path(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Reports a fault of one member.
    pub(super) fn fault(&mut self, name: &str, message: impl Display) {
        let field = self.path(name);
        self.faults.push(FieldFault { field, message: message.to_string() });
    }

    /// Whether a member was written at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        debug_assert!(self.known.contains(&name), "{name} is read and not declared");
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A text, if it is there and is one.
    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        match self.get(name)? {
            Value::String(text) => Some(text),
            Value::Object(date) if date.contains_key(TOML_DATE) => date.get(TOML_DATE)?.as_str(),
            // A number would have gone through a binary fraction before we see it.
            Value::Number(_) => {
                self.fault(name, "must be in quotes: numbers would lose exactness on the way");
                None
            }
            _ => {
                self.fault(name, "must be a text");
                None
            }
        }
    }

    /// A text that reads as `T`.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        text.parse().map_err(|error| self.fault(name, error)).ok()
    }

    /// A text that is one of the words of an enumeration.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &str,
        words: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.text(name)?;
        let found = words.iter().copied().find(|word| as_str(*word) == text);
        if found.is_none() {
            let words: Vec<_> = words.iter().map(|word| as_str(*word)).collect();
            self.fault(name, format!("must be {}", words.join(" or ")));
        }
        found
    }

    /// An amount of nothing or more.
    pub(super) fn amount(&mut self, name: &str, currency: Currency) -> Option<Amount> {
        let text = self.text(name)?;
        match Amount::parse(text, currency) {
            Ok(amount) if amount.is_negative() => self.fault(name, "must not be negative"),
            Ok(amount) => return Some(amount),
            Err(error) => self.fault(name, error),
        }
        None
    }

    /// A whole number within bounds.
    pub(super) fn whole<T: TryFrom<i64>>(
        &mut self,
        name: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<T> {
        let number = self.get(name)?.as_i64().filter(|number| range.contains(number));
        let found = number.and_then(|number| T::try_from(number).ok());
        if found.is_none() {
            let (least, most) = range.into_inner();
            self.fault(name, format!("must be a whole number from {least} to {most}"));
        }
        found
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let found = self.get(name)?.as_bool();
        if found.is_none() {
            self.fault(name, "must be true or false");
        }
        found
    }

    /// Lends the list of faults to the reader of a nested object.
    pub(super) fn nested(&mut self) -> &mut Vec<FieldFault> {
        self.faults
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
