//! Random values that all replicas share: made once, kept in the database.
//!
//! They key hashes and nonces that one replica makes and another checks. They protect nothing at
//! rest, so that the database, which everybody who can read them could change anyway, may hold them.

mod store;

pub use store::STATEMENTS;

use crate::{
    base::{failure::Result, secret::Secret},
    ctx::Ctx,
    db::{self, Owner},
};

/// The shared secret of this name; made on the first call anywhere.
pub async fn secret(ctx: &Ctx, name: &'static str) -> Result<Secret<[u8; 32]>> {
    let fresh: [u8; 32] = ctx.random.bytes();
    db::write!(ctx.db, Owner::House, |tx| {
        store::insert_if_missing(tx, name, &fresh).await?;
        Ok(store::find(tx, name).await?)
    })
}
