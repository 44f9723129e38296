//! Why a presented token is not accepted.

use crate::oauth::jose::compact::HeaderFault;

/// One reason. All of them are `invalid_token` on the wire; `Display` is the `error_description`, in
/// the letters that RFC 6750 §3 allows, and repeats nothing from the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenFault {
    /// Longer than any token of ours.
    #[error("the access token is too long")]
    TooLong,
    /// Not a signed JWT that can be read in exactly one way.
    #[error("the access token is malformed")]
    Malformed,
    /// Another kind of JWT.
    #[error("the access token is not of type at+jwt")]
    Typ,
    /// An algorithm that we never sign with, or another than its key's.
    #[error("the access token is signed with an algorithm that is not accepted")]
    Alg,
    /// A critical extension.
    #[error("the access token demands an extension that is not supported")]
    Crit,
    /// No key of this name, or no longer.
    #[error("the access token is signed with a key that is not published; mint a new one")]
    UnknownKey,
    /// The signature.
    #[error("the signature of the access token does not fit")]
    Signature,
    /// From another server.
    #[error("the access token was issued by another server")]
    Issuer,
    /// For another server.
    #[error("the access token is meant for another server")]
    Audience,
    /// Too late.
    #[error("the access token has expired; mint a new one")]
    Expired,
    /// Too early.
    #[error("the access token is not valid yet")]
    NotYetValid,
    /// A claim is missing or has the wrong type. Wrong never counts as missing, or a check would be
    /// skipped by writing a number as text.
    #[error("the access token lacks a valid {0}")]
    Claim(&'static str),
    /// It, its client or its key has been revoked.
    #[error("the access token, its client or its key has been revoked")]
    Revoked,
    /// Presented without a proof, as whoever has stolen it would have to.
    #[error("the access token is bound to a key; present it with the DPoP scheme and a proof")]
    Bearer,
    /// Not bound to a key by its thumbprint.
    #[error("the access token is not bound to a key (cnf.jkt)")]
    Unbound,
}

impl TokenFault {
    /// The label of the counter.
    pub fn as_label(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Typ => "typ",
            Self::Alg => "alg",
            Self::Crit => "crit",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Claim(_) => "claim",
            Self::Revoked => "revoked",
            Self::Bearer => "bearer",
            Self::Unbound => "unbound",
        }
    }
}

impl From<HeaderFault> for TokenFault {
    fn from(fault: HeaderFault) -> Self {
        match fault {
            HeaderFault::Typ => Self::Typ,
            HeaderFault::Alg => Self::Alg,
            HeaderFault::Crit => Self::Crit,
        }
    }
}
