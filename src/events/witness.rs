//! Who stands behind a change, and what else is written with it.

use futures_util::future::BoxFuture;

use crate::{
    base::{failure::Result, ids::MerchantId},
    db::Tx,
};

/// Writes what else belongs into the transaction of a change, so that neither is there without the
/// other: a room above keeps its trail with it.
pub trait Witness: Sync {
    /// Called once the change is written, before it is committed; it may be called twice.
    fn note<'a>(&'a self, tx: &'a mut Tx, subject: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// A merchant who changes something, by a program or before a witness.
#[derive(Clone, Copy)]
pub struct By<'a> {
    /// Whose things.
    pub merchant: MerchantId,
    witness: Option<&'a dyn Witness>,
}

impl From<MerchantId> for By<'_> {
    /// Through the API, whose own records tell.
    fn from(merchant: MerchantId) -> Self {
        Self { merchant, witness: None }
    }
}

impl<'a> By<'a> {
    /// Before somebody who writes it down.
    pub fn before(merchant: MerchantId, witness: &'a dyn Witness) -> Self {
        Self { merchant, witness: Some(witness) }
    }

    pub(super) async fn note(&self, tx: &mut Tx, subject: &str) -> Result<()> {
        match self.witness {
            Some(witness) => witness.note(tx, subject).await,
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for By<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "By({})", self.merchant)
    }
}
