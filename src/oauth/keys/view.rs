//! What the ring looks like at one moment.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::SigningKey;
use crate::{
    base::failure::{Failure, Result},
    oauth::jose::{Jkt, PublicKey, base64url},
};

/// The keys of one moment: one signs, all of them verify.
#[derive(Debug)]
pub struct RingView {
    signer: Arc<SigningKey>,
    verifiers: HashMap<Jkt, Arc<PublicKey>>,
    jwks: Vec<u8>,
    etag: String,
}

impl RingView {
    /// The JWKS is built from public keys only: their type has no room for a private member.
    pub(super) fn new(signer: Arc<SigningKey>, published: &[Arc<SigningKey>]) -> Result<Self> {
        let mut keys = Vec::new();
        let mut verifiers = HashMap::new();
        for key in published {
            let mut entry = serde_json::to_value(key.public().jwk()).map_err(Failure::internal)?;
            if let Value::Object(members) = &mut entry {
                members.insert("kid".to_owned(), Value::from(key.kid().as_str()));
                members.insert("alg".to_owned(), Value::from(key.alg().name()));
                members.insert("use".to_owned(), Value::from("sig"));
            }
            keys.push(entry);
            verifiers.insert(*key.kid(), Arc::new(key.public().clone()));
        }
        let jwks = serde_json::to_vec(&json!({ "keys": keys })).map_err(Failure::internal)?;
        let etag = format!("\"{}\"", base64url::encode(Sha256::digest(&jwks)));
        Ok(Self { signer, verifiers, jwks, etag })
    }

    /// The key that signs now.
    pub fn signer(&self) -> &SigningKey {
        &self.signer
    }

    /// A published key by its name.
    pub fn verifier(&self, kid: &Jkt) -> Option<Arc<PublicKey>> {
        self.verifiers.get(kid).cloned()
    }

    /// The published document.
    pub fn jwks(&self) -> &[u8] {
        &self.jwks
    }

    /// Its strong entity tag.
    pub fn etag(&self) -> &str {
        &self.etag
    }
}
