//! The statements that forget.

use crate::{
    base::ids::MerchantId,
    db::{self, DbError, Statement, Tx},
};

pub(super) const EXCHANGES: &str = "DELETE FROM fx_exchanges WHERE merchant_id = $1";
pub(super) const FX_QUOTES: &str = "DELETE FROM fx_quotes WHERE merchant_id = $1";
pub(super) const QUOTES: &str = "DELETE FROM quotes WHERE merchant_id = $1";
pub(super) const VOLUMES: &str = "DELETE FROM monthly_volumes WHERE merchant_id = $1";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(EXCHANGES),
    Statement::same(FX_QUOTES),
    Statement::same(QUOTES),
    Statement::same(VOLUMES),
];

pub(super) async fn erase(
    tx: &mut Tx,
    merchant: MerchantId,
    sql: &'static str,
) -> Result<(), DbError> {
    db::exec!(tx, sql, merchant)?;
    Ok(())
}
