//! Every reason for which a proof is refused: a label for the counters, a sentence for the developer.

use std::time::Duration;

use super::htu::HtuFault;
use crate::oauth::jose::{
    JwkFault,
    compact::{CompactFault, HeaderFault, Part},
    json::JsonFault,
};

/// Why a proof was refused.
///
/// `Display` is the `error_description`: it names the claim, what was expected and how far the clocks
/// are apart, in the letters that RFC 6749 §5.2 allows. It never repeats anything from the proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// No `DPoP` header.
    #[error("the DPoP header is missing; sign a proof for this request and send it")]
    Missing,
    /// More than one `DPoP` header: two readers could look at different ones.
    #[error("there is more than one DPoP header; send exactly one")]
    Repeated,
    /// Longer than any proof needs to be.
    #[error("the proof is longer than {} bytes", super::proof::LONGEST)]
    TooLong,
    /// Not three parts.
    #[error("the proof is not a JWS in compact serialisation (three parts joined by dots)")]
    NotCompact,
    /// A part or the signature has another spelling than the canonical one.
    #[error("the proof has a part that is not canonical base64url without padding")]
    Encoding,
    /// Header or payload cannot be read in exactly one way.
    #[error("the proof's {} {fault}", part_name(*.part))]
    Json {
        /// Which of the two.
        part: Part,
        /// What is wrong with it.
        fault: JsonFault,
    },
    /// Another kind of JWT.
    #[error("typ must be dpop+jwt")]
    Typ,
    /// An algorithm that we do not accept.
    #[error("alg must be ES256, EdDSA or Ed25519")]
    Alg,
    /// A critical extension.
    #[error("crit names an extension that is not supported; leave it out")]
    Crit,
    /// The embedded key.
    #[error("jwk {0}")]
    Jwk(JwkFault),
    /// The embedded key is of another kind than `alg` uses.
    #[error("jwk is not a key for this alg")]
    KeyForOtherAlg,
    /// `htm`.
    #[error("htm must be {expected}, the method of this request")]
    Htm {
        /// The method of the request.
        expected: String,
    },
    /// `iat` is absent or no time.
    #[error("iat must be the time of signing in seconds since 1970, as a JSON number")]
    Iat,
    /// `iat` is outside the window.
    #[error("iat is {}; at most {} s are allowed", clock_difference(*.ahead), .window.as_secs())]
    IatWindow {
        /// Seconds by which the proof is ahead of our clock; negative when it is behind.
        ahead: i64,
        /// What is allowed, either way.
        window: Duration,
    },
    /// `exp` has passed, or is no time.
    #[error("exp must be a time that has not passed")]
    Exp,
    /// `nbf` lies ahead, or is no time.
    #[error("nbf must be a time that has come")]
    Nbf,
    /// `jti`.
    #[error("jti must be a string of 1 to 256 bytes, new in every proof")]
    Jti,
    /// `ath` is absent where a token is presented.
    #[error("ath is missing; it is the base64url SHA-256 of the access token")]
    AthMissing,
    /// `ath` belongs to another token.
    #[error("ath is not the base64url SHA-256 of the access token in this request")]
    Ath,
    /// `htu` cannot be read.
    #[error("htu {fault}; expected {expected}")]
    HtuUnreadable {
        /// What is wrong with it.
        fault: HtuFault,
        /// What it should be.
        expected: String,
    },
    /// `htu` names another place.
    #[error("htu does not name this request; expected {expected}")]
    Htu {
        /// What it should be.
        expected: String,
    },
    /// `nonce` is no string.
    #[error("nonce must be a string")]
    NonceKind,
    /// A nonce is required and absent.
    #[error("this server asks for a nonce; sign again with the one in the DPoP-Nonce header")]
    NonceMissing,
    /// The nonce is not ours, or too old.
    #[error("the nonce is not valid any more; sign again with the one in the DPoP-Nonce header")]
    NonceStale,
    /// `iat` is outside the window, and a nonce would help.
    #[error("iat is {}; sign again with the nonce in the DPoP-Nonce header", clock_difference(*.ahead))]
    NonceForClock {
        /// As in [`ProofFault::IatWindow`].
        ahead: i64,
    },
    /// Signed before this server could have remembered its use.
    #[error("the proof was signed before this server started; sign a new one")]
    BeforeStart,
    /// The key is not the one that the token is bound to (RFC 9449 §7.1).
    #[error("the proof was signed with another key than the access token is bound to")]
    KeyNotBound,
    /// The key is not an active key of the client.
    #[error("key not registered for this client, or no longer active")]
    KeyNotRegistered,
    /// The signature.
    #[error("the signature does not fit the key in jwk")]
    Signature,
    /// The `jti` has been used.
    #[error("this jti was used before; every request needs a new proof")]
    Replayed,
}

/// Where a proof was presented: two of the reasons have different codes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/oauth/token`.
    Token,
    /// Everything that takes a token.
    Resource,
}

impl ProofFault {
    /// The `error` code.
    pub fn error_code(&self, at: Endpoint) -> &'static str {
        match (self, at) {
            (Self::Missing, Endpoint::Token) => "invalid_request",
            // The example in RFC 9449 §7.1: the token is not good for this key.
            (Self::KeyNotBound, _) => "invalid_token",
            (Self::NonceMissing | Self::NonceStale | Self::NonceForClock { .. }, _) => {
                "use_dpop_nonce"
            }
            _ => "invalid_dpop_proof",
        }
    }

    /// The label of the counter: one per reason, none from the caller.
    pub fn as_label(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Repeated => "repeated",
            Self::TooLong => "too_long",
            Self::NotCompact => "not_compact",
            Self::Encoding => "encoding",
            Self::Json { fault: JsonFault::Duplicate, .. } => "json_duplicate",
            Self::Json { fault: JsonFault::TooDeep, .. } => "json_depth",
            Self::Json { fault: JsonFault::NotAnObject, .. } => "json",
            Self::Typ => "typ",
            Self::Alg => "alg",
            Self::Crit => "crit",
            Self::Jwk(JwkFault::NotAnObject) => "jwk",
            Self::Jwk(JwkFault::Private) => "jwk_private",
            Self::Jwk(JwkFault::Kind) => "jwk_kind",
            Self::Jwk(JwkFault::Coordinate) => "jwk_coordinate",
            Self::Jwk(JwkFault::Purpose) => "jwk_purpose",
            Self::Jwk(JwkFault::Point) => "jwk_point",
            Self::KeyForOtherAlg => "jwk_alg",
            Self::Htm { .. } => "htm",
            Self::Iat => "iat",
            Self::IatWindow { .. } => "iat_window",
            Self::Exp => "exp",
            Self::Nbf => "nbf",
            Self::Jti => "jti",
            Self::AthMissing => "ath_missing",
            Self::Ath => "ath",
            Self::HtuUnreadable { .. } => "htu_unreadable",
            Self::Htu { .. } => "htu",
            Self::NonceKind => "nonce_kind",
            Self::NonceMissing => "nonce_missing",
            Self::NonceStale => "nonce_stale",
            Self::NonceForClock { .. } => "nonce_for_clock",
            Self::BeforeStart => "before_start",
            Self::KeyNotBound => "key_not_bound",
            Self::KeyNotRegistered => "key_not_registered",
            Self::Signature => "signature",
            Self::Replayed => "replayed",
        }
    }
}

impl From<CompactFault> for ProofFault {
    fn from(fault: CompactFault) -> Self {
        match fault {
            CompactFault::TooLong => Self::TooLong,
            CompactFault::NotCompact => Self::NotCompact,
            CompactFault::Encoding(_) => Self::Encoding,
            CompactFault::Json(part, fault) => Self::Json { part, fault },
        }
    }
}

impl From<HeaderFault> for ProofFault {
    fn from(fault: HeaderFault) -> Self {
        match fault {
            HeaderFault::Typ => Self::Typ,
            HeaderFault::Alg => Self::Alg,
            HeaderFault::Crit => Self::Crit,
        }
    }
}

impl From<JwkFault> for ProofFault {
    fn from(fault: JwkFault) -> Self {
        Self::Jwk(fault)
    }
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Header => "header",
        Part::Payload => "payload",
    }
}

fn clock_difference(ahead: i64) -> String {
    let direction = if ahead < 0 { "behind" } else { "ahead of" };
    format!("{} s {direction} the clock of this server", ahead.unsigned_abs())
}
