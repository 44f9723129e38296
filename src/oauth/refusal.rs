//! Refusals with their challenges, as RFC 6750, RFC 9449 and RFC 9728 write them.

use std::fmt::Write as _;

use super::{
    authority::Authority,
    dpop::{Endpoint, ProofFault, nonce::Side},
    jose::Alg,
    token::TokenFault,
};
use crate::base::failure::{Code, Failure, Kind};

const CHALLENGE: &str = "www-authenticate";

/// A refused proof. Where a nonce would help, the answer carries one.
pub(super) fn of_proof(authority: &Authority, fault: &ProofFault, at: Endpoint) -> Failure {
    metrics::counter!("dpop_refused_total", "reason" => fault.as_label()).increment(1);
    let code = match fault.error_code(at) {
        "use_dpop_nonce" => Code::UseDpopNonce,
        "invalid_request" => Code::InvalidRequest,
        "invalid_token" => Code::InvalidToken,
        _ => Code::InvalidDpopProof,
    };
    let failure = Failure::because(code, fault.to_string());
    let failure = match at {
        Endpoint::Token => failure.with_kind(Kind::BadRequest),
        Endpoint::Resource => challenged(authority, failure, None),
    };
    let side = match at {
        Endpoint::Token => Side::Authorization,
        Endpoint::Resource => Side::Resource,
    };
    if code == Code::UseDpopNonce {
        failure.header("dpop-nonce", authority.nonce(side))
    } else {
        failure
    }
}

/// A refused token.
pub(super) fn of_token(authority: &Authority, fault: TokenFault) -> Failure {
    metrics::counter!("tokens_refused_total", "reason" => fault.as_label()).increment(1);
    challenged(authority, Failure::because(Code::InvalidToken, fault.to_string()), None)
}

/// Any other refusal of a protected request, with the challenge that its status asks for.
pub(super) fn challenged(
    authority: &Authority,
    failure: Failure,
    missing_scope: Option<&str>,
) -> Failure {
    let error = Some((failure.code().as_str(), failure.message().to_owned()));
    let challenge = challenge(authority, error, missing_scope);
    failure.header(CHALLENGE, challenge)
}

/// No credentials at all: RFC 6750 §3.1 wants no error code then.
pub(super) fn unauthenticated(authority: &Authority) -> Failure {
    Failure::new(Code::Unauthorized).header(CHALLENGE, challenge(authority, None, None))
}

/// Failed client authentication: one text for every reason, so that guessing learns nothing.
pub(super) fn of_client() -> Failure {
    Failure::new(Code::InvalidClient).header(CHALLENGE, "Basic realm=\"counterfoil\"")
}

fn challenge(
    authority: &Authority,
    error: Option<(&str, String)>,
    missing_scope: Option<&str>,
) -> String {
    let algs = Alg::ALL.map(Alg::name).join(" ");
    let mut text = "DPoP realm=\"counterfoil\"".to_owned();
    let mut add = |name: &str, value: &str| {
        _ = write!(text, ", {name}=\"{}\"", quotable(value));
    };
    if let Some((code, description)) = error {
        add("error", code);
        add("error_description", &description);
    }
    if let Some(scope) = missing_scope {
        add("scope", scope);
    }
    add("algs", &algs);
    add(
        "resource_metadata",
        &format!("{}/.well-known/oauth-protected-resource", authority.origin()),
    );
    text
}

/// RFC 6750 §3 allows `%x20-21 / %x23-5B / %x5D-7E`: nothing in it can end the quoted string, or the
/// header.
fn quotable(text: &str) -> String {
    let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    text.chars().map(|c| if allowed(c) { c } else { '\'' }).collect()
}
