//! What each end of a payout does to the money that was set aside for it.

use super::{Payout, PayoutStatus};
use crate::{
    base::failure::{Failure, Result},
    ctx::Ctx,
    db::Tx,
    ledger::{self, AccountKind, Entry, EntryKind, Transfer},
    money::Amount,
    payouts::limits,
    pricing::quotes,
};

use AccountKind::{Available, Clearing, Fees, Liquidity};

/// Settles a step, if it is one that moves money.
pub(super) async fn settle(
    tx: &mut Tx,
    ctx: &Ctx,
    payout: &Payout,
    from: PayoutStatus,
) -> Result<()> {
    use PayoutStatus as S;
    match (from, payout.status) {
        (_, S::Completed) => complete(tx, ctx, payout).await,
        (S::Completed, S::Returned) => give_back(tx, ctx, payout).await,
        (_, S::Returned) => keep_fee(tx, ctx, payout).await,
        (_, S::Failed | S::Cancelled | S::ScreeningFailed | S::VelocityBlocked) => {
            release(tx, ctx, payout).await
        }
        _ => Ok(()),
    }
}

/// The principal leaves the house, through an exchange if there is one; fee and margin are earned; the
/// buffer is given back.
async fn complete(tx: &mut Tx, ctx: &Ctx, payout: &Payout) -> Result<()> {
    let amounts = &payout.amounts;
    let principal = amounts.principal()?;
    let out = if amounts.is_exchanged() { Liquidity } else { Clearing };
    let mut parts = Vec::from([(out, principal)]);
    if amounts.fee_in_source() {
        parts.push((Fees, amounts.fee));
    }
    let mut abroad = Vec::new();
    if amounts.is_exchanged() {
        abroad.extend(Transfer::new(Liquidity, Clearing, amounts.dest));
        abroad.extend(Transfer::new(Liquidity, Fees, amounts.margin));
        abroad.extend(amounts.fee_on_arrival().and_then(|fee| Transfer::new(Liquidity, Fees, fee)));
    }
    use_hold(tx, ctx, payout, &parts, abroad).await
}

/// It came back before it arrived: the rail has done its work, so the fee stays, and the rest is the
/// merchant's again.
async fn keep_fee(tx: &mut Tx, ctx: &Ctx, payout: &Payout) -> Result<()> {
    let amounts = &payout.amounts;
    let fee = Some((Fees, amounts.fee)).filter(|_| amounts.fee_in_source());
    use_hold(tx, ctx, payout, &fee.into_iter().collect::<Vec<_>>(), Vec::new()).await
}

async fn use_hold(
    tx: &mut Tx,
    ctx: &Ctx,
    payout: &Payout,
    parts: &[(AccountKind, Amount)],
    abroad: Vec<Transfer>,
) -> Result<()> {
    let merchant = payout.merchant;
    let kind = EntryKind::Payout;
    ledger::post_hold(tx, ctx, merchant, payout.hold, kind, parts, abroad).await?;
    if let Some(hold) = payout.fee_hold {
        let fee = [(Fees, payout.amounts.fee)];
        ledger::post_hold(tx, ctx, merchant, hold, EntryKind::Fee, &fee, Vec::new()).await?;
    }
    Ok(())
}

/// It had arrived and came back. The merchant gets what left its account, at the rate of then: that the
/// rate has moved meanwhile is the house's risk.
async fn give_back(tx: &mut Tx, ctx: &Ctx, payout: &Payout) -> Result<()> {
    let amounts = &payout.amounts;
    let moved = |from, to, amount| {
        Transfer::new(from, to, amount).ok_or_else(|| Failure::internal("a return of nothing"))
    };
    let principal = amounts.principal()?;
    let mut transfers = if amounts.is_exchanged() {
        vec![moved(Clearing, Liquidity, amounts.dest)?, moved(Liquidity, Available, principal)?]
    } else {
        vec![moved(Clearing, Available, principal)?]
    };
    // It was taken from what arrived, and nothing did.
    transfers.extend(amounts.fee_on_arrival().and_then(|fee| Transfer::new(Fees, Liquidity, fee)));
    let entry = Entry::new(EntryKind::Return, payout.id.to_string(), transfers);
    ledger::record(tx, ctx, payout.merchant, &entry).await?;
    Ok(())
}

/// It came to nothing: everything is given back, and it does not count as volume.
async fn release(tx: &mut Tx, ctx: &Ctx, payout: &Payout) -> Result<()> {
    for hold in [Some(payout.hold), payout.fee_hold].into_iter().flatten() {
        ledger::release_hold(tx, ctx, payout.merchant, hold).await?;
    }
    limits::uncount(tx, payout.merchant, payout.amounts.source, payout.created_at).await?;
    quotes::uncount(tx, payout.merchant, payout.quote).await
}
