//! Keys that have signed before, ready to verify again.

use std::sync::Arc;

use moka::sync::Cache;

use crate::oauth::jose::{ClaimedKey, Jkt, JwkFault, PublicJwk, PublicKey};

/// Prepared keys by thumbprint. A key in here has no rights: whether it is registered, active or
/// bound is asked elsewhere on every request. So it may be forgotten at any time, and never has to be.
#[derive(Debug, Clone)]
pub struct PreparedKeys(Cache<Jkt, Arc<PublicKey>>);

impl PreparedKeys {
    /// Room for `capacity` keys of about one kilobyte each.
    pub fn new(capacity: u64) -> Self {
        Self(Cache::builder().max_capacity(capacity).build())
    }

    /// The prepared key. The first sight of a key checks its point, which costs about as much as a
    /// signature: ask only for thumbprints that are registered or bound to the token.
    pub fn prepare(&self, jkt: &Jkt, claimed: &ClaimedKey) -> Result<Arc<PublicKey>, JwkFault> {
        if let Some(key) = self.0.get(jkt) {
            return Ok(key);
        }
        let key = Arc::new(PublicKey::new(PublicJwk::import(claimed)?)?);
        // Under its own name, whatever the caller asked for.
        self.0.insert(*key.jkt(), key.clone());
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::jose::json::Object;

    fn claimed(json: &str) -> ClaimedKey {
        ClaimedKey::from_object(&Object::parse(json.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn a_key_is_prepared_once() {
        let keys = PreparedKeys::new(10);
        let json =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let claimed = claimed(json);
        let first = keys.prepare(&claimed.thumbprint(), &claimed).unwrap();
        let second = keys.prepare(&claimed.thumbprint(), &claimed).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn a_bad_point_is_never_kept() {
        let keys = PreparedKeys::new(10);
        let zero = "A".repeat(43);
        let claimed = claimed(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{zero}"}}"#));
        for _ in 0..2 {
            let refused = keys.prepare(&claimed.thumbprint(), &claimed);
            assert_eq!(refused.map(|_| ()), Err(JwkFault::Point));
        }
    }
}
