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
    oauth::secrets::Hasher,
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
