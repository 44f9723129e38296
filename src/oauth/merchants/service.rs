//! Making and finding merchants.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        secret::Secret,
    },
    ctx::Ctx,
    db::{self, Tx},
    oauth::{credentials, secrets::Hasher},
};

use super::{Merchant, MerchantStatus, NewMerchant, store};

/// Makes a merchant and the first password of its owner, which is shown once and stored as a hash.
pub async fn create(
    ctx: &Ctx,
    hasher: &Hasher,
    new: &NewMerchant,
) -> Result<(Merchant, Secret<String>)> {
    let password = Secret::new(BASE64_URL_SAFE_NO_PAD.encode(ctx.random.bytes::<18>()));
    let hash = hasher.hash(&password, &ctx.random).await?;
    let merchant = Merchant {
        id: MerchantId::make(&ctx.clock, &ctx.random),
        name: new.name.clone(),
        email: new.email.clone(),
        status: MerchantStatus::Active,
        created_at: ctx.now(),
    };
    db::write!(ctx.db, merchant.id, |tx| {
        store::insert(tx, &merchant, &hash).await.map_err(|error| {
            if error.is_taken() {
                Failure::because(Code::AlreadyExists, "a merchant with this e-mail exists")
            } else {
                error.into()
            }
        })
    })?;
    tracing::info!(merchant = %merchant.id, "A merchant was made.");
    Ok((merchant, password))
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
