//! Where quotes wait to be stored: those that arrive together are one statement and one commit.

use std::{sync::Arc, time::Duration};

use super::{SignedQuote, store};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        together::{self, Desk, Together, Waiting},
    },
    ctx::Ctx,
    db,
};

/// Quotes in one statement at most.
const BATCH: usize = 128;
/// Quotes that may wait; beyond them the database is too slow and callers are refused at once.
const QUEUE: usize = 4_096;
/// When to come back to a database that was away.
const AGAIN: Duration = Duration::from_secs(1);

/// The way in.
#[derive(Clone, Debug)]
pub struct Intake(Arc<Together<Shelf>>);

impl Intake {
    /// Opens it.
    pub fn new(ctx: &Ctx) -> Self {
        Self(Together::new(Shelf { ctx: ctx.clone() }, BATCH, QUEUE))
    }

    /// Stores a quote; it is durable once this returns.
    pub async fn store(&self, signed: SignedQuote) -> Result<()> {
        let one = One { merchant: signed.quote.merchant, written: store::written(&signed)? };
        // Many wait here at once. Their small parts are given back while the allocator still has them at hand.
        drop(signed);
        let busy = |why: &'static str| Failure::new(Code::Unavailable).caused_by(why);
        let stored = self.0.ask(one).map_err(|together::Full| busy("too many quotes wait"))?;
        stored.await.map_err(|_| Failure::internal("the shelf of quotes has failed"))?
    }
}

#[derive(Debug)]
struct Shelf {
    ctx: Ctx,
}

#[derive(Debug)]
struct One {
    merchant: MerchantId,
    written: String,
}

impl Desk for Shelf {
    type Asked = One;
    type Answer = Result<()>;

    async fn serve(&self, mut batch: Vec<Waiting<One, Result<()>>>) {
        let written = |waiting: &mut Waiting<One, _>| std::mem::take(&mut waiting.asked.written);
        let all: Vec<String> = batch.iter_mut().map(written).collect();
        let Some(merchant) = batch.first().map(|waiting| waiting.asked.merchant) else { return };
        let outcome = self.put(merchant, &all).await;
        let alone = all.len() == 1;
        for (waiting, quote) in batch.into_iter().zip(all) {
            let told = match &outcome {
                Ok(()) => Ok(()),
                // Asking again would not help a database that is away, and must not be done while
                // nobody knows whether the first time has come through.
                Err(failure) if alone || is_about_all(failure) => Err(retold(failure)),
                // The fault of one; the others must not suffer it.
                Err(_) => self.put(waiting.asked.merchant, &[quote]).await,
            };
            waiting.tell(told);
        }
    }
}

fn is_about_all(failure: &Failure) -> bool {
    [Code::Unavailable, Code::OutcomeUnknown].contains(&failure.code())
}

/// One failure, told to one of many.
fn retold(failure: &Failure) -> Failure {
    let told = Failure::new(failure.code());
    let told = if is_about_all(failure) { told.retry_after(AGAIN) } else { told };
    told.caused_by(failure.cause_chain().unwrap_or_else(|| failure.to_string()))
}

impl Shelf {
    async fn put(&self, merchant: MerchantId, quotes: &[String]) -> Result<()> {
        db::write_one!(self.ctx.db, merchant, |tx| Ok(store::insert(tx, quotes).await?))
    }
}
