//! What a room above writes into a transaction of this one.

use futures_util::future::BoxFuture;

use crate::{base::failure::Result, db::Tx};

/// Writes what else belongs into the transaction of a change, so that neither is there without the
/// other. It may refuse: then nothing of the change is left.
pub trait Witness<T>: Sync {
    /// Called once the change is written, before it is committed; it may be called twice.
    fn note<'a>(&'a self, tx: &'a mut Tx, about: &'a T) -> BoxFuture<'a, Result<()>>;
}

/// Nobody: the rooms' own records tell.
#[derive(Clone, Copy, Debug)]
pub struct Unwitnessed;

impl<T> Witness<T> for Unwitnessed {
    fn note<'a>(&'a self, _: &'a mut Tx, _: &'a T) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
