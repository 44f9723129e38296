//! Strict JSON in: one meaning for every body, and every fault of it told at once.

mod fields;
mod strict;

pub use fields::{Fields, text};

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use serde_json::Value;

use crate::base::failure::{Code, Failure};

/// A JSON body that was read strictly: content type checked, no duplicate members, bounded depth.
#[derive(Clone, Debug)]
pub struct JsonBody(pub Value);

impl JsonBody {
    /// The members of the body, to be read by name.
    pub fn fields(&self) -> Result<Fields<'_>, Failure> {
        Fields::of(&self.0)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            return Err(wrong_type());
        }
        let bytes =
            Bytes::from_request(request, state).await.map_err(super::limits::body_failure)?;
        strict::parse(&bytes).map(Self)
    }
}

/// The same where a caller need not send a body: none is an object without members.
#[derive(Clone, Debug)]
pub struct OptionalJsonBody(pub JsonBody);

impl<S: Send + Sync> FromRequest<S> for OptionalJsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let named = request.headers().contains_key(header::CONTENT_TYPE);
        let json = is_json(request.headers());
        let bytes =
            Bytes::from_request(request, state).await.map_err(super::limits::body_failure)?;
        if bytes.is_empty() && (json || !named) {
            return Ok(Self(JsonBody(Value::Object(serde_json::Map::new()))));
        }
        if !json {
            return Err(wrong_type());
        }
        strict::parse(&bytes).map(|value| Self(JsonBody(value)))
    }
}

fn wrong_type() -> Failure {
    Failure::because(Code::UnsupportedMediaType, "send the body as application/json")
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(media), None) = (types.next(), types.next()) else { return false };
    let Ok(media) = media.to_str() else { return false };
    let (essence, parameters) = media.split_once(';').unwrap_or((media, ""));
    let essence = essence.trim().to_ascii_lowercase();
    let charset = parameters.trim().to_ascii_lowercase();
    let utf8 = charset.is_empty() || matches!(&*charset, "charset=utf-8" | "charset=\"utf-8\"");
    utf8 && (essence == "application/json" || essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_is_json() {
        let media = |text: &'static str| {
            is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, text.parse().unwrap())]))
        };
        assert!(media("application/json") && media("application/JSON; charset=UTF-8"));
        assert!(media("application/vnd.api+json"));
        assert!(!media("text/json") && !media("application/json; charset=latin1"));
        assert!(!is_json(&HeaderMap::new()));
    }
}
