//! What to do about each fault.

use std::time::Duration;

use crate::oauth::{
    dpop::ProofFault,
    jose::{JwkFault, json::JsonFault},
};

/// What to change, for whoever writes the client.
pub(super) const fn fix(fault: &ProofFault) -> &'static str {
    match fault {
        ProofFault::Missing => "Sign a proof for every request and send it in the DPoP header.",
        ProofFault::Repeated => "Send one DPoP header: a proxy or a retry may have added another.",
        ProofFault::TooLong => {
            "Take out what a proof does not need: typ, alg, jwk, jti, htm, htu, iat, ath, nonce."
        }
        ProofFault::NotCompact => {
            "Send header.payload.signature, and nothing else: no quotation marks, no line breaks, no JSON."
        }
        ProofFault::Encoding => {
            "Encode each part in base64url (- and _, not + and /), and cut off every = at the end."
        }
        ProofFault::Json { fault: JsonFault::Duplicate, .. } => {
            "Write each member once: two of one name are two meanings."
        }
        ProofFault::Json { fault: JsonFault::TooDeep, .. } => {
            "Write flat objects: only jwk stands inside of the header."
        }
        ProofFault::Json { .. } => {
            "Encode one JSON object in UTF-8, without a byte order mark before it."
        }
        ProofFault::Typ => {
            "Set \"typ\": \"dpop+jwt\" in the header. Many libraries write \"JWT\" unless they are told."
        }
        ProofFault::Alg => {
            "Sign with ES256 or Ed25519 (also called EdDSA); RSA, HMAC and none are not taken."
        }
        ProofFault::Crit => "Leave crit out of the header.",
        ProofFault::Jwk(JwkFault::Private) => {
            "This key is not secret any more: register a new one, retire this one, and export the public half only."
        }
        ProofFault::Jwk(JwkFault::NotAnObject) => {
            "Put the public key into the header as the object jwk, not as text, and not as kid or x5c."
        }
        ProofFault::Jwk(JwkFault::Kind) => {
            "Use an EC key on P-256 for ES256, or an OKP key with Ed25519."
        }
        ProofFault::Jwk(JwkFault::Coordinate) => {
            "Write x and y with all of their 32 bytes, leading zeros too: 43 letters each."
        }
        ProofFault::Jwk(JwkFault::Purpose) => {
            "Leave use, key_ops and alg out of jwk, or let them say that it verifies signatures."
        }
        ProofFault::Jwk(JwkFault::Point) => {
            "Export the key again: these coordinates are on no curve."
        }
        ProofFault::KeyForOtherAlg => {
            "Let alg fit the key: ES256 for P-256, Ed25519 or EdDSA for Ed25519."
        }
        ProofFault::Htm { .. } => {
            "Sign the method as it is sent, in capitals, and again after a redirect or a retry by another method."
        }
        ProofFault::Iat => {
            "Set iat to the seconds since 1970 as a number: not milliseconds, not text."
        }
        ProofFault::IatWindow { .. } => {
            "Keep the clock of the client right (NTP), take iat in seconds and in UTC, and sign right before sending."
        }
        ProofFault::Exp | ProofFault::Nbf => "Leave exp and nbf out: iat is enough.",
        ProofFault::Jti => "Draw a new random text for each proof, such as a UUID.",
        ProofFault::AthMissing => {
            "Add ath: the base64url SHA-256 of the access token that goes with this request."
        }
        ProofFault::Ath => {
            "Hash the token that is sent in this very request: letters only, without \"DPoP \", after every new token."
        }
        ProofFault::HtuUnreadable { .. } => {
            "Write the whole address, such as https://pay.example/v1/payouts: scheme, host, path."
        }
        ProofFault::Htu { .. } => {
            "Sign the public address of this server and the path of the request. Behind a proxy that is not the address inside."
        }
        ProofFault::NonceKind => "Send the nonce as it came, as text.",
        ProofFault::NonceMissing | ProofFault::NonceStale | ProofFault::NonceForClock { .. } => {
            "Take the nonce from the DPoP-Nonce header of the refusal, sign again with it, and keep it for the next request."
        }
        ProofFault::BeforeStart => "Sign a new proof.",
        ProofFault::KeyNotBound => {
            "Sign with the key that the token was asked for with, or ask for a new token with this one."
        }
        ProofFault::KeyNotRegistered => {
            "Register this key with a credential, or sign with a key that is registered and active."
        }
        ProofFault::Signature => {
            "Sign header.payload as it is sent, with the private half of jwk. An ES256 signature is r and s, 64 bytes; not DER."
        }
        ProofFault::Replayed => "Sign a new proof for every request, for retries too.",
    }
}

/// How far two clocks are apart, in words.
pub(super) fn apart(ahead: i64, window: Duration) -> String {
    let (seconds, allowed) = (ahead.unsigned_abs(), window.as_secs());
    match ahead {
        0 => format!("in the same second; {allowed} s either way are allowed"),
        ..0 => format!("{seconds} s earlier; {allowed} s are allowed"),
        1.. => format!("{seconds} s later; {allowed} s are allowed"),
    }
}
