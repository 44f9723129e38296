//! JSON for security decisions: nothing is read twice, nothing is repaired.
//!
//! The usual readers keep the last of two equal members, so that two parties can read two different
//! documents from one signed text. Here a second member of the same name, at any depth, spoils the
//! document. Numbers stay text, because a rounded time is another time.

use std::{borrow::Cow, fmt};

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// How deep objects and arrays may nest. A JWK inside a header is 2, `cnf` inside a token is 2.
const DEEPEST: usize = 8;

/// One JSON value, borrowed from its text where it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`, which is not the same as absent.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// The letters of a number, valid by the grammar of JSON.
    Number(&'a str),
    /// A string, unescaped.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// The members of one object, in order, every name once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

/// Why a text is no acceptable object. It never quotes the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Not JSON, or not an object.
    #[error("is not a JSON object")]
    NotAnObject,
    /// A member name occurs twice in one object.
    #[error("names a member twice")]
    Duplicate,
    /// Nested deeper than anything that has a meaning here.
    #[error("is nested too deeply")]
    TooDeep,
}

impl<'a> Object<'a> {
    /// Reads one object and nothing after it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, JsonFault> {
        let text = std::str::from_utf8(bytes).map_err(|_| JsonFault::NotAnObject)?;
        object(text, 0)
    }

    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The member of this name if it is a string; `Err` if it is there and something else.
    pub fn text(&self, name: &str) -> Result<Option<&str>, NotText> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(NotText),
        }
    }

    /// The string of this name; `None` if it is absent or something else. For members that must be.
    pub fn required_text(&self, name: &str) -> Option<&str> {
        self.text(name).ok().flatten()
    }
}

/// The member is there and is no string. Counting it as absent is how checks are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotText;

fn object(text: &str, depth: usize) -> Result<Object<'_>, JsonFault> {
    if depth >= DEEPEST {
        return Err(JsonFault::TooDeep);
    }
    let Members(raw) = serde_json::from_str(text).map_err(|_| JsonFault::NotAnObject)?;
    let mut members: Vec<(Cow<'_, str>, Json<'_>)> = Vec::with_capacity(raw.len());
    for (name, value) in raw {
        // Quadratic, over what fits into a few kilobytes.
        if members.iter().any(|(known, _)| *known == name) {
            return Err(JsonFault::Duplicate);
        }
        members.push((name, json(value.get(), depth)?));
    }
    Ok(Object(members))
}

/// `text` is one value that the reader has already found well-formed, without space around it.
fn json(text: &str, depth: usize) -> Result<Json<'_>, JsonFault> {
    match text.as_bytes().first() {
        Some(b'"') => string(text).map(Json::Text),
        Some(b'{') => object(text, depth + 1).map(Json::Object),
        Some(b'[') => array(text, depth + 1).map(Json::Array),
        Some(b't') => Ok(Json::Bool(true)),
        Some(b'f') => Ok(Json::Bool(false)),
        Some(b'n') => Ok(Json::Null),
        Some(_) => Ok(Json::Number(text)),
        None => Err(JsonFault::NotAnObject),
    }
}

fn array(text: &str, depth: usize) -> Result<Vec<Json<'_>>, JsonFault> {
    if depth >= DEEPEST {
        return Err(JsonFault::TooDeep);
    }
    let raw: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| JsonFault::NotAnObject)?;
    raw.into_iter().map(|value| json(value.get(), depth)).collect()
}

fn string(text: &str) -> Result<Cow<'_, str>, JsonFault> {
    // Nothing to unescape, as almost always: the letters are those between the quotation marks.
    if !text.contains('\\')
        && let Some(letters) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'))
    {
        return Ok(Cow::Borrowed(letters));
    }
    let Letters(letters) = serde_json::from_str(text).map_err(|_| JsonFault::NotAnObject)?;
    Ok(letters)
}

struct Letters<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Letters<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Letters<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Letters(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Letters(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Visit)
    }
}

struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            // Without this, a raw value could arrive as a sequence; say no in one place.
            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
                Err(de::Error::custom("an array"))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(Letters(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Object<'_>, JsonFault> {
        Object::parse(text.as_bytes())
    }

    #[test]
    fn values_keep_their_kind_and_numbers_their_letters() {
        let object = parse(
            r#" {"a":"x\u0041","n": 1562262616.50 ,"b":true,"z":null,"l":[1,"y"],"o":{"k":1}} "#,
        )
        .unwrap();
        assert_eq!(object.required_text("a"), Some("xA"));
        assert_eq!(object.get("n"), Some(&Json::Number("1562262616.50")));
        assert_eq!(object.get("b"), Some(&Json::Bool(true)));
        assert_eq!(object.get("z"), Some(&Json::Null));
        assert_eq!(
            object.get("l"),
            Some(&Json::Array(vec![Json::Number("1"), Json::Text("y".into())]))
        );
        assert_eq!(object.text("n"), Err(NotText));
        assert_eq!(object.text("missing"), Ok(None));
    }

    #[test]
    fn a_second_member_of_one_name_spoils_the_document_at_any_depth() {
        for bad in [
            r#"{"alg":"ES256","alg":"none"}"#,
            r#"{"alg":"ES256","\u0061lg":"none"}"#,
            r#"{"jwk":{"x":"1","x":"2"}}"#,
            r#"{"unknown":[{"deep":{"a":1,"a":1}}]}"#,
        ] {
            assert_eq!(parse(bad), Err(JsonFault::Duplicate), "{bad}");
        }
    }

    #[test]
    fn only_one_whole_object_will_do() {
        for bad in [
            "",
            "[]",
            "1",
            "\"x\"",
            "null",
            "{",
            "{}{}",
            "{} x",
            "{'a':1}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":NaN}",
            "{\"a\":.5}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\n\"}",
            "\u{feff}{}",
            "{\"a\":1 \"b\":2}",
        ] {
            assert_eq!(parse(bad), Err(JsonFault::NotAnObject), "{bad:?}");
        }
        assert_eq!(Object::parse(b"{\"a\":\"\xff\"}"), Err(JsonFault::NotAnObject));
        assert_eq!(parse("{}"), Ok(Object::default()));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |open: &str, close: &str, n: usize| {
            format!("{{\"a\":{}1{}}}", open.repeat(n), close.repeat(n))
        };
        assert!(parse(&nested("[", "]", 5)).is_ok());
        assert_eq!(parse(&nested("[", "]", 10_000)), Err(JsonFault::TooDeep));
        assert_eq!(parse(&nested("{\"a\":", "}", 10_000)), Err(JsonFault::TooDeep));
    }

    #[test]
    fn deep_and_wide_text_costs_bounded_time() {
        // P11: a megabyte of white space is one pass, not many.
        let wide = format!("{{{}\"a\":1}}", " ".repeat(1 << 20));
        assert!(parse(&wide).is_ok());
    }
}
