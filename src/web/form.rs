//! Strict `application/x-www-form-urlencoded`, as RFC 6749 wants it.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};

use crate::base::failure::{Code, Failure, Result};

/// The parameters of a form. A parameter without a value counts as omitted; one that stands twice
/// is refused, because two readers could each take another one.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the text of a form.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = any_text(halves.next().unwrap_or_default())?;
            let value = any_text(halves.next().unwrap_or_default())?;
            // RFC 8707 lets `resource` stand several times.
            if name != "resource" && parameters.iter().any(|(known, _)| *known == name) {
                return Err(malformed("a parameter stands twice"));
            }
            parameters.push((name, value));
        }
        parameters.retain(|(_, value)| !value.is_empty());
        Ok(Self(parameters))
    }

    /// One parameter, if it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The name of each parameter.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The same without these parameters.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let others = self.0.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        Self(others.cloned().collect())
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Undoes the form encoding of the two halves of Basic credentials (RFC 6749 §2.3.1). They are looked
/// up as they are, and PostgreSQL takes no NUL: there, one would look like a fault of ours.
pub fn decode(text: &[u8]) -> Result<String> {
    any_text(text).and_then(|text| {
        if text.contains('\0') { Err(malformed("it holds a NUL")) } else { Ok(text) }
    })
}

fn any_text(text: &[u8]) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                match (rest.next().copied().and_then(hex), rest.next().copied().and_then(hex)) {
                    (Some(high), Some(low)) => high * 16 + low,
                    _ => return Err(malformed("a percent sign is not followed by two hex digits")),
                }
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).map_err(|_| malformed("a parameter is not UTF-8"))
}

/// Whether the body says that it is a form.
pub fn is_form(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn malformed(what: &'static str) -> Failure {
    Failure::because(Code::InvalidRequest, what)
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        if !is_form(request.headers()) {
            return Err(malformed("send the parameters as application/x-www-form-urlencoded"));
        }
        let bytes =
            Bytes::from_request(request, state).await.map_err(super::limits::body_failure)?;
        Self::parse(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_strictly() {
        let form = Form::parse(b"grant_type=client_credentials&scope=&a=%41+b&&x").unwrap();
        assert_eq!(form.get("grant_type"), Some("client_credentials"));
        assert_eq!(form.get("a"), Some("A b"));
        assert_eq!((form.get("scope"), form.get("x")), (None, None));
        for wrong in [&b"a=1&a=1"[..], b"a=%4", b"a=%zz", b"a=%ff", b"a=&a="] {
            assert_eq!(Form::parse(wrong).unwrap_err().code(), Code::InvalidRequest);
        }
        assert_eq!(Form::parse(b"a=%00").unwrap().get("a"), Some("\0"), "for its reader to refuse");
        assert!(decode(b"a%00").is_err() && decode(b"a+%41").unwrap() == "a A");
        let twice = Form::parse(b"resource=a&resource=b").unwrap();
        assert_eq!(twice.all("resource").collect::<Vec<_>>(), ["a", "b"]);
    }
}
