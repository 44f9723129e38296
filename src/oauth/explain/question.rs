//! What was pasted, read kindly: people copy whole header lines.

use crate::{
    base::{
        failure::{Failure, FieldFault, Result},
        secret::Secret,
        timestamp::Timestamp,
    },
    oauth::jose::{TokenHash, base64url},
};

/// What was pasted; what was not is empty.
#[derive(Clone, Copy)]
pub struct RawQuestion<'a> {
    /// The value of the `DPoP` header.
    pub proof: &'a str,
    /// The method of the request.
    pub method: &'a str,
    /// Its address, or only the path of it.
    pub url: &'a str,
    /// The access token that went with it, or better its hash.
    pub token: &'a str,
    /// When it was sent: RFC 3339 or Unix seconds.
    pub sent_at: &'a str,
}

/// A question that can be answered.
#[derive(Clone, Debug)]
pub struct Question {
    /// A proof that was never sent still counts, so it stays out of logs.
    pub(super) proof: Secret<String>,
    pub(super) method: Option<String>,
    pub(super) url: Option<String>,
    /// Only the hash goes further: a token is as good as money while it lives.
    pub(super) token: Option<TokenHash>,
    pub(super) sent_at: Option<Timestamp>,
}

impl Question {
    /// Checks every field and reports every fault.
    pub fn read(raw: &RawQuestion<'_>) -> Result<Self> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: &str| {
            faults.push(FieldFault { field: field.to_owned(), message: message.to_owned() });
        };
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let proof = without(raw.proof, "dpop:");
        if proof.is_empty() {
            fault("proof", "is needed: paste the value of the request's DPoP header");
        }
        let method = given(raw.method);
        if method.as_ref().is_some_and(|method| !is_method(method)) {
            fault("method", "must be the method as it was sent, such as POST");
        }
        let url = given(raw.url);
        if url.as_ref().is_some_and(|url| path_of(url).is_none()) {
            fault("url", "must be an address such as https://pay.example/v1/payouts, or its path");
        }
        let sent_at = given(raw.sent_at).map(|text| read_time(&text));
        if sent_at.is_some_and(|at| at.is_none()) {
            fault("sent_at", "must be a time such as 2026-01-31T12:00:00Z, or seconds since 1970");
        }
        if !faults.is_empty() {
            return Err(Failure::invalid(faults));
        }
        Ok(Self {
            proof: Secret::new(proof.to_owned()),
            method,
            url,
            token: hash(without(without(raw.token, "authorization:"), "dpop ")),
            sent_at: sent_at.flatten(),
        })
    }
}

/// The text without the name of a header before it.
fn without<'a>(text: &'a str, name: &str) -> &'a str {
    let text = text.trim();
    match text.split_at_checked(name.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(name) => rest.trim(),
        _ => text,
    }
}

fn is_method(text: &str) -> bool {
    text.len() <= 20 && text.bytes().all(|letter| letter.is_ascii_alphabetic())
}

/// A hash has 43 letters; whatever else there is, is a token.
fn hash(token: &str) -> Option<TokenHash> {
    match base64url::decode_exact::<32>(token) {
        _ if token.is_empty() => None,
        Some(digest) => Some(TokenHash::of_digest(&digest)),
        None => Some(TokenHash::of(token)),
    }
}

fn read_time(text: &str) -> Option<Timestamp> {
    let seconds = text.parse::<i64>().ok().filter(|seconds| (0..=9_999_999_999).contains(seconds));
    seconds.map(Timestamp::from_unix_seconds).or_else(|| text.parse().ok())
}

/// The path of an address, as a server receives it.
pub(super) fn path_of(url: &str) -> Option<&str> {
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest.get(rest.find(['/', '?', '#']).unwrap_or(rest.len())..)?,
        None => Some(url).filter(|url| url.starts_with('/'))?,
    };
    rest.split(['?', '#']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: RawQuestion<'_> =
        RawQuestion { proof: "a.b.c", method: "", url: "", token: "", sent_at: "" };

    #[test]
    fn whole_header_lines_are_understood() {
        let raw =
            RawQuestion { proof: " DPoP:  a.b.c\n", token: "Authorization: DPoP x.y.z", ..RAW };
        let read = Question::read(&raw).unwrap();
        assert_eq!(read.proof.expose(), "a.b.c");
        assert_eq!(read.token, Some(TokenHash::of("x.y.z")));
        let hashed = TokenHash::of("x.y.z");
        let raw = RawQuestion { token: hashed.as_str(), ..RAW };
        assert_eq!(Question::read(&raw).unwrap().token, Some(hashed), "a hash is not hashed again");
        assert!(!format!("{read:?}").contains("a.b.c"));
    }

    #[test]
    fn every_fault_is_told() {
        let raw = RawQuestion {
            proof: " DPoP: ",
            method: "PO ST",
            url: "pay.example",
            token: "",
            sent_at: "noon",
        };
        let fields: Vec<String> = Question::read(&raw)
            .unwrap_err()
            .fields()
            .iter()
            .map(|fault| fault.field.clone())
            .collect();
        assert_eq!(fields, ["proof", "method", "url", "sent_at"]);
    }

    #[test]
    fn a_path_is_taken_as_it_was_sent() {
        for (url, path) in [
            ("https://a.example/v1/x%2Fy?z#f", Some("/v1/x%2Fy")),
            ("/v1/x?y", Some("/v1/x")),
            ("https://a.example", Some("")),
            ("https://a.example?x", Some("")),
            ("a.example/v1", None),
        ] {
            assert_eq!(path_of(url), path, "{url}");
        }
    }
}
