//! Forgetting what a merchant has played with, so that its sandbox can start over.

mod store;

pub use store::STATEMENTS;

use crate::{
    base::{failure::Result, ids::MerchantId},
    db::Tx,
};

/// Takes a merchant's exchanges away: they refer to entries of books that are about to be closed.
pub async fn forget_exchanges(tx: &mut Tx, merchant: MerchantId) -> Result<()> {
    Ok(store::erase(tx, merchant, store::EXCHANGES).await?)
}

/// Takes a merchant's quotes away, and what they have counted; no payout may refer to them any more.
pub async fn forget_quotes(tx: &mut Tx, merchant: MerchantId) -> Result<()> {
    for sql in [store::FX_QUOTES, store::QUOTES, store::VOLUMES] {
        store::erase(tx, merchant, sql).await?;
    }
    Ok(())
}
