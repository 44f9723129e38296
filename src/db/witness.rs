//! Whoever writes something else into the transaction of a change.

use futures_util::future::BoxFuture;

use super::Tx;
use crate::base::failure::Result;

/// Writes what else belongs into the transaction of a change to a `T`, so that neither is there without
/// the other: a room above keeps its trail with it. It may refuse: then nothing of the change is left.
pub trait Witness<T: ?Sized>: Sync {
    /// Called once the change is written, before it is committed; it may be called twice.
    fn note<'a>(&'a self, tx: &'a mut Tx, about: &'a T) -> BoxFuture<'a, Result<()>>;
}

/// Nobody: the room's own records tell.
#[derive(Clone, Copy, Debug)]
pub struct Unwitnessed;

impl<T: ?Sized> Witness<T> for Unwitnessed {
    fn note<'a>(&'a self, _: &'a mut Tx, _: &'a T) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
