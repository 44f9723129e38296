//! The catalogue file, read strictly: a misspelt key is an error, not a case that tests nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    pub(super) case: Vec<Case>,
}

/// One numbered case and what it must get.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) title: String,
    /// Where the rule stands.
    pub(super) rfc: String,
    /// Where the tries below are sent; absent for cases that need code.
    pub(super) at: Option<Place>,
    /// What it must get. Cases without an answer of their own have none.
    pub(super) status: Option<u16>,
    /// The error code, in the body or in the challenge; absent where there must be none.
    pub(super) error: Option<String>,
    /// A part of the description: the refusal must have the reason that the case is about.
    pub(super) says: Option<String>,
    /// Headers, and a part of the value of each.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// A choice that the standards leave open.
    #[serde(rename = "note")]
    _note: Option<String>,
    /// A test of another file that shows it, as `folder/file.rs::function`.
    pub(super) test: Option<String>,
    /// Why no test of this binary can show it.
    pub(super) elsewhere: Option<String>,
    /// The requests: each is a good one with something changed.
    #[serde(default)]
    pub(super) tries: Vec<Try>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    /// `POST /oauth/token`.
    Token,
    /// `GET /v1/credential`.
    Resource,
    /// Both of them: the rule is about proofs.
    Proof,
    /// `POST /oauth/revoke`.
    Revoke,
    /// `POST /oauth/introspect`.
    Introspect,
    /// Documents that anybody may read.
    Public,
}

/// One request, as the difference to a good one. Texts are templates, see `template.rs`.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Try {
    /// Members of the JOSE header, as JSON texts; an empty text leaves the member out.
    #[serde(default)]
    pub(super) header: BTreeMap<String, String>,
    /// Members of the embedded key, likewise.
    #[serde(default)]
    pub(super) jwk: BTreeMap<String, String>,
    /// Members of the payload, likewise.
    #[serde(default)]
    pub(super) claims: BTreeMap<String, String>,
    /// The whole JOSE header, signed as it stands.
    pub(super) header_text: Option<String>,
    /// The whole payload, likewise.
    pub(super) claims_text: Option<String>,
    /// The key that signs: `es256`, `ed25519`, or one that is not the caller's own.
    pub(super) key: Option<String>,
    /// What is done to the signature; see `signature.rs`.
    pub(super) sign: Option<String>,
    /// The values of the `DPoP` header lines, in place of the one with the proof.
    pub(super) dpop: Option<Vec<String>>,
    /// Another spelling of the name `DPoP`.
    pub(super) dpop_name: Option<String>,
    pub(super) method: Option<String>,
    pub(super) target: Option<String>,
    /// The values of the `Authorization` header lines.
    pub(super) authorization: Option<Vec<String>>,
    /// The body.
    pub(super) form: Option<String>,
    /// The media type of the body; empty leaves it out.
    pub(super) content_type: Option<String>,
    /// Header lines of other names.
    #[serde(default)]
    pub(super) lines: Vec<(String, String)>,
    /// Another answer than the case's, for this request.
    pub(super) status: Option<u16>,
    pub(super) error: Option<String>,
    /// Another error than the case's, at a resource.
    pub(super) resource_error: Option<String>,
}

/// The file.
pub(super) fn catalogue() -> Catalogue {
    toml::from_str(include_str!("../catalogue.toml"))
        .unwrap_or_else(|error| panic!("catalogue.toml: {error}"))
}
