//! Sealing, opening, and recognising without opening.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    kek::{self, Kek},
    store::{self, SealedKey},
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        hex,
        secret::Secret,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Owner},
};

const VERSION: u8 = 1;
const ID: usize = 8;
/// For values; there may be many, the newest seals.
const SEALS: &str = "seal";
/// For fingerprints; there is one for ever, or the same person would be two.
const FINGERPRINTS: &str = "fingerprint";

/// Seals values and opens them again.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    ctx: Ctx,
    kek: Kek,
    keys: RwLock<Arc<DataKeys>>,
}

struct DataKeys {
    newest: [u8; ID],
    seals: HashMap<[u8; ID], Secret<[u8; 32]>>,
    fingerprints: Secret<[u8; 32]>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(***)")
    }
}

impl Vault {
    /// Opens the vault; makes the first data keys when there are none.
    pub async fn open(ctx: &Ctx, kek: Kek) -> Result<Self> {
        let keys = match load(ctx, &kek).await? {
            Some(keys) => keys,
            None => make_first(ctx, &kek).await?,
        };
        Ok(Self(Arc::new(Inner { ctx: ctx.clone(), kek, keys: RwLock::new(Arc::new(keys)) })))
    }

    /// Seals a value, bound to what it is about (a row's id and a field's name): nobody who can
    /// write to the database can show one person's data as another's.
    pub fn seal(&self, about: &str, clear: &[u8]) -> Result<Vec<u8>> {
        let keys = self.keys();
        let key = keys.seals.get(&keys.newest);
        let key = key.ok_or_else(|| Failure::internal("the vault has no key to seal with"))?;
        let sealed = kek::seal(key, about.as_bytes(), clear, &self.0.ctx.random)?;
        Ok([&[VERSION], &keys.newest[..], &sealed].concat())
    }

    /// Opens a sealed value. It may read a data key that another replica has made: call it outside
    /// the doors of the database.
    pub async fn open_sealed(&self, about: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let damaged =
            || Failure::internal(format!("what is sealed about {about} cannot be opened"));
        let (&[VERSION], rest) = sealed.split_first_chunk().ok_or_else(damaged)? else {
            return Err(damaged());
        };
        let (id, sealed) = rest.split_first_chunk::<ID>().ok_or_else(damaged)?;
        let mut keys = self.keys();
        if !keys.seals.contains_key(id) {
            keys = self.reload().await?;
        }
        let key = keys.seals.get(id).ok_or_else(damaged)?;
        kek::open(key, about.as_bytes(), sealed).ok_or_else(damaged)
    }

    /// A keyed digest by which equal values are recognised and nobody without the key can guess one.
    pub fn fingerprint(&self, about: &str, clear: &[u8]) -> Result<[u8; 32]> {
        let keys = self.keys();
        let mut mac = Hmac::<Sha256>::new_from_slice(keys.fingerprints.expose())
            .map_err(Failure::internal)?;
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        mac.update(&u64::try_from(about.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(about.as_bytes());
        mac.update(clear);
        Ok(mac.finalize().into_bytes().into())
    }

    /// Makes a new data key, which seals from here on; gives its id. Older values stay readable.
    pub async fn rotate(&self) -> Result<String> {
        let Inner { ctx, kek, .. } = &*self.0;
        let key = new_key(ctx, kek, &hex::encode(&ctx.random.bytes::<ID>()), SEALS)?;
        insert(ctx, &[&key]).await?;
        self.reload().await?;
        Ok(key.id)
    }

    fn keys(&self) -> Arc<DataKeys> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn reload(&self) -> Result<Arc<DataKeys>> {
        let keys = load(&self.0.ctx, &self.0.kek).await?;
        let keys = Arc::new(keys.ok_or_else(|| Failure::internal("the data keys are gone"))?);
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.clone();
        Ok(keys)
    }
}

/// A data key without the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DataKey {
    /// What is sealed with it carries this.
    pub id: String,
    /// `seal` or `fingerprint`.
    pub purpose: String,
    /// Whether new values are sealed with it.
    pub seals: bool,
    /// The name of the key-encryption key that opens it.
    pub sealed_by: String,
    /// When it was made.
    pub made_at: Timestamp,
}

/// The data keys, the oldest first; needs no key-encryption key.
pub async fn data_keys(ctx: &Ctx) -> Result<Vec<DataKey>> {
    let rows = db::read!(ctx.db, |tx| Ok(store::all(tx).await?))?;
    let newest = rows.iter().rposition(|key| key.purpose == SEALS);
    let shown = |(place, key): (usize, SealedKey)| DataKey {
        seals: newest == Some(place),
        id: key.id,
        purpose: key.purpose,
        sealed_by: key.sealed_by,
        made_at: key.created_at_us,
    };
    Ok(rows.into_iter().enumerate().map(shown).collect())
}

async fn load(ctx: &Ctx, kek: &Kek) -> Result<Option<DataKeys>> {
    let rows = db::read!(ctx.db, |tx| Ok(store::all(tx).await?))?;
    let (mut seals, mut newest, mut fingerprints) = (HashMap::new(), None, None);
    for SealedKey { id, purpose, sealed, sealed_by, .. } in rows {
        let key = kek.open(&format!("{purpose}/{id}"), &sealed).ok_or_else(|| {
            Failure::new(Code::NotConfigured).caused_by(format!(
                "the key-encryption key ({}) does not open data key {id}, which was sealed with \
                 {sealed_by}: set keys.encryption_key to that one, or restore its vault.key",
                kek.id
            ))
        })?;
        if purpose == FINGERPRINTS {
            fingerprints = Some(key);
        } else {
            let id = id_of(&id).ok_or_else(|| Failure::internal("a data key has no usable id"))?;
            seals.insert(id, key);
            newest = Some(id);
        }
    }
    let keys = newest.zip(fingerprints);
    Ok(keys.map(|(newest, fingerprints)| DataKeys { newest, seals, fingerprints }))
}

async fn make_first(ctx: &Ctx, kek: &Kek) -> Result<DataKeys> {
    let seals = new_key(ctx, kek, &hex::encode(&ctx.random.bytes::<ID>()), SEALS)?;
    let fingerprints = new_key(ctx, kek, FINGERPRINTS, FINGERPRINTS)?;
    insert(ctx, &[&seals, &fingerprints]).await?;
    // Read back rather than kept: another replica may have been first with the fingerprints.
    load(ctx, kek).await?.ok_or_else(|| Failure::internal("the new data keys are not there"))
}

fn new_key(ctx: &Ctx, kek: &Kek, id: &str, purpose: &str) -> Result<SealedKey> {
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(ctx.random.bytes());
    let sealed = kek.seal(&format!("{purpose}/{id}"), &key[..], &ctx.random)?;
    let (id, purpose, sealed_by) = (id.to_owned(), purpose.to_owned(), kek.id.clone());
    Ok(SealedKey { id, purpose, sealed, sealed_by, created_at_us: ctx.now() })
}

async fn insert(ctx: &Ctx, keys: &[&SealedKey]) -> Result<()> {
    db::write!(ctx.db, Owner::House, |tx| {
        for key in keys {
            store::insert(tx, key).await?;
        }
        Ok(())
    })
}

fn id_of(name: &str) -> Option<[u8; ID]> {
    u64::from_str_radix(name, 16).ok().filter(|_| name.len() == 2 * ID).map(u64::to_be_bytes)
}
