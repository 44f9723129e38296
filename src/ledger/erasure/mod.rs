//! Closing a merchant's books of play money, so that its sandbox can start over.
//!
//! The ledger is append-only: this is the one exception, and its callers have made sure that nothing in
//! these books was ever real. All of a merchant's books go, or none: what is left always agrees with itself.

mod store;

pub use store::STATEMENTS;

use crate::{
    base::{failure::Result, ids::MerchantId},
    db::Tx,
    money::Amount,
};

/// Takes every account, entry and posting of a merchant away. Holds stay, because what they are for
/// refers to them; what is still held has to be booked anew in the same transaction ([`held`]).
pub async fn close_books(tx: &mut Tx, merchant: MerchantId) -> Result<()> {
    Ok(store::erase_books(tx, merchant).await?)
}

/// Takes every hold of a merchant away, too; nothing may refer to them any more.
pub async fn forget_holds(tx: &mut Tx, merchant: MerchantId) -> Result<()> {
    Ok(store::erase_holds(tx, merchant).await?)
}

/// What is set aside for payments under way, by currency.
pub async fn held(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<Amount>> {
    Ok(store::held(tx, merchant).await?)
}
