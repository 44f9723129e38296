//! Idempotency: the key is claimed in the same transaction as its effect.
//!
//! Inside a write, first [`claim`]: an answer means that the work was done before and is to be
//! replayed. Otherwise do the work and [`keep`] the answer. A failure undoes the claim with
//! everything else, so that a corrected request may use the key again.
//!
//! ```text
//! db::write!(ctx.db, merchant, |tx| {
//!     if let Some(answer) = idempotency::claim(tx, &request, id, now).await? {
//!         return Ok(answer);
//!     }
//!     let payout = service::create(tx, …).await?;
//!     idempotency::keep(tx, &request, Answer::json(201, &PayoutResponse::from(payout))?, now).await
//! })
//! ```

mod header;
mod housekeeping;
mod model;
mod store;

pub use header::{OptionalKey, RequiredKey};
pub use housekeeping::{ForgetAnswers, KEPT};
pub use model::{Answer, Key, KeyUse, Request};
pub use store::{STATEMENTS, forget_answers};

use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    db::{DbError, Tx},
};

/// Takes the key for this request, or gives back what it was used for.
///
/// `makes` is the id of what the request will make; it outlives the stored answer. A twin on
/// another replica waits here for the first one's commit, and no longer than the lock time-out.
pub async fn claim(
    tx: &mut Tx,
    request: &Request,
    makes: &str,
    now: Timestamp,
) -> Result<Option<Answer>> {
    match store::insert_key(tx, request, makes, now).await {
        Ok(true) => return Ok(None),
        Ok(false) => {}
        Err(locked @ DbError::Locked(_)) => {
            return Err(Failure::new(Code::IdempotencyInProgress)
                .retry_after(std::time::Duration::from_secs(1))
                .caused_by(locked));
        }
        Err(error) => return Err(error.into()),
    }
    store::find(tx, request).await?.replay(request).map(Some)
}

/// What a key was used for, if it was; takes nothing, so it stands before the work, not in its place.
pub async fn recall(tx: &mut Tx, request: &Request) -> Result<Option<Answer>> {
    match store::find_if_any(tx, request).await? {
        Some(stored) => stored.replay(request).map(Some),
        None => Ok(None),
    }
}

/// Stores the answer beside the effect and hands it back to be sent.
pub async fn keep(
    tx: &mut Tx,
    request: &Request,
    answer: Answer,
    now: Timestamp,
) -> Result<Answer> {
    store::insert_answer(tx, request, &answer, now).await?;
    Ok(answer)
}

/// The same where the key is honoured and not required.
pub mod maybe {
    use super::{Answer, Request, Result, Timestamp, Tx};

    /// Claims the key, if there is one.
    pub async fn claim(
        tx: &mut Tx,
        request: Option<&Request>,
        makes: &str,
        now: Timestamp,
    ) -> Result<Option<Answer>> {
        match request {
            Some(request) => super::claim(tx, request, makes, now).await,
            None => Ok(None),
        }
    }

    /// Keeps the answer, if there is a key.
    pub async fn keep(
        tx: &mut Tx,
        request: Option<&Request>,
        answer: Answer,
        now: Timestamp,
    ) -> Result<Answer> {
        match request {
            Some(request) => super::keep(tx, request, answer, now).await,
            None => Ok(answer),
        }
    }
}

/// What a merchant has used a key for: one operation, several, or none.
pub async fn uses(tx: &mut Tx, merchant: MerchantId, key: &Key) -> Result<Vec<KeyUse>> {
    Ok(store::uses(tx, merchant, key).await?)
}

/// Takes every key of a merchant away, for a sandbox whose resources go with them: otherwise a key would
/// be answered with something that is not there any more. Where money is real, keys are kept for ever.
pub async fn erase(tx: &mut Tx, merchant: MerchantId) -> Result<()> {
    Ok(store::erase(tx, merchant).await?)
}
