//! What a credential is.

use std::{collections::BTreeMap, fmt, net::IpAddr, sync::Arc};

use ipnet::IpNet;

use crate::{
    base::{
        environment::Environment, ids::MerchantId, random::Random, secret::Secret,
        timestamp::Timestamp,
    },
    oauth::{
        jose::{Jkt, PublicJwk},
        merchants::MerchantStatus,
        scopes::Scopes,
    },
};

/// The most active keys one credential may have: enough for a fleet, too few for a cache flood.
pub(super) const MAX_KEYS: usize = 20;

/// A client id, `ant_oc_<env>_<32 hex>`. Secret scanners know the prefix. Every request copies it, so
/// copies share the text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientId(Arc<str>);

impl ClientId {
    /// A new one for this environment.
    pub fn make(environment: Environment, random: &Random) -> Self {
        let body = u128::from_be_bytes(random.bytes());
        Self(format!("ant_oc_{}_{body:032x}", environment.as_str()).into())
    }

    /// A text that a caller presents, if it could be an id at all. The shape is public, so others
    /// can be refused before they cost anything, and what is counted by client has a short name: an
    /// attacker who invents ids buys neither argon2 nor memory with them.
    pub fn presented(text: &str) -> Option<Self> {
        let (environment, body) = text.strip_prefix("ant_oc_")?.split_once('_')?;
        let known = Environment::ALL.iter().any(|known| known.as_str() == environment);
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (known && body.len() == 32 && body.bytes().all(hex)).then(|| Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A new client secret, `ant_ocs_<env>_<48 hex>`: 192 random bits.
pub(super) fn make_secret(environment: Environment, random: &Random) -> Secret<String> {
    let (high, low) = (u128::from_be_bytes(random.bytes()), u64::from_be_bytes(random.bytes()));
    Secret::new(format!("ant_ocs_{}_{high:032x}{low:016x}", environment.as_str()))
}

/// Whether a credential can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialStatus {
    /// It can.
    Active,
    /// It never can again, since then.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

/// Whether a key's proofs are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// They are.
    Active,
    /// They never are again, since then.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

/// A credential without its secrets and keys.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// Its public name.
    pub client_id: ClientId,
    /// What its owner calls it.
    pub label: String,
    /// Whether it can be used.
    pub status: CredentialStatus,
    /// The rights that a token of it can have.
    pub scopes: Scopes,
    /// Where it may be used from; empty means anywhere.
    pub addresses: Vec<IpNet>,
    /// Grows with every change.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A key that proofs may be signed with.
#[derive(Clone, Debug)]
pub struct RegisteredKey {
    /// Its RFC 7638 thumbprint.
    pub jkt: Jkt,
    /// Its public half.
    pub jwk: PublicJwk,
    /// Whether it is accepted.
    pub status: KeyStatus,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A secret as stored.
#[derive(Clone, Debug)]
pub struct StoredSecret {
    /// argon2id, as a PHC string.
    pub hash: String,
    /// When it stops being accepted, if it is being replaced.
    pub expires_at: Option<Timestamp>,
}

/// Everything that a token request or a proof is checked against, loaded at once.
#[derive(Clone, Debug)]
pub struct Client {
    /// The credential.
    pub credential: Credential,
    /// Whether its merchant may act.
    pub merchant_status: MerchantStatus,
    /// One secret, or two during a rotation; the newest first.
    pub secrets: Vec<StoredSecret>,
    /// All keys, revoked ones too.
    pub keys: Vec<RegisteredKey>,
}

impl Client {
    /// Whether it can authenticate at all.
    pub fn is_active(&self) -> bool {
        self.credential.status == CredentialStatus::Active
    }

    /// The stored secrets that are accepted at `now`.
    pub fn valid_secrets(&self, now: Timestamp) -> Vec<String> {
        let valid = |secret: &&StoredSecret| secret.expires_at.is_none_or(|end| now < end);
        self.secrets.iter().filter(valid).map(|secret| secret.hash.clone()).collect()
    }

    /// The active key with this thumbprint.
    pub fn key(&self, jkt: &Jkt) -> Option<&RegisteredKey> {
        self.keys.iter().find(|key| key.jkt == *jkt && key.status == KeyStatus::Active)
    }

    /// Whether it may be used from this address. Stops a stolen credential from working elsewhere.
    pub fn allows(&self, address: IpAddr) -> bool {
        let networks = &self.credential.addresses;
        networks.is_empty() || networks.iter().any(|net| net.contains(&address.to_canonical()))
    }
}

/// When something was last used, to within a minute: what has been idle for long can be retired.
#[derive(Clone, Debug, Default)]
pub struct LastUses {
    /// The credential, with whichever key.
    pub credential: Option<Timestamp>,
    /// Each key by its thumbprint; one that was never used is not there.
    pub keys: BTreeMap<String, Timestamp>,
}

/// A wish for a credential.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Whose it will be.
    pub merchant_id: MerchantId,
    /// What its owner calls it.
    pub label: String,
    /// The rights it gets.
    pub scopes: Scopes,
    /// Where it may be used from; empty means anywhere.
    pub addresses: Vec<IpNet>,
    /// Its first key.
    pub key: PublicJwk,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_could_be_an_id_is_one() {
        for environment in Environment::ALL {
            let made = ClientId::make(environment, &Random::seeded(1));
            assert_eq!(ClientId::presented(made.as_str()), Some(made));
        }
        let hex = "0123456789abcdef0123456789abcdef";
        for wrong in [
            String::new(),
            hex.to_owned(),
            format!("ant_oc_{hex}"),
            format!("ant_oc__{hex}"),
            format!("ant_oc_moon_{hex}"),
            format!("ant_oc_sandbox_{hex}0"),
            format!("ant_oc_sandbox_{}", &hex[1..]),
            format!("ant_oc_sandbox_{}", hex.to_uppercase()),
            format!("ant_oc_sandbox_{}g", &hex[1..]),
            format!("ant_oc_sandbox_{}\u{e4}", &hex[2..]),
            format!("ant_oc_sandbox_{hex} "),
            format!("ANT_OC_sandbox_{hex}"),
            format!("ant_ocs_sandbox_{hex}"),
        ] {
            assert_eq!(ClientId::presented(&wrong), None, "{wrong}");
        }
    }
}
