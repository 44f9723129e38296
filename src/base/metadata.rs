//! What callers attach to their objects for themselves.

use serde::Serialize;
use serde_json::{Map, Value};

/// Not in the published contract; enough for references, too little for a document store.
const MOST: usize = 50;
const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 512;

/// Texts by name, stored untouched and in their order, replaced as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// Reads what a caller sent; the error says what to do.
    pub fn read(value: &Value) -> Result<Self, String> {
        let Value::Object(members) = value else { return Err("must be an object".to_owned()) };
        if members.len() > MOST {
            return Err(format!("must have at most {MOST} members"));
        }
        for (name, value) in members {
            if name.is_empty() || name.chars().count() > LONGEST_NAME {
                return Err(format!("must have names of 1 to {LONGEST_NAME} characters"));
            }
            let fits = |text: &str| text.chars().count() <= LONGEST_VALUE && !text.contains('\0');
            if !value.as_str().is_some_and(fits) || name.contains('\0') {
                return Err(format!("must hold strings of at most {LONGEST_VALUE} characters"));
            }
        }
        Ok(Self(members.clone()))
    }

    /// Reads what was stored.
    pub fn stored(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).map(Self)
    }

    /// As it is stored.
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_by_name_come_back_as_they_were() {
        let given = json!({ "z": "1", "a": "ü" });
        let read = Metadata::read(&given).unwrap();
        assert_eq!(read.to_json(), r#"{"z":"1","a":"ü"}"#);
        assert_eq!(Metadata::stored(&read.to_json()).unwrap(), read);
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let many: Map<String, Value> = (0..51).map(|n| (n.to_string(), json!("x"))).collect();
        for wrong in [
            json!([]),
            json!({ "a": 1 }),
            json!({ "": "x" }),
            json!({ "a": "x".repeat(513) }),
            json!({ "a": "\u{0}" }),
            Value::Object(many),
        ] {
            assert!(Metadata::read(&wrong).is_err());
        }
    }
}
