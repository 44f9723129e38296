//! The key on its way in, the stored answer on its way out.

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

use super::{Answer, Key};
use crate::base::failure::{Code, Failure};

/// The `Idempotency-Key` where it is honoured and not required.
#[derive(Clone, Debug)]
pub struct OptionalKey(pub Option<Key>);

impl<S: Sync> FromRequestParts<S> for OptionalKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let mut keys = parts.headers.get_all("idempotency-key").iter();
        match (keys.next(), keys.next()) {
            (None, _) => Ok(Self(None)),
            (Some(key), None) => {
                let text = key.to_str().map_err(|_| Failure::new(Code::InvalidIdempotencyKey))?;
                Key::parse(text).map(|key| Self(Some(key)))
            }
            // Which of two keys is meant cannot be known.
            _ => Err(Failure::new(Code::InvalidIdempotencyKey)),
        }
    }
}

/// The `Idempotency-Key` where nothing may happen without one: a retry could move money twice.
#[derive(Clone, Debug)]
pub struct RequiredKey(pub Key);

impl<S: Sync> FromRequestParts<S> for RequiredKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let OptionalKey(key) = OptionalKey::from_request_parts(parts, state).await?;
        key.map(Self).ok_or_else(|| Failure::new(Code::MissingIdempotencyKey))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut response = (status, [json], self.body).into_response();
        if self.replayed {
            let name = HeaderName::from_static("x-idempotent-replayed");
            response.headers_mut().insert(name, HeaderValue::from_static("true"));
        }
        response
    }
}
