//! Making a receipt.

use super::facts::Known;
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
    },
    db,
    payouts::{PayoutId, Payouts, instruments, payout},
    pricing::quotes,
};

/// The type in the header of a receipt. No token of ours has it, so that a receipt can never be
/// presented as a token, nor a token as a receipt.
pub const RECEIPT_TYPE: &str = "receipt+jws";

/// Signs what is known of a merchant's own payout now.
pub async fn issue(room: &Payouts, merchant: MerchantId, id: PayoutId) -> Result<String> {
    let ctx = &room.ctx;
    let (payout, steps, instrument) = db::read!(ctx.db, |tx| {
        // One moment: the status of a receipt is that of its last step.
        tx.snapshot().await?;
        let payout = payout::find(tx, merchant, id).await?;
        let steps = payout::history(tx, merchant, id).await?;
        let instrument = instruments::find_ever(tx, merchant, payout.instrument).await?;
        Ok((payout, steps, instrument))
    })?;
    let instrument =
        instrument.ok_or_else(|| Failure::internal(format!("{id} has no instrument")))?;
    let quote = quotes::get(ctx, merchant, payout.quote).await?;
    let known = Known { payout: &payout, steps: &steps, instrument: &instrument, quote: &quote };
    let payload = serde_json::to_vec(&known.facts(ctx.now())).map_err(Failure::internal)?;
    let keys = room.pricing.ring.current();
    keys.signer().sign(RECEIPT_TYPE, &payload).map_err(Failure::internal)
}
