//! Keys as they are registered; the rest of registration is in `credentials.rs` and in the portal.

use counterfoil::oauth::jose::{JwkFault, PublicJwk};
use serde_json::json;

const X: &str = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
const Y: &str = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA";
const ED: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn refusal(jwk: &serde_json::Value) -> JwkFault {
    PublicJwk::parse(jwk.to_string().as_bytes()).unwrap_err()
}

cases! {
    sqlite ["G4"]
    async fn a_private_key_is_refused(db: TestDb) {
        drop(db);
        for private in [
            json!({ "kty": "EC", "crv": "P-256", "x": X, "y": Y, "d": X }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": ED, "d": X }),
            json!({ "kty": "oct", "k": X }),
        ] {
            let told = refusal(&private);
            assert_eq!(told, JwkFault::Private);
            assert!(!format!("{told} {told:?}").contains(X));
        }
    }

    sqlite ["G5"]
    async fn keys_that_are_not_safe_are_refused(db: TestDb) {
        drop(db);
        let zero = "A".repeat(43);
        for (jwk, fault) in [
            (json!({ "kty": "EC", "crv": "P-384", "x": "A".repeat(64), "y": "A".repeat(64) }), JwkFault::Kind),
            (json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }), JwkFault::Kind),
            (json!({ "kty": "OKP", "crv": "X25519", "x": ED }), JwkFault::Kind),
            (json!({ "kty": "EC", "crv": "P-256", "x": Y, "y": X }), JwkFault::Point),
            (json!({ "kty": "EC", "crv": "P-256", "x": zero, "y": zero }), JwkFault::Point),
            (json!({ "kty": "EC", "crv": "P-256", "x": &X[1..], "y": Y }), JwkFault::Coordinate),
            // The identity, a point of order two, p + 1 as a second spelling of one.
            (json!({ "kty": "OKP", "crv": "Ed25519", "x": format!("AQ{}", &zero[2..]) }), JwkFault::Point),
            (json!({ "kty": "OKP", "crv": "Ed25519", "x": format!("7P{}38", "_".repeat(39)) }), JwkFault::Point),
            (json!({ "kty": "OKP", "crv": "Ed25519", "x": format!("7v{}38", "_".repeat(39)) }), JwkFault::Point),
        ] {
            assert_eq!(refusal(&jwk), fault, "{jwk}");
        }
        for good in [
            json!({ "kty": "EC", "crv": "P-256", "x": X, "y": Y }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": ED, "kid": "1", "use": "sig" }),
        ] {
            PublicJwk::parse(good.to_string().as_bytes()).unwrap();
        }
    }
}
