//! What a credential is.

use std::{fmt, net::IpAddr};

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

/// A client id, `ant_oc_<env>_<32 hex>`. Secret scanners know the prefix.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// A new one for this environment.
    pub fn make(environment: Environment, random: &Random) -> Self {
        let body = u128::from_be_bytes(random.bytes());
        Self(format!("ant_oc_{}_{body:032x}", environment.as_str()))
    }

    /// Any text a caller presents; one that we never made is simply not found.
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
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
