//! The statements of credentials.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::{
    base::{failure::Failure, ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx, expect_one},
    oauth::{
        jose::{Jkt, PublicJwk},
        merchants::MerchantStatus,
        scopes::Scopes,
    },
};

use super::{
    Client, ClientId, Credential, CredentialStatus, KeyStatus, LastUses, RegisteredKey,
    StoredSecret,
};

const CLAIM_NAME: &str = "INSERT INTO directory (name, merchant_id) VALUES ($1, $2)";

const OWNER: &str = "SELECT merchant_id FROM directory WHERE name = $1";

const INSERT: &str = "INSERT INTO credentials
    (merchant_id, client_id, label, status, scopes, addresses, version, created_at_us)
    VALUES ($1, $2, $3, 'active', $4, $5, 1, $6)";

const COLUMNS_FIND: &str = "SELECT c.merchant_id, c.client_id, c.label, c.status, c.scopes,
        c.addresses, c.version, c.created_at_us, c.revoked_at_us, m.status AS merchant_status
    FROM credentials c JOIN merchants m ON m.id = c.merchant_id
    WHERE c.merchant_id = $1 AND c.client_id = $2";

const LIST: &str = "SELECT c.merchant_id, c.client_id, c.label, c.status, c.scopes,
        c.addresses, c.version, c.created_at_us, c.revoked_at_us, m.status AS merchant_status
    FROM credentials c JOIN merchants m ON m.id = c.merchant_id
    WHERE c.merchant_id = $1 ORDER BY c.created_at_us, c.client_id LIMIT 1000";

const BUMP: &str = "UPDATE credentials SET version = version + 1
    WHERE merchant_id = $1 AND client_id = $2 AND status = 'active'";

const REVOKE: &str =
    "UPDATE credentials SET status = 'revoked', revoked_at_us = $3, version = version + 1
    WHERE merchant_id = $1 AND client_id = $2 AND status = 'active'";

const INSERT_SECRET: &str = "INSERT INTO credential_secrets
    (merchant_id, client_id, secret_hash, created_at_us) VALUES ($1, $2, $3, $4)";

const EXPIRE_SECRETS: &str = "UPDATE credential_secrets SET expires_at_us = $3
    WHERE merchant_id = $1 AND client_id = $2 AND (expires_at_us IS NULL OR expires_at_us > $3)";

const SECRETS: &str = "SELECT secret_hash, expires_at_us FROM credential_secrets
    WHERE merchant_id = $1 AND client_id = $2 ORDER BY created_at_us DESC LIMIT 100";

const INSERT_KEY: &str = "INSERT INTO credential_keys
    (merchant_id, client_id, jkt, jwk, status, created_at_us)
    VALUES ($1, $2, $3, $4, 'active', $5)";

const REVOKE_KEY: &str = "UPDATE credential_keys SET status = 'revoked', revoked_at_us = $4
    WHERE merchant_id = $1 AND client_id = $2 AND jkt = $3 AND status = 'active'";

const KEYS: &str = "SELECT merchant_id, client_id, jkt, jwk, status, created_at_us, revoked_at_us
    FROM credential_keys
    WHERE merchant_id = $1 AND client_id = $2 ORDER BY created_at_us LIMIT 1000";

const HOLDER: &str = "SELECT client_id FROM credential_keys
    WHERE merchant_id = $1 AND jkt = $2 LIMIT 1";

const MARK_USED: &str = "INSERT INTO credential_uses (merchant_id, client_id, last_used_us)
    VALUES ($1, $2, $3)
    ON CONFLICT (merchant_id, client_id) DO UPDATE SET last_used_us = excluded.last_used_us";

const MARK_KEY_USED: &str = "INSERT INTO key_uses (merchant_id, client_id, jkt, last_used_us)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (merchant_id, client_id, jkt) DO UPDATE SET last_used_us = excluded.last_used_us";

const LAST_USE: &str =
    "SELECT last_used_us FROM credential_uses WHERE merchant_id = $1 AND client_id = $2";

const KEY_USES: &str = "SELECT jkt, last_used_us FROM key_uses
    WHERE merchant_id = $1 AND client_id = $2 ORDER BY jkt LIMIT 1000";

/// Of all credentials of a merchant and their keys, in one trip; a credential itself has no key beside it.
const ALL_USES: &str = "SELECT client_id, CAST(NULL AS TEXT) AS jkt, last_used_us
    FROM credential_uses WHERE merchant_id = $1
    UNION ALL
    SELECT client_id, jkt, last_used_us FROM key_uses WHERE merchant_id = $1 LIMIT 100000";

const INSERT_CHALLENGE: &str = "INSERT INTO key_challenges (merchant_id, challenge, expires_at_us)
    VALUES ($1, $2, $3)";

const TAKE_CHALLENGE: &str = "DELETE FROM key_challenges
    WHERE merchant_id = $1 AND challenge = $2 AND expires_at_us > $3";

const FORGET_CHALLENGES: &str = "DELETE FROM key_challenges WHERE expires_at_us < $1";

const NEXT_GENERATION: &str = "UPDATE generations SET value = value + 1 WHERE name = 'access'";

const GENERATION: &str = "SELECT value FROM generations WHERE name = 'access'";

const UNCLAIMED: &str = "SELECT k.client_id, k.jkt FROM credential_keys k
    WHERE NOT EXISTS (SELECT 1 FROM directory d
        WHERE d.name = k.jkt AND d.merchant_id = k.merchant_id)
    OR NOT EXISTS (SELECT 1 FROM directory d
        WHERE d.name = k.client_id AND d.merchant_id = k.merchant_id)
    ORDER BY k.client_id, k.jkt LIMIT 1000";

const EACH_KEY: &str =
    "SELECT merchant_id, client_id, jkt, jwk, status, created_at_us, revoked_at_us
    FROM credential_keys WHERE (merchant_id, client_id, jkt) > ($1, $2, $3)
    ORDER BY merchant_id, client_id, jkt LIMIT 500";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(CLAIM_NAME),
    Statement::same(OWNER),
    Statement::same(INSERT),
    Statement::same(COLUMNS_FIND),
    Statement::same(LIST),
    Statement::same(BUMP),
    Statement::same(REVOKE),
    Statement::same(INSERT_SECRET),
    Statement::same(EXPIRE_SECRETS),
    Statement::same(SECRETS),
    Statement::same(INSERT_KEY),
    Statement::same(REVOKE_KEY),
    Statement::same(KEYS),
    Statement::same(HOLDER),
    Statement::same(MARK_USED),
    Statement::same(MARK_KEY_USED),
    Statement::same(LAST_USE),
    Statement::same(KEY_USES),
    Statement::same(ALL_USES),
    Statement::same(INSERT_CHALLENGE),
    Statement::same(TAKE_CHALLENGE),
    Statement::same(FORGET_CHALLENGES),
    Statement::same(NEXT_GENERATION),
    Statement::same(GENERATION),
    Statement::same(UNCLAIMED),
    Statement::same(EACH_KEY),
];

/// Makes a name unique across merchants.
pub(super) async fn claim_name(
    tx: &mut Tx,
    name: &str,
    merchant: MerchantId,
) -> Result<(), DbError> {
    db::exec!(tx, CLAIM_NAME, name, merchant)?;
    Ok(())
}

/// The merchant that a name belongs to.
pub(super) async fn owner(tx: &mut Tx, name: &str) -> Result<Option<MerchantId>, DbError> {
    Ok(db::optional!(tx, (MerchantId,), OWNER, name)?.map(|(merchant,)| merchant))
}

pub(super) async fn insert(tx: &mut Tx, credential: &Credential) -> Result<(), DbError> {
    let Credential { merchant_id, client_id, label, scopes, addresses, created_at, .. } =
        credential;
    let networks: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let (scopes, networks) = (scopes.to_string(), networks.join(" "));
    db::exec!(tx, INSERT, merchant_id, client_id.as_str(), label, scopes, networks, created_at)?;
    Ok(())
}

db::row! {
    struct CredentialRow {
        merchant_id: MerchantId,
        client_id: String,
        label: String,
        status: String,
        scopes: String,
        addresses: String,
        version: i64,
        created_at_us: Timestamp,
        revoked_at_us: Option<Timestamp>,
        merchant_status: String,
    }
}

impl CredentialRow {
    fn read(self) -> Result<(Credential, MerchantStatus), DbError> {
        let merchant_status = MerchantStatus::parse(&self.merchant_status)
            .ok_or_else(|| DbError::unreadable("merchant status", self.merchant_status.clone()))?;
        let status = match (self.status.as_str(), self.revoked_at_us) {
            ("active", None) => CredentialStatus::Active,
            ("revoked", Some(at)) => CredentialStatus::Revoked { at },
            _ => return Err(DbError::unreadable("credential status", self.status)),
        };
        let scopes = match self.scopes.as_str() {
            "" => Scopes::default(),
            text => text.parse().map_err(|error| DbError::unreadable("scope", error))?,
        };
        let networks: Result<Vec<IpNet>, _> =
            self.addresses.split_ascii_whitespace().map(str::parse).collect();
        let client_id = ClientId::presented(&self.client_id)
            .ok_or_else(|| DbError::unreadable("client id", self.client_id.clone()))?;
        let credential = Credential {
            merchant_id: self.merchant_id,
            client_id,
            label: self.label,
            status,
            scopes,
            addresses: networks.map_err(|error| DbError::unreadable("network", error))?,
            version: self.version,
            created_at: self.created_at_us,
        };
        Ok((credential, merchant_status))
    }
}

pub(super) async fn list(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<Credential>, DbError> {
    let rows = db::all!(tx, CredentialRow, LIST, merchant)?;
    rows.into_iter().map(|row| row.read().map(|(credential, _)| credential)).collect()
}

pub(super) async fn load(
    tx: &mut Tx,
    merchant: MerchantId,
    client: &ClientId,
) -> Result<Option<Client>, DbError> {
    let row = db::optional!(tx, CredentialRow, COLUMNS_FIND, merchant, client.as_str())?;
    let Some(row) = row else { return Ok(None) };
    let (credential, merchant_status) = row.read()?;
    let secrets = db::all!(tx, (String, Option<Timestamp>), SECRETS, merchant, client.as_str())?
        .into_iter()
        .map(|(hash, expires_at)| StoredSecret { hash, expires_at })
        .collect();
    let keys = db::all!(tx, KeyRow, KEYS, merchant, client.as_str())?
        .into_iter()
        .map(RegisteredKey::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Some(Client { credential, merchant_status, secrets, keys }))
}

db::row! {
    struct KeyRow {
        merchant_id: String,
        client_id: String,
        jkt: String,
        jwk: String,
        status: String,
        created_at_us: Timestamp,
        revoked_at_us: Option<Timestamp>,
    }
}

impl TryFrom<KeyRow> for RegisteredKey {
    type Error = DbError;

    fn try_from(row: KeyRow) -> Result<Self, DbError> {
        let jwk = PublicJwk::parse(row.jwk.as_bytes())
            .map_err(|error| DbError::unreadable("public key", error))?;
        let status = match (row.status.as_str(), row.revoked_at_us) {
            ("active", None) => KeyStatus::Active,
            ("revoked", Some(at)) => KeyStatus::Revoked { at },
            _ => return Err(DbError::unreadable("key status", row.status)),
        };
        let jkt = jwk.thumbprint();
        if jkt.as_str() != row.jkt {
            return Err(DbError::unreadable("public key", "its thumbprint is another key's"));
        }
        Ok(Self { jkt, jwk, status, created_at: row.created_at_us })
    }
}

/// Grows the version of an active credential; a revoked one is not changed.
pub(super) async fn bump(
    tx: &mut Tx,
    merchant: MerchantId,
    client: &ClientId,
) -> Result<(), DbError> {
    expect_one(db::exec!(tx, BUMP, merchant, client.as_str())?)
}

/// False when it was revoked before.
pub(super) async fn revoke(
    tx: &mut Tx,
    merchant: MerchantId,
    client: &ClientId,
    now: Timestamp,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, REVOKE, merchant, client.as_str(), now)? == 1)
}

pub(super) async fn insert_secret(
    tx: &mut Tx,
    credential: &Credential,
    hash: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let Credential { merchant_id, client_id, .. } = credential;
    db::exec!(tx, INSERT_SECRET, merchant_id, client_id.as_str(), hash, now)?;
    Ok(())
}

/// Ends every secret of a credential at `end`, unless it ends earlier.
pub(super) async fn expire_secrets(
    tx: &mut Tx,
    credential: &Credential,
    end: Timestamp,
) -> Result<(), DbError> {
    let Credential { merchant_id, client_id, .. } = credential;
    db::exec!(tx, EXPIRE_SECRETS, merchant_id, client_id.as_str(), end)?;
    Ok(())
}

pub(super) async fn insert_key(
    tx: &mut Tx,
    credential: &Credential,
    key: &PublicJwk,
    now: Timestamp,
) -> Result<(), DbError> {
    let Credential { merchant_id, client_id, .. } = credential;
    let jkt = key.thumbprint();
    let jwk =
        serde_json::to_string(key).map_err(|error| DbError::unreadable("public key", error))?;
    db::exec!(tx, INSERT_KEY, merchant_id, client_id.as_str(), jkt.as_str(), jwk, now)?;
    Ok(())
}

/// False when there is no such active key.
pub(super) async fn revoke_key(
    tx: &mut Tx,
    credential: &Credential,
    jkt: &Jkt,
    now: Timestamp,
) -> Result<bool, DbError> {
    let Credential { merchant_id, client_id, .. } = credential;
    Ok(db::exec!(tx, REVOKE_KEY, merchant_id, client_id.as_str(), jkt.as_str(), now)? == 1)
}

/// The merchant's own client that this key was registered with.
pub(super) async fn holder(
    tx: &mut Tx,
    merchant: MerchantId,
    jkt: &Jkt,
) -> Result<Option<String>, DbError> {
    let found = db::optional!(tx, (String,), HOLDER, merchant, jkt.as_str())?;
    Ok(found.map(|(client,)| client))
}

pub(super) async fn mark_used(
    tx: &mut Tx,
    merchant: MerchantId,
    client: &ClientId,
    jkt: &Jkt,
    now: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, MARK_USED, merchant, client.as_str(), now)?;
    db::exec!(tx, MARK_KEY_USED, merchant, client.as_str(), jkt.as_str(), now)?;
    Ok(())
}

/// When a credential and each of its keys were last used, as far as they ever were.
pub(super) async fn last_uses(
    tx: &mut Tx,
    merchant: MerchantId,
    client: &ClientId,
) -> Result<LastUses, DbError> {
    let used = db::optional!(tx, (Timestamp,), LAST_USE, merchant, client.as_str())?;
    let keys = db::all!(tx, (String, Timestamp), KEY_USES, merchant, client.as_str())?;
    Ok(LastUses { credential: used.map(|(at,)| at), keys: keys.into_iter().collect() })
}

/// The last uses of everything of a merchant, by client id; what was never used is not there.
pub(super) async fn all_uses(
    tx: &mut Tx,
    merchant: MerchantId,
) -> Result<BTreeMap<String, LastUses>, DbError> {
    let rows = db::all!(tx, (String, Option<String>, Timestamp), ALL_USES, merchant)?;
    let mut uses: BTreeMap<String, LastUses> = BTreeMap::new();
    for (client, jkt, at) in rows {
        let of_client = uses.entry(client).or_default();
        match jkt {
            Some(jkt) => {
                of_client.keys.insert(jkt, at);
            }
            None => of_client.credential = Some(at),
        }
    }
    Ok(uses)
}

pub(super) async fn insert_challenge(
    tx: &mut Tx,
    merchant: MerchantId,
    challenge: &str,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    db::exec!(tx, INSERT_CHALLENGE, merchant, challenge, expires_at)?;
    Ok(())
}

/// True when the challenge was open; it is used up by this.
pub(super) async fn take_challenge(
    tx: &mut Tx,
    merchant: MerchantId,
    challenge: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    Ok(db::exec!(tx, TAKE_CHALLENGE, merchant, challenge, now)? == 1)
}

/// Drops challenges whose time is over.
pub(super) async fn forget_challenges(tx: &mut Tx, now: Timestamp) -> Result<u64, DbError> {
    db::exec!(tx, FORGET_CHALLENGES, now)
}

/// Tells every replica that what it has cached about access may be wrong.
pub(super) async fn next_generation(tx: &mut Tx) -> Result<(), DbError> {
    expect_one(db::exec!(tx, NEXT_GENERATION)?)
}

pub(super) async fn generation(tx: &mut Tx) -> Result<i64, DbError> {
    Ok(db::one!(tx, (i64,), GENERATION)?.0)
}

/// Keys whose name or client is not in the directory, which keeps names unique across merchants.
pub(super) async fn unclaimed(tx: &mut Tx) -> Result<Vec<(String, String)>, DbError> {
    db::all!(tx, (String, String), UNCLAIMED)
}

/// Where [`each_key`] goes on.
pub(super) type After = (String, String, String);

/// The next keys after one, as they are stored, with what is wrong with them.
pub(super) async fn each_key(
    tx: &mut Tx,
    after: &After,
) -> Result<Vec<(After, Option<String>)>, DbError> {
    let rows = db::all!(tx, KeyRow, EACH_KEY, &after.0, &after.1, &after.2)?;
    let read = |row: KeyRow| {
        let place = (row.merchant_id.clone(), row.client_id.clone(), row.jkt.clone());
        let fault = RegisteredKey::try_from(row).err().map(Failure::from);
        (place, fault.and_then(|failure| failure.cause_chain()))
    };
    Ok(rows.into_iter().map(read).collect())
}
