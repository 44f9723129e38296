//! A JSON reader that refuses what two readers could understand in two ways.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::base::failure::{Code, Failure};

/// Reads one document. A member that stands twice is refused: the signature check of one program
/// and the business rule of another must never look at different values.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    match serde_json::from_slice::<Strict>(bytes) {
        Ok(Strict(value)) => Ok(value),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let what =
                if error.is_data() { error.to_string() } else { "it is not JSON".to_owned() };
            let what = what.split(" at line ").next().unwrap_or_default().to_owned();
            Err(Failure::because(
                Code::MalformedBody,
                format!("the body cannot be read at line {line}, column {column}: {what}"),
            ))
        }
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is too large"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice in one object"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let refused = parse(text.as_bytes()).unwrap_err();
        assert_eq!(refused.code(), Code::MalformedBody);
        refused.message().to_owned()
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_any_depth() {
        assert!(refusal(r#"{"a":1,"a":1}"#).contains("stands twice"));
        assert!(refusal(r#"{"x":[{"deep":{"a":1,"a":2}}]}"#).contains("stands twice"));
        assert!(parse(br#"{"a":{"a":[1,2.5,null,true,"x"]}}"#).is_ok());
    }

    #[test]
    fn what_is_not_one_document_is_refused() {
        for wrong in ["", "{", "{}{}", "nul", "{'a':1}", "{\"a\":1e999}", "\u{feff}{}"] {
            assert!(refusal(wrong).starts_with("the body cannot be read at line"), "{wrong}");
        }
        refusal(&"[".repeat(10_000));
    }
}
