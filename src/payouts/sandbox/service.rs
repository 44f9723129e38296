//! Starting over.

use super::{ResetScope, only_in_sandbox, payouts, people, store};
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
    },
    ctx::Ctx,
    db::{self, Tx},
    ledger::{self, AccountKind, Entry, EntryKind, Transfer, erasure},
    money::{Amount, Currency},
    oauth::credentials::ClientId,
    payouts::{
        Payouts,
        funding::{self, Incoming},
    },
    pricing,
    web::idempotency::{self, Answer, Request, maybe},
};

/// What every balance of a fresh sandbox holds: a hundred thousand, of currencies with two decimals.
const SEED_MINOR: i64 = 10_000_000;
const SEED_CURRENCIES: [&str; 3] = ["USD", "GBP", "EUR"];
/// Under which name the outside of a sandbox pays in.
const SEED_REFERENCE: &str = "sandbox-reset";

/// Empties the sandbox as far as asked and fills it as far as asked, the books in one transaction.
pub async fn reset(
    room: &Payouts,
    (merchant, client): (MerchantId, &ClientId),
    scope: ResetScope,
    request: Option<&Request>,
    answer: &Answer,
) -> Result<Answer> {
    only_in_sandbox(room)?;
    let ctx = &room.ctx;
    let cast = match scope {
        ResetScope::FullReset => people::prepare(room, merchant)?,
        _ => Vec::new(),
    };
    let funds = if scope.fills_balances() { seeds()? } else { Vec::new() };
    let done = db::write!(ctx.db, merchant, |tx| {
        if let Some(request) = request
            && let Some(earlier) = idempotency::recall(tx, request).await?
        {
            return Ok(earlier);
        }
        empty(tx, ctx, merchant, scope).await?;
        // Only now: a key that was claimed before would have been forgotten with the others.
        let (name, now) = (merchant.to_string(), ctx.now());
        if let Some(earlier) = maybe::claim(tx, request, &name, now).await? {
            return Ok(earlier);
        }
        for amount in &funds {
            let incoming =
                Incoming::check(*amount, &format!("{SEED_REFERENCE}-{}", amount.currency()), None)?;
            funding::receive_in(tx, ctx, merchant, &incoming).await?;
        }
        people::save(tx, ctx, &cast).await?;
        maybe::keep(tx, request, answer.clone(), now).await
    })?;
    if scope == ResetScope::FullReset && !done.replayed {
        payouts::seed(room, (merchant, client)).await?;
    }
    tracing::info!(%merchant, scope = scope.as_str(), "A sandbox was started over.");
    Ok(done)
}

fn seeds() -> Result<Vec<Amount>> {
    let amount = |code: &str| {
        let currency: Currency = code.parse().map_err(Failure::internal)?;
        Ok(Amount::from_minor(SEED_MINOR, currency))
    };
    SEED_CURRENCIES.into_iter().map(amount).collect()
}

/// What refers goes before what is referred to.
async fn empty(tx: &mut Tx, ctx: &Ctx, merchant: MerchantId, scope: ResetScope) -> Result<()> {
    store::erase_deposits(tx, merchant).await?;
    pricing::erasure::forget_exchanges(tx, merchant).await?;
    if scope.keeps_resources() {
        let held = erasure::held(tx, merchant).await?;
        erasure::close_books(tx, merchant).await?;
        return set_aside_again(tx, ctx, merchant, held).await;
    }
    // A key would be answered with something that is gone, and a test that runs again with its own keys
    // would be told of its last run.
    idempotency::erase(tx, merchant).await?;
    store::erase_resources(tx, merchant).await?;
    pricing::erasure::forget_quotes(tx, merchant).await?;
    erasure::close_books(tx, merchant).await?;
    erasure::forget_holds(tx, merchant).await
}

/// Payouts under way go on, so the new books begin with what is set aside for them.
async fn set_aside_again(
    tx: &mut Tx,
    ctx: &Ctx,
    merchant: MerchantId,
    held: Vec<Amount>,
) -> Result<()> {
    for amount in held {
        let moved = Transfer::new(AccountKind::Clearing, AccountKind::Pending, amount);
        let entry =
            Entry::new(EntryKind::Deposit, SEED_REFERENCE, moved.into_iter().collect::<Vec<_>>());
        ledger::record(tx, ctx, merchant, &entry).await?;
    }
    Ok(())
}
