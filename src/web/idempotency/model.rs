//! Keys, requests and answers.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::base::{
    failure::{Code, Failure, Result},
    ids::MerchantId,
    timestamp::Timestamp,
};

/// The longest key; the published limit.
const MAX_KEY: usize = 255;

/// A checked `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Accepts 1 to 255 visible ASCII characters, so that two keys that look alike are alike.
    pub fn parse(text: &str) -> Result<Self> {
        let fits = (1..=MAX_KEY).contains(&text.len());
        if fits && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            Ok(Self(text.to_owned()))
        } else {
            Err(Failure::new(Code::InvalidIdempotencyKey))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request that must act at most once.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose key it is: two merchants may use the same one.
    pub merchant: MerchantId,
    /// What is asked; the same key may serve another operation.
    pub operation: &'static str,
    /// The caller's key.
    pub key: Key,
    hash: [u8; 32],
}

impl Request {
    /// Fingerprints the target and the body. The order of members and white space do not count,
    /// because a client library may write the same request differently when it tries again.
    pub fn new(
        merchant: MerchantId,
        operation: &'static str,
        key: Key,
        target: &str,
        body: &Value,
    ) -> Self {
        let mut hash = Sha256::new();
        hash.update(target);
        hash.update([0]);
        hash_canonical(body, &mut hash);
        Self { merchant, operation, key, hash: hash.finalize().into() }
    }

    pub(super) fn hash(&self) -> &[u8] {
        &self.hash
    }
}

/// Feeds a value to the hash with sorted members and a mark before each part, so that no two
/// different bodies feed the same bytes.
fn hash_canonical(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            hash.update(format!("{{{}:", sorted.len()));
            for (name, value) in sorted {
                hash.update(format!("{}:{name}", name.len()));
                hash_canonical(value, hash);
            }
        }
        Value::Array(items) => {
            hash.update(format!("[{}:", items.len()));
            for item in items {
                hash_canonical(item, hash);
            }
        }
        Value::String(text) => hash.update(format!("\"{}:{text}", text.len())),
        other => hash.update(format!("={other};")),
    }
}

/// What a key was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// What was asked.
    pub operation: String,
    /// What that made or changed.
    pub resource_id: String,
    /// When.
    pub at: Timestamp,
    /// The status of the answer, while it is kept.
    pub status: Option<u16>,
}

/// A stored answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The exact bytes of the JSON body.
    pub body: Vec<u8>,
    /// Whether this is an earlier request's answer.
    pub replayed: bool,
}

impl Answer {
    /// The answer to a request that took effect now.
    pub fn json(status: u16, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(Failure::internal)?;
        Ok(Self { status, body, replayed: false })
    }
}

/// What is stored under a key.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) hash: Vec<u8>,
    pub(super) made: String,
    pub(super) answer: Option<(u16, Vec<u8>)>,
}

impl Stored {
    /// The first answer again, if the request is the same.
    pub(super) fn replay(self, request: &Request) -> Result<Answer> {
        if self.hash != request.hash {
            return Err(Failure::new(Code::IdempotencyConflict));
        }
        let (status, body) = self.answer.ok_or_else(|| {
            Failure::new(Code::IdempotencyKeySpent).details(json!({ "resource_id": self.made }))
        })?;
        Ok(Answer { status, body, replayed: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{clock::Clock, random::Random};

    fn hash(target: &str, body: &Value) -> Vec<u8> {
        let merchant = MerchantId::make(&Clock::system(), &Random::seeded(1));
        let key = Key::parse("k").unwrap();
        Request::new(merchant, "op", key, target, body).hash().to_vec()
    }

    #[test]
    fn keys_are_visible_ascii_up_to_255() {
        assert!(Key::parse(&"k".repeat(255)).is_ok());
        for wrong in ["", "a\u{e9}", "tab\t", &"k".repeat(256)] {
            assert!(Key::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn member_order_does_not_matter_and_everything_else_does() {
        let one = hash("/v1/x", &json!({ "a": 1, "b": ["x", null] }));
        assert_eq!(one, hash("/v1/x", &json!({ "b": ["x", null], "a": 1 })));
        for other in [
            json!({ "a": "1", "b": ["x", null] }),
            json!({ "a": 1, "b": [null, "x"] }),
            json!({ "a": 1, "b": ["x"] }),
            json!({ "a": 1 }),
        ] {
            assert_ne!(one, hash("/v1/x", &other), "{other}");
        }
        assert_ne!(one, hash("/v1/y", &json!({ "a": 1, "b": ["x", null] })));
    }
}
