//! What this replica knows about the record: which one it is, and what it cannot know.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    base::{failure::Result, secret::Secret, timestamp::Timestamp},
    ctx::Ctx,
    db::{self, Owner},
    oauth::dpop::NonceKeys,
};

use super::store;

/// How far the clocks of replicas may lie apart when one finds a loss that another one suffered.
const CLOCKS_APART: Duration = Duration::from_secs(5);

/// What a proof is judged by.
#[derive(Debug)]
pub struct Known {
    /// The number of the record.
    pub epoch: i64,
    /// For [`super::super::Expected`]: proofs dated up to here may have been used and forgotten.
    pub forgotten_until: Option<Timestamp>,
    /// The nonces of this record. A nonce stands in for `iat`, so one from before the loss would let
    /// a forgotten proof pass; under another number all of them are other ones.
    pub nonces: NonceKeys,
}

/// The present [`Known`], changed when a record is lost.
#[derive(Clone)]
pub(super) struct Knowing {
    pub(super) ctx: Ctx,
    window: Duration,
    secret: Secret<[u8; 32]>,
    present: Arc<RwLock<Arc<Known>>>,
}

impl Knowing {
    pub(super) fn new(ctx: &Ctx, window: Duration, secret: Secret<[u8; 32]>) -> Self {
        let nothing = Known { epoch: 0, forgotten_until: None, nonces: nonces(&secret, 0) };
        let present = Arc::new(RwLock::new(Arc::new(nothing)));
        Self { ctx: ctx.clone(), window, secret, present }
    }

    pub(super) fn now(&self) -> Arc<Known> {
        self.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn learn(&self, epoch: i64, forgotten_until: Option<Timestamp>) {
        let known = Known { epoch, forgotten_until, nonces: nonces(&self.secret, epoch) };
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }

    /// Until when a record that begins now knows nothing: a proof used just before the loss may be
    /// dated a whole window ahead.
    pub(super) fn forgotten_from_now(&self) -> Timestamp {
        self.ctx.now().plus(self.window).plus(CLOCKS_APART)
    }

    /// A key for one purpose of this record only.
    pub(super) fn derive(&self, purpose: &[u8]) -> Secret<[u8; 32]> {
        derive(&self.secret, purpose)
    }

    /// The number that the database has.
    pub(super) async fn epoch(&self) -> Result<Option<i64>> {
        db::read!(self.ctx.db, |tx| Ok(store::epoch(tx).await?))
    }

    /// Begins the record after `seen`; `None` when another replica was quicker.
    pub(super) async fn next_epoch(&self, seen: Option<i64>) -> Result<Option<i64>> {
        let won = db::write!(self.ctx.db, Owner::House, |tx| match seen {
            None => Ok(store::first_epoch(tx).await?),
            Some(seen) => Ok(store::next_epoch(tx, seen).await?),
        })?;
        Ok(won.then(|| seen.unwrap_or(0) + 1))
    }
}

impl fmt::Debug for Knowing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.now();
        write!(f, "Knowing({}, {:?})", known.epoch, known.forgotten_until)
    }
}

fn nonces(secret: &Secret<[u8; 32]>, epoch: i64) -> NonceKeys {
    let purpose = [b"nonces of record ".as_slice(), &epoch.to_be_bytes()].concat();
    NonceKeys::new(derive(secret, &purpose), None)
}

fn derive(secret: &Secret<[u8; 32]>, purpose: &[u8]) -> Secret<[u8; 32]> {
    // The block size of the hash, padded with zeros as HMAC itself does: no key can be too long.
    let mut block = [0; 64];
    for (slot, byte) in block.iter_mut().zip(secret.expose()) {
        *slot = *byte;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(purpose);
    Secret::new(mac.finalize().into_bytes().into())
}
