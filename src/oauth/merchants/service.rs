//! Making and finding merchants.

use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
    },
    ctx::Ctx,
    db::{self, Tx},
    oauth::credentials,
};

use super::{Merchant, MerchantStatus, NewMerchant, store};

/// Makes a merchant. Who may sign in for it is the portal's to say.
pub async fn create(ctx: &Ctx, new: &NewMerchant) -> Result<Merchant> {
    let merchant = new.named(ctx);
    db::write!(ctx.db, merchant.id, |tx| add(tx, &merchant).await)?;
    Ok(merchant)
}

/// Writes a merchant inside a caller's transaction, together with what belongs to it there.
pub async fn add(tx: &mut Tx, merchant: &Merchant) -> Result<()> {
    store::insert(tx, merchant).await.map_err(|error| {
        if error.is_taken() {
            Failure::because(Code::AlreadyExists, "a merchant with this e-mail exists")
        } else {
            error.into()
        }
    })
}

impl NewMerchant {
    /// The merchant that this wish becomes, with an id.
    pub fn named(&self, ctx: &Ctx) -> Merchant {
        Merchant {
            id: MerchantId::make(&ctx.clock, &ctx.random),
            name: self.name.clone(),
            email: self.email.clone(),
            status: MerchantStatus::Active,
            created_at: ctx.now(),
        }
    }
}

/// Finds a merchant inside a caller's transaction.
pub async fn find(tx: &mut Tx, id: MerchantId) -> Result<Merchant> {
    store::find(tx, id).await?.ok_or_else(|| Failure::new(Code::NotFound))
}

/// Stops a merchant: its tokens are refused everywhere within a second, and no new ones are minted,
/// until [`resume`]. What is under way goes on; a payout that was accepted is not lost.
pub async fn suspend(ctx: &Ctx, id: MerchantId) -> Result<Merchant> {
    set_status(ctx, id, MerchantStatus::Suspended).await
}

/// Lets a suspended merchant go on; tokens from before that have not ended are good again.
pub async fn resume(ctx: &Ctx, id: MerchantId) -> Result<Merchant> {
    set_status(ctx, id, MerchantStatus::Active).await
}

async fn set_status(ctx: &Ctx, id: MerchantId, status: MerchantStatus) -> Result<Merchant> {
    let (merchant, changed) = db::write!(ctx.db, id, |tx| {
        let changed = store::set_status(tx, id, status).await?;
        if changed {
            // With the change, or a replica could go on with what it remembers of the merchant.
            credentials::access_changed(tx).await?;
        }
        let found = store::find(tx, id).await?;
        let unknown = || Failure::because(Code::NotFound, "there is no merchant with this id");
        Ok((found.ok_or_else(unknown)?, changed))
    })?;
    if changed {
        tracing::warn!(merchant = %id, status = status.as_str(), "A merchant's status was changed.");
    }
    Ok(merchant)
}
