//! The one internal error, and the catalogue of everything that can be said to a caller.
//!
//! A rule says *what* is wrong with a [`Code`]; the API dialect of the route decides what that looks
//! like on the wire. What was going on inside (the source) is for the log only.

use std::{borrow::Cow, error::Error, fmt, time::Duration};

use serde_json::Value;

/// What kind of answer a failure is, before any dialect gives it a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request cannot be read.
    BadRequest,
    /// The caller is not known, or no longer.
    Unauthorized,
    /// The caller is known and may not.
    Forbidden,
    /// There is no such thing, or it is another merchant's.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The request took longer to arrive than we wait.
    Timeout,
    /// The thing is not in a state that allows this.
    Conflict,
    /// The thing was here and has run out.
    Gone,
    /// The body is larger than allowed.
    TooLarge,
    /// The body has the wrong content type.
    UnsupportedMedia,
    /// The request is well-formed and breaks a rule.
    Unprocessable,
    /// The caller asks too often.
    TooManyRequests,
    /// The head of the request is larger than allowed.
    HeadTooLarge,
    /// A defect of ours.
    Internal,
    /// This installation lacks what the request needs.
    NotConfigured,
    /// Somebody we depend on answered badly.
    Upstream,
    /// Not now; nothing is lost by asking again.
    Unavailable,
}

impl Kind {
    /// The HTTP status that every dialect uses for this kind.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::Conflict => 409,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::UnsupportedMedia => 415,
            Self::Unprocessable => 422,
            Self::TooManyRequests => 429,
            Self::HeadTooLarge => 431,
            Self::Internal => 500,
            Self::NotConfigured => 501,
            Self::Upstream => 502,
            Self::Unavailable => 503,
        }
    }

    /// Whether the message must be the fixed text: a 5xx never carries what went on inside.
    pub const fn is_ours(self) -> bool {
        self.status() >= 500
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $kind:ident, $message:literal;)+) => {
        /// Every error code that any API can answer with; `docs/errors.md` lists the same ones.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// The whole catalogue, for the tests that keep it unique and documented.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable text that programs compare.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The kind of answer, unless an endpoint's standard says otherwise.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)+ }
            }

            /// The message when nothing more precise is known.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)+ }
            }
        }
    };
}

codes! {
    /// The body is not the JSON we can read.
    MalformedBody = "malformed_body", BadRequest, "the body cannot be read";
    /// A path or query parameter is malformed.
    InvalidParameter = "invalid_parameter", BadRequest, "a parameter is malformed";
    /// The route needs an `Idempotency-Key`.
    MissingIdempotencyKey = "missing_idempotency_key", BadRequest, "send an Idempotency-Key header: without one a retry could act twice";
    /// The key is longer than 255 characters, empty or not printable.
    InvalidIdempotencyKey = "invalid_idempotency_key", BadRequest, "the Idempotency-Key must be 1 to 255 visible ASCII characters";
    /// No usable credential.
    Unauthorized = "unauthorized", Unauthorized, "this endpoint needs a DPoP-bound access token and a fresh proof";
    /// Known, and not allowed.
    Forbidden = "forbidden", Forbidden, "this credential may not do that";
    /// Outside the sandbox this route does nothing.
    SandboxOnly = "sandbox_only", Forbidden, "this endpoint exists in the sandbox only";
    /// Nothing there, or another merchant's.
    NotFound = "not_found", NotFound, "there is nothing at this address";
    /// Wrong method for the path.
    MethodNotAllowed = "method_not_allowed", MethodNotAllowed, "this path does not answer to this method; the Allow header lists those it does";
    /// The request came too slowly.
    RequestTimeout = "request_timeout", Timeout, "the request took too long to arrive; send it again";
    /// The object's state forbids the step.
    InvalidState = "invalid_state", Conflict, "the state of this object does not allow that";
    /// Something equal exists.
    AlreadyExists = "already_exists", Conflict, "there is one already";
    /// Same key, other body.
    IdempotencyConflict = "idempotency_conflict", Conflict, "this Idempotency-Key was used with another request; use a new key for a new request";
    /// Same key and request, but the stored answer has been dropped.
    IdempotencyKeySpent = "idempotency_key_spent", Conflict, "this Idempotency-Key was used and its answer is no longer kept; details name what it made";
    /// Same key, first request still running.
    IdempotencyInProgress = "idempotency_in_progress", Conflict, "a request with this Idempotency-Key is still running; ask again shortly";
    /// The body is over the limit.
    BodyTooLarge = "body_too_large", TooLarge, "the body is larger than this endpoint takes";
    /// Not the content type we read.
    UnsupportedMediaType = "unsupported_media_type", UnsupportedMedia, "send the body as the content type this endpoint documents";
    /// Field validation failed.
    ValidationError = "validation_error", Unprocessable, "validation failed";
    /// Too many requests.
    RateLimited = "rate_limited", TooManyRequests, "too many requests; wait for the seconds in Retry-After";
    /// The request head is over the limit.
    HeadTooLarge = "head_too_large", HeadTooLarge, "the request's headers are larger than allowed";
    /// A defect.
    Internal = "internal_error", Internal, "internal server error";
    /// Switched off in this installation.
    NotConfigured = "not_configured", NotConfigured, "this installation does not offer that";
    /// Overload or an unreachable dependency; nothing was done.
    Unavailable = "unavailable", Unavailable, "the service cannot do this now; nothing was changed, try again";
    /// The connection to the database broke while it committed.
    OutcomeUnknown = "outcome_unknown", Unavailable, "it is not known whether this took effect; repeat it with the same Idempotency-Key";

    /// There is not enough money.
    InsufficientBalance = "insufficient_balance", Unprocessable, "the available balance does not cover this; add funds or send less";
    /// No plan prices this corridor.
    CorridorNotEnabled = "corridor_not_enabled", Unprocessable, "no fee plan covers this corridor; ask the operator to enable it";
    /// The quote's time ran out.
    QuoteExpired = "quote_expired", Unprocessable, "the quote has expired; ask for a new one";
    /// The quote is spent.
    QuoteAlreadyUsed = "quote_already_used", Unprocessable, "the quote was used before; ask for a new one";
    /// The request differs from what was quoted.
    QuoteMismatch = "quote_mismatch", Unprocessable, "the request differs from what was quoted; details name the fields";
    /// The merchant has this person already.
    DuplicateBeneficiary = "duplicate_beneficiary", Unprocessable, "there is a beneficiary with the same personal data; details name it";
    /// Nobody to pay.
    NoBeneficiaries = "no_beneficiaries", Unprocessable, "there is no active beneficiary who can be paid by SEPA, ACH or Faster Payments; make some with POST /v1/merchant/sandbox/seed-beneficiaries";
    /// The credentials of an instrument break a rule.
    InvalidCredentials = "invalid_credentials", Unprocessable, "the credentials of the instrument are refused; details name the fields and the rules";
    /// No exchange rate that is fresh enough.
    RateUnavailable = "rate_unavailable", Unprocessable, "there is no exchange rate fresh enough for this pair";

    /// OAuth: the request is malformed.
    InvalidRequest = "invalid_request", BadRequest, "the request is malformed";
    /// OAuth: client authentication failed; one text for every reason, so that guessing learns nothing.
    InvalidClient = "invalid_client", Unauthorized, "client authentication failed";
    /// OAuth: the grant is known and not for this client.
    UnauthorizedClient = "unauthorized_client", BadRequest, "this client may not use this grant";
    /// OAuth: another grant than client credentials.
    UnsupportedGrantType = "unsupported_grant_type", BadRequest, "the grant_type must be client_credentials";
    /// OAuth: unknown, malformed or not granted.
    InvalidScope = "invalid_scope", BadRequest, "the scope is unknown, malformed or not granted to this client";
    /// OAuth: RFC 8707.
    InvalidTarget = "invalid_target", BadRequest, "the resource is not served here";
    /// OAuth: RFC 7009.
    UnsupportedTokenType = "unsupported_token_type", BadRequest, "this kind of token cannot be revoked here";
    /// OAuth: come back later.
    TemporarilyUnavailable = "temporarily_unavailable", Unavailable, "the server is busy; try again after the seconds in Retry-After";
    /// DPoP: the proof is refused.
    InvalidDpopProof = "invalid_dpop_proof", Unauthorized, "the DPoP proof is refused";
    /// DPoP: a server nonce is needed.
    UseDpopNonce = "use_dpop_nonce", Unauthorized, "repeat the request with the nonce from the DPoP-Nonce header";
    /// Bearer/DPoP: the token is refused.
    InvalidToken = "invalid_token", Unauthorized, "the access token is malformed, expired, revoked or bound to another key";
    /// Bearer/DPoP: the token lacks a scope.
    InsufficientScope = "insufficient_scope", Forbidden, "the access token lacks the scope that this endpoint needs";
}

/// One fault of one field, with the dotted path that leads to it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldFault {
    /// For example `individual.address.country`.
    pub field: String,
    /// What to do about it, starting with *must* or *is*.
    pub message: String,
}

/// A refusal or a breakdown, on its way to a caller.
pub struct Failure(Box<Inner>);

struct Inner {
    code: Code,
    kind: Kind,
    message: Cow<'static, str>,
    fields: Vec<FieldFault>,
    details: Option<Value>,
    headers: Vec<(&'static str, String)>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What fallible use cases return.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure with its catalogue message.
    pub fn new(code: Code) -> Self {
        Self(Box::new(Inner {
            code,
            kind: code.kind(),
            message: Cow::Borrowed(code.message()),
            fields: Vec::new(),
            details: None,
            headers: Vec::new(),
            source: None,
        }))
    }

    /// A failure that says more than the catalogue; never put a secret or personal data in it.
    pub fn because(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        let mut failure = Self::new(code);
        failure.0.message = message.into();
        failure
    }

    /// A defect or breakdown of ours: the caller sees the fixed text, the log sees the source.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Code::Internal).caused_by(source)
    }

    /// The failure of fields; every fault found is reported together.
    pub fn invalid(fields: Vec<FieldFault>) -> Self {
        let mut failure = Self::new(Code::ValidationError);
        failure.0.fields = fields;
        failure
    }

    /// Adds a fault of one field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.0.fields.push(FieldFault { field: field.into(), message: message.into() });
        self
    }

    /// Adds facts for programs, when they are not about fields.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.0.details = Some(details);
        self
    }

    /// Answers with another kind than the code's own, where an endpoint's standard demands it.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Tells the caller when to come back; never less than a second.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        self.header("retry-after", seconds.to_string())
    }

    /// Adds a response header, such as a challenge.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    /// Keeps what happened inside, for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The text for the caller; for breakdowns always the catalogue's.
    pub fn message(&self) -> &str {
        if self.0.kind.is_ours() { self.0.code.message() } else { &self.0.message }
    }

    /// The field faults.
    pub fn fields(&self) -> &[FieldFault] {
        &self.0.fields
    }

    /// The facts.
    pub fn facts(&self) -> Option<&Value> {
        self.0.details.as_ref()
    }

    /// The headers.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.0.headers
    }

    /// The chain of causes as one line, for the log.
    pub fn cause_chain(&self) -> Option<String> {
        let mut next = Some(self.source()?);
        let mut chain = Vec::new();
        while let Some(error) = next {
            chain.push(error.to_string());
            next = error.source();
        }
        Some(chain.join(": "))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.message())?;
        for fault in &self.0.fields {
            write!(f, "; {} {}", fault.field, fault.message)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({self}")?;
        if let Some(cause) = self.cause_chain() {
            write!(f, " <- {cause}")?;
        }
        f.write_str(")")
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_snake_case() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} stands for two things");
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{text}");
        }
    }

    #[test]
    fn a_breakdown_says_nothing_of_its_inside() {
        let failure = Failure::internal("password table is on fire");
        assert_eq!(failure.message(), "internal server error");
        assert_eq!(failure.cause_chain().unwrap(), "password table is on fire");
        let unavailable = Failure::because(Code::Unavailable, "replica 7 at 10.0.0.1");
        assert_eq!(unavailable.message(), Code::Unavailable.message());
    }

    #[test]
    fn waits_are_whole_seconds_and_never_zero() {
        let wait = |ms| Failure::new(Code::RateLimited).retry_after(Duration::from_millis(ms));
        assert_eq!(wait(1).headers(), [("retry-after", "1".to_owned())]);
        assert_eq!(wait(1_001).headers(), [("retry-after", "2".to_owned())]);
    }
}
