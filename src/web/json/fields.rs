//! Reads a body member by member and reports every fault together.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::base::failure::{Failure, FieldFault, Result};

/// The members of one object. Ask for each that the API documents, then call [`Fields::finish`].
///
/// ```text
/// let mut fields = body.fields()?;
/// let currency = fields.required("source_currency", text(Currency::from_str));
/// let country = fields.optional("dest_country", text(Country::from_str));
/// fields.finish(|| Some(NewQuote { currency: currency?, country: country? }))
/// ```
#[derive(Debug)]
pub struct Fields<'a> {
    members: &'a Map<String, Value>,
    path: String,
    known: BTreeSet<&'static str>,
    faults: Vec<FieldFault>,
}

impl<'a> Fields<'a> {
    /// The members of a body that must be an object.
    pub fn of(value: &'a Value) -> Result<Self> {
        let Value::Object(members) = value else {
            return Err(Failure::invalid(vec![FieldFault {
                field: "(body)".to_owned(),
                message: "must be a JSON object".to_owned(),
            }]));
        };
        Ok(Self { members, path: String::new(), known: BTreeSet::new(), faults: Vec::new() })
    }

    /// A member that must be there; `None` after a fault was noted.
    pub fn required<T, E: ToString>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, E>,
    ) -> Option<T> {
        let Some(value) = self.member(name) else {
            self.fault(name, "is required");
            return None;
        };
        self.noted(name, read(value))
    }

    /// A member that may be missing or null: `Some(None)` then, `None` after a fault was noted.
    pub fn optional<T, E: ToString>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.member(name) {
            Some(value) => self.noted(name, read(value)).map(Some),
            None => Some(None),
        }
    }

    /// An object inside this one, read by `inner` under its dotted path.
    pub fn nested<T>(
        &mut self,
        name: &'static str,
        inner: impl FnOnce(&mut Fields<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        let Some(value) = self.member(name) else { return Some(None) };
        let Value::Object(members) = value else {
            self.fault(name, "must be an object");
            return None;
        };
        let path = format!("{}{name}.", self.path);
        let mut fields = Fields { members, path, known: BTreeSet::new(), faults: Vec::new() };
        let value = inner(&mut fields);
        fields.note_unknown();
        fields.note_unstorable();
        self.faults.append(&mut fields.faults);
        value.map(Some)
    }

    /// Notes a fault that only several members together show.
    pub fn fault(&mut self, name: &str, message: &str) {
        let field = format!("{}{name}", self.path);
        self.faults.push(FieldFault { field, message: message.to_owned() });
    }

    /// Joins the faults of the shape with those that a model's own check has found; of a member that
    /// has been told already, the first fault is enough.
    pub fn judge<T>(mut self, verdict: Result<T>) -> Result<T> {
        let value = match verdict {
            Ok(value) => Some(value),
            Err(failure) if failure.fields().is_empty() => return Err(failure),
            Err(failure) => {
                let told: BTreeSet<String> =
                    self.faults.iter().map(|fault| fault.field.clone()).collect();
                let fresh = failure.fields().iter().filter(|fault| !told.contains(&fault.field));
                self.faults.extend(fresh.cloned());
                None
            }
        };
        self.finish(|| value)
    }

    /// A text member as it came, for a model that checks it; a fault when it is another type.
    pub fn raw_text(&mut self, name: &'static str) -> Option<&'a str> {
        let value = self.member(name)?;
        let text = value.as_str();
        if text.is_none() {
            self.fault(name, "must be a string");
        }
        text
    }

    /// Refuses unknown members, reports all faults, or builds the value.
    pub fn finish<T>(mut self, build: impl FnOnce() -> Option<T>) -> Result<T> {
        self.note_unknown();
        self.note_unstorable();
        if !self.faults.is_empty() {
            return Err(Failure::invalid(self.faults));
        }
        build().ok_or_else(|| Failure::internal("a value is missing and no fault was noted"))
    }

    fn member(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.insert(name);
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn noted<T, E: ToString>(&mut self, name: &str, read: Result<T, E>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(name, &error.to_string());
                None
            }
        }
    }

    /// Refuses what no database text can hold, in a member or anywhere under it, whoever reads it.
    fn note_unstorable(&mut self) {
        for (name, _) in self.members.iter().filter(|(_, value)| holds_nul(value)) {
            let field = format!("{}{name}", self.path);
            let told = |fault: &FieldFault| {
                let rest = fault.field.strip_prefix(&field);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            if self.known.contains(name.as_str()) && !self.faults.iter().any(told) {
                self.fault(name, "must not hold a NUL character");
            }
        }
    }

    fn note_unknown(&mut self) {
        let unknown: Vec<_> =
            self.members.keys().filter(|name| !self.known.contains(name.as_str())).collect();
        for name in unknown {
            // Names come from outside; a long one would only swell the answer.
            let name: String = name.chars().take(64).collect();
            let field = format!("{}{name}", self.path);
            self.faults.push(FieldFault { field, message: "is not a known field".to_owned() });
        }
    }
}

/// `PostgreSQL` stores no NUL: further in, one would look like a fault of ours.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => {
            members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Reads a JSON string with a text parser.
pub fn text<T, E: ToString>(
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> impl FnOnce(&Value) -> Result<T, String> {
    move |value| match value {
        Value::String(text) => parse(text).map_err(|error| error.to_string()),
        _ => Err("must be a string".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_fault_is_told_with_its_path() {
        let body = json!({
            "a": 1, "nested": { "b": "x", "odd": 1 }, "extra": true, "empty": null,
        });
        let mut fields = Fields::of(&body).unwrap();
        let a = fields.required("a", text(str::parse::<String>));
        let missing = fields.required("missing", text(str::parse::<String>));
        let empty = fields.optional("empty", text(str::parse::<String>));
        let nested = fields.nested("nested", |inner| inner.required("b", text(str::parse::<u8>)));
        assert_eq!(empty, Some(None));
        let refused = fields.finish(|| Some((a?, missing?, nested?))).unwrap_err();
        let told: Vec<_> =
            refused.fields().iter().map(|f| format!("{} {}", f.field, f.message)).collect();
        assert_eq!(
            told,
            [
                "a must be a string",
                "missing is required",
                "nested.b invalid digit found in string",
                "nested.odd is not a known field",
                "extra is not a known field",
            ]
        );
    }

    #[test]
    fn a_nul_is_refused_at_any_depth_and_told_once() {
        let body = json!({
            "a": "x\0", "list": ["\0"], "free": { "k\0": 1 }, "in": { "b": "\0", "c": "x" },
            "odd\0": 1, "said": "\0", "good": "\\u0000",
        });
        let mut fields = Fields::of(&body).unwrap();
        let own = |name: &'static str, fields: &mut Fields<'_>| {
            fields.required(name, text(str::parse::<String>))
        };
        own("a", &mut fields);
        own("good", &mut fields);
        for name in ["list", "free"] {
            fields.required(name, |value| Ok::<_, String>(value.clone()));
        }
        fields.nested("in", |inner| own("b", inner).and(own("c", inner)));
        fields.required("said", text(str::parse::<u8>));
        let refused = fields.finish(|| Some(())).unwrap_err();
        let mut told: Vec<_> = refused.fields().iter().map(|fault| fault.field.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, ["a", "free", "in.b", "list", "odd\0", "said"]);
    }

    #[test]
    fn a_good_body_is_built() {
        let body = json!({ "a": "7" });
        let mut fields = Fields::of(&body).unwrap();
        let a = fields.required("a", text(str::parse::<u8>));
        assert_eq!(fields.finish(|| a).unwrap(), 7);
        assert!(Fields::of(&json!([])).is_err());
    }
}
