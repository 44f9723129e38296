//! Money that comes in.

use crate::{
    base::{
        environment::Environment,
        failure::{Code, Failure, Result},
        ids::MerchantId,
    },
    ctx::Ctx,
    db,
    ledger::{self, AccountKind, Balance, Entry, EntryKind, Transfer},
    money::Amount,
    oauth::merchants,
};

/// Funds a balance by the operator's word, which only play money allows.
pub async fn credit(
    ctx: &Ctx,
    environment: Environment,
    merchant: MerchantId,
    amount: Amount,
) -> Result<Balance> {
    if environment != Environment::Sandbox {
        return Err(Failure::new(Code::SandboxOnly));
    }
    let (clearing, available) = (AccountKind::Clearing, AccountKind::Available);
    let incoming = Transfer::new(clearing, available, amount)
        .ok_or_else(|| Failure::invalid(Vec::new()).field("amount", "must be greater than zero"))?;
    let entry = Entry::new(EntryKind::Deposit, "operator", vec![incoming]);
    let balance = db::write!(ctx.db, merchant, |tx| {
        merchants::find(tx, merchant).await?;
        ledger::record(tx, ctx, merchant, &entry).await?;
        ledger::balance(tx, merchant, amount.currency()).await
    })?;
    tracing::info!(%merchant, "A balance was credited.");
    balance.ok_or_else(|| Failure::internal("a credited balance is not there"))
}
