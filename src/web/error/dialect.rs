//! The envelopes of the published APIs.

use std::fmt::Write as _;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::base::failure::{Code, Failure};

/// Whose envelope a route group speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `{"error":{"message","code","details"?}}`.
    Payouts,
    /// RFC 6749 §5.2: `{"error","error_description"}`, never cached.
    OAuth,
}

impl Dialect {
    pub(super) fn envelope(self, failure: &Failure) -> Response {
        let status = StatusCode::from_u16(failure.kind().status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self {
            Self::Payouts => {
                let (code, reason) = payouts_code(failure.code());
                let mut error = json!({ "message": failure.message(), "code": code });
                let details = details(failure).or(reason);
                if let (Some(details), Some(error)) = (details, error.as_object_mut()) {
                    error.insert("details".to_owned(), details);
                }
                let mut response = (status, Json(json!({ "error": error }))).into_response();
                no_store(&mut response);
                response
            }
            Self::OAuth => {
                let body = json!({
                    "error": oauth_code(failure),
                    "error_description": description(&describe(failure)),
                });
                let mut response = (status, Json(body)).into_response();
                no_store(&mut response);
                response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
                response
            }
        }
    }
}

fn no_store(response: &mut Response) {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

fn details(failure: &Failure) -> Option<Value> {
    if failure.fields().is_empty() {
        failure.facts().cloned()
    } else {
        serde_json::to_value(failure.fields()).ok()
    }
}

/// RFC 6749 knows few codes; what web layers answer is told with the nearest of them.
fn oauth_code(failure: &Failure) -> &'static str {
    use crate::base::failure::Kind;
    match (failure.kind(), failure.code()) {
        (Kind::Internal, _) => "server_error",
        (Kind::Unavailable | Kind::TooManyRequests | Kind::Upstream, _) => {
            "temporarily_unavailable"
        }
        (
            _,
            Code::MalformedBody
            | Code::InvalidParameter
            | Code::NotFound
            | Code::MethodNotAllowed
            | Code::RequestTimeout
            | Code::BodyTooLarge
            | Code::UnsupportedMediaType
            | Code::HeadTooLarge
            | Code::ValidationError,
        ) => "invalid_request",
        (_, code) => code.as_str(),
    }
}

/// The published API has one code for each status here; the precise reason goes into the details.
fn payouts_code(code: Code) -> (&'static str, Option<Value>) {
    let published = match code {
        Code::InvalidToken | Code::InvalidDpopProof | Code::UseDpopNonce => Code::Unauthorized,
        Code::InsufficientScope => Code::Forbidden,
        Code::TemporarilyUnavailable => Code::Unavailable,
        Code::InvalidRequest => Code::InvalidParameter,
        published => return (published.as_str(), None),
    };
    (published.as_str(), Some(json!({ "reason": code.as_str() })))
}

fn describe(failure: &Failure) -> String {
    let mut text = failure.message().to_owned();
    for fault in failure.fields() {
        _ = write!(text, "; {} {}", fault.field, fault.message);
    }
    text
}

/// RFC 6749 allows `%x20-21 / %x23-5B / %x5D-7E` in a description; anything else could break out
/// of the quoted string when a client puts it into a header.
pub(super) fn description(text: &str) -> String {
    let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    text.chars().map(|c| if allowed(c) { c } else { '\'' }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_description_never_leaves_its_quotes(text in ".*") {
            let allowed = |b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            prop_assert!(description(&text).bytes().all(allowed));
        }
    }
}
