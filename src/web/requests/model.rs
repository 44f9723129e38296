//! One line of the log.

use axum::http::Method;

use super::LineId;
use crate::base::{ids::MerchantId, timestamp::Timestamp};

/// The longest path and query that are kept.
const LONGEST: usize = 300;
/// The longest name of a parameter; ours are shorter.
const LONGEST_NAME: usize = 24;

/// A request that was answered, on its way into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Whose request.
    pub merchant: MerchantId,
    /// When it came.
    pub at: Timestamp,
    /// `GET`, `POST`, ….
    pub method: Method,
    /// As it came, with the whole query: [`target`] makes it fit to be kept, off the hot path. A copy: the
    /// `Uri` would keep the whole head of the request in memory, with token and proof.
    pub path_and_query: Box<str>,
    /// The HTTP status.
    pub status: u16,
    /// The stable error code, if it was refused.
    pub code: Option<&'static str>,
    /// The credential.
    pub client: String,
    /// The name that the answer carries as `X-Request-ID`.
    pub request: String,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// A line as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: LineId,
    /// When the request came.
    pub at: Timestamp,
    /// `GET`, `POST`, ….
    pub method: String,
    /// The path, with the names of its parameters.
    pub path: String,
    /// The HTTP status.
    pub status: i64,
    /// The stable error code, if it was refused.
    pub code: Option<String>,
    /// The credential.
    pub client: String,
    /// The name that the answer carries as `X-Request-ID`.
    pub request: String,
    /// How long it took, in microseconds.
    pub micros: i64,
}

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Nothing.
    #[default]
    All,
    /// What was answered with 400 or more.
    Refused,
    /// Requests of this name; callers may choose it, so there can be several.
    Named(String),
}

/// The path, and of the query the names alone. A value may be a reference, an address or a secret that
/// somebody has put where it does not belong; a name that does not look like one of ours may be one too.
pub fn target(path: &str, query: Option<&str>) -> String {
    let name_of = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        let ours = |b: u8| b.is_ascii_lowercase() || b == b'_';
        let fits = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(ours);
        if fits { name.to_owned() } else { "…".to_owned() }
    };
    let mut shown: String = path.chars().take(LONGEST).collect();
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        let names: Vec<String> = query.split('&').take(20).map(name_of).collect();
        shown.push('?');
        shown.push_str(&names.join("&"));
    }
    shown.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_a_query_is_kept() {
        assert_eq!(target("/v1/payouts", None), "/v1/payouts");
        assert_eq!(target("/v1/payouts", Some("")), "/v1/payouts");
        assert_eq!(
            target("/v1/payouts", Some("status=sent&reference=Smith+rent&limit=5")),
            "/v1/payouts?status&reference&limit"
        );
        let token = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln";
        for query in [format!("access_token={token}"), token.to_owned(), format!("a=1&{token}=2")] {
            assert!(!target("/v1/balances", Some(&query)).contains("eyJ"), "{query}");
        }
        assert_eq!(target("/v1", Some("deadbeef0123=1&=2")), "/v1?…&…");
    }

    #[test]
    fn a_long_path_is_cut() {
        assert_eq!(target(&"/x".repeat(500), Some("limit=1")).chars().count(), LONGEST);
    }
}
