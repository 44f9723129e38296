//! The vectors of the RFCs, run before the server takes its first request.
//!
//! A broken build of the cryptography, or a wrong turn in our own reading of JWTs, would refuse
//! everybody or, worse, nobody. It must stop the start instead.

use std::time::Duration;

use super::{
    dpop::{Expected, ExpectedHtu, NonceRule, Proof, ProofFault, PublicBase, nonce, proof},
    jose::{Jkt, PublicJwk, PublicKey, TokenHash},
};
use crate::base::timestamp::Timestamp;

/// Which vector came out wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("self-test {0} failed: this build must not serve; build it again and run its tests")]
pub struct SelfTestFault(pub &'static str);

const RFC7638_N: &str = concat!(
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP",
    "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY",
    "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f",
    "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
);

const RFC8037_KEY: &[u8] =
    br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

const RFC9449_KEY: &[u8] = br#"{"kty":"EC","crv":"P-256",
    "x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#;

/// The same key, written in another order and with company.
const RFC9449_KEY_DRESSED: &[u8] = br#"{"use":"sig","kid":"1","alg":"ES256","key_ops":["verify"],
    "y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    "x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","crv":"P-256","kty":"EC"}"#;

const RFC9449_JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const RFC9449_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const RFC9449_ATH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

const HEADER: &str = concat!(
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo",
    "UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW",
    "clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
);

const TOKEN_REQUEST: &str = concat!(
    "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUu",
    "Y29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.",
    "2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
);

const REFRESH_REQUEST: &str = concat!(
    "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUu",
    "Y29tL3Rva2VuIiwiaWF0IjoxNTYyMjY1Mjk2fQ.",
    "pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X620BxqhvYC8ynrrvZLTk41mSRroapUA"
);

const RESOURCE_REQUEST: &str = concat!(
    "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxl",
    "Lm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0Ji",
    "MHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.",
    "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
);

/// Runs all vectors; a few signatures, so well below a millisecond.
pub fn run() -> Result<(), SelfTestFault> {
    thumbprints()?;
    proofs()?;
    must(nonce::is_nonce_text("eyJ7S_zG.eyJH0-Z.HX4w-7v"), "V10")
}

fn thumbprints() -> Result<(), SelfTestFault> {
    let is =
        |key: &[u8], jkt| PublicJwk::parse(key).is_ok_and(|key| key.thumbprint().as_str() == jkt);
    let rsa = Jkt::of_members(&[("e", "AQAB"), ("kty", "RSA"), ("n", RFC7638_N)]);
    must(rsa.as_str() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "V1")?;
    must(is(RFC8037_KEY, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"), "V2")?;
    must(is(RFC9449_KEY, RFC9449_JKT), "V3")?;
    must(TokenHash::of(RFC9449_TOKEN).as_str() == RFC9449_ATH, "V4")?;
    must(is(RFC9449_KEY_DRESSED, RFC9449_JKT), "V9")?;
    must(rsa.as_str().len() == 43 && !rsa.as_str().contains('='), "V11")
}

fn proofs() -> Result<(), SelfTestFault> {
    let example = |method, url, payload_and_signature, token| Example {
        method,
        url,
        payload_and_signature,
        token,
    };
    let token = example("POST", ["https://server.example.com", "/token"], TOKEN_REQUEST, None);
    must(token.accepted_at(1_562_262_616, "-BwC3ESc6acc2lTc"), "V5")?;
    let refresh = Example { payload_and_signature: REFRESH_REQUEST, ..token };
    must(refresh.accepted_at(1_562_265_296, "-BwC3ESc6acc2lTc"), "V6")?;
    let url = ["https://resource.example.org", "/protectedresource"];
    let resource = example("GET", url, RESOURCE_REQUEST, Some(RFC9449_TOKEN));
    must(resource.accepted_at(1_562_262_618, "e1j3V_bKic8-LAEB"), "V7")?;
    for seconds in [1_562_262_616 + 61, 1_562_262_616 - 61] {
        let refused = token.check(Timestamp::from_unix_seconds(seconds));
        must(matches!(refused, Err(ProofFault::IatWindow { .. })), "V8")?;
    }
    // A verifier that says yes to everything passes all of the above.
    let swapped = TOKEN_REQUEST.replace("T3Lg", "T3Lw");
    let forged = Example { payload_and_signature: &swapped, ..token };
    let verdict = forged.check(Timestamp::from_unix_seconds(1_562_262_616));
    must(verdict == Err(ProofFault::Signature), "V5 with another signature")
}

#[derive(Clone, Copy)]
struct Example<'a> {
    method: &'a str,
    url: [&'a str; 2],
    payload_and_signature: &'a str,
    token: Option<&'a str>,
}

impl Example<'_> {
    fn accepted_at(&self, second: i64, jti: &str) -> bool {
        self.check(Timestamp::from_unix_seconds(second))
            .is_ok_and(|proof| proof.jti == jti && proof.jkt.as_str() == RFC9449_JKT)
    }

    fn check(&self, now: Timestamp) -> Result<Proof, ProofFault> {
        let [base, path] = self.url;
        let unreadable = |fault| ProofFault::HtuUnreadable { fault, expected: base.to_owned() };
        let bases = [PublicBase::parse(base).map_err(unreadable)?];
        let htu = ExpectedHtu::new(&bases, path).map_err(unreadable)?;
        let token_hash = self.token.map(TokenHash::of);
        let expected = Expected {
            method: self.method,
            htu: &htu,
            now,
            window: Duration::from_mins(1),
            token_hash: token_hash.as_ref(),
            nonces: NonceRule::Off,
            forgotten_until: None,
        };
        let text = format!("{HEADER}.{}", self.payload_and_signature);
        let proof = proof::read(text.as_bytes(), &expected)?;
        let key = PublicKey::new(PublicJwk::import(proof.claimed_key())?)?;
        proof.verify(&key)
    }
}

fn must(holds: bool, vector: &'static str) -> Result<(), SelfTestFault> {
    if holds { Ok(()) } else { Err(SelfTestFault(vector)) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_vectors_of_the_rfcs_hold() {
        assert_eq!(super::run(), Ok(()));
    }
}
