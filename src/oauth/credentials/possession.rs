//! What a new key signs to show that its private half is at hand.

use crate::oauth::jose::{
    PublicJwk, PublicKey,
    compact::{self, Compact, Part},
};

/// Longer texts are no challenge of ours.
const LONGEST: usize = 1_024;
/// Keeps a proof for some other purpose from being shown here, and this one from being shown there.
const TYP: &str = "key-possession+jwt";

/// The challenge in `{"challenge": …}`, if the JWS is of our kind and signed by `key`.
pub(super) fn proven_text(jws: &str, key: &PublicJwk) -> Option<String> {
    let jws = Compact::split(jws.as_bytes(), LONGEST).ok()?;
    let header = jws.header().ok()?;
    let alg = compact::check_header(&compact::object(&header, Part::Header).ok()?, TYP).ok()?;
    let key = PublicKey::new(*key).ok()?;
    key.verify(alg, jws.signing_input(), &jws.signature()?).ok()?;
    let payload = jws.payload().ok()?;
    let claims = compact::object(&payload, Part::Payload).ok()?;
    claims.required_text("challenge").map(str::to_owned)
}
