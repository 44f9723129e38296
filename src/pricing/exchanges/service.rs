//! Exchanging by a quote.

use super::store;
use crate::{
    base::{
        failure::{Code, Failure, Kind, Result},
        ids::MerchantId,
        pagination::{Page, PageRequest},
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db,
    events::log::{self, EventType, NewEvent},
    ledger::{self, AccountKind, Entry, EntryKind, Transfer},
    pricing::{
        FxExchangeId, FxQuoteId, Pricing,
        fx::{self, Exchange},
    },
    web::idempotency::{self, Answer, Request},
};

/// An exchange that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FxExchange {
    /// Its id.
    pub id: FxExchangeId,
    /// The quote that it used up.
    pub quote_id: FxQuoteId,
    /// Both amounts, and the rate with its source and time.
    pub numbers: Exchange,
    /// When.
    pub at: Timestamp,
}

/// Uses a quote up and moves the money, or does neither. Twice the same request is one exchange.
pub async fn exchange(
    room: &Pricing,
    merchant: MerchantId,
    quote_id: FxQuoteId,
    request: &Request,
    answer: impl Fn(&FxExchange) -> Result<Answer> + Sync,
) -> Result<Answer> {
    let ctx = &room.ctx;
    let rates = room.rates.table(ctx).await?;
    let id = FxExchangeId::make(&ctx.clock, &ctx.random);
    let name = id.to_string();
    let made = db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        if let Some(earlier) = idempotency::claim(tx, request, &name, now).await? {
            return Ok(earlier);
        }
        let quote = fx::consume(tx, &rates, (merchant, quote_id), &name, now).await;
        let quote = quote.map_err(gone_when_expired)?;
        let exchange = FxExchange { id, quote_id, numbers: quote.exchange, at: now };
        let entry = entry(&exchange)?;
        let recorded = ledger::record(tx, ctx, merchant, &entry).await?;
        store::insert(tx, merchant, &exchange, &recorded.id.to_string()).await?;
        let answer = answer(&exchange)?;
        // Ordered and done in one moment; integrators wait for either word.
        for kind in [EventType::FxExchangeCreated, EventType::FxExchangeCompleted] {
            let event = NewEvent::of_json(kind, name.as_str(), &answer.body);
            log::append(tx, ctx, merchant, &event.map_err(Failure::internal)?).await?;
        }
        idempotency::keep(tx, request, answer, now).await
    })?;
    tracing::info!(%merchant, replayed = made.replayed, "Money was exchanged.");
    Ok(made)
}

/// The published answer to an FX quote that has run out is 410, where a pricing quote's is 422.
fn gone_when_expired(failure: Failure) -> Failure {
    match failure.code() {
        Code::QuoteExpired => failure.with_kind(Kind::Gone),
        _ => failure,
    }
}

/// The merchant gives one amount to the house and gets the other; the house's margin is its fee.
fn entry(exchange: &FxExchange) -> Result<Entry> {
    let Exchange { sell, buy, fee, .. } = &exchange.numbers;
    let (available, liquidity) = (AccountKind::Available, AccountKind::Liquidity);
    let moved = |from, to, amount| {
        Transfer::new(from, to, amount).ok_or_else(|| Failure::internal("an exchange of nothing"))
    };
    let mut transfers =
        vec![moved(available, liquidity, *sell)?, moved(liquidity, available, *buy)?];
    transfers.extend(Transfer::new(liquidity, AccountKind::Fees, *fee));
    Ok(Entry::new(EntryKind::Exchange, exchange.id.to_string(), transfers))
}

/// A merchant's exchanges, the newest first.
pub async fn list(ctx: &Ctx, merchant: MerchantId, page: &PageRequest) -> Result<Page<FxExchange>> {
    let rows = db::read!(ctx.db, |tx| Ok(store::list(tx, merchant, page).await?))?;
    Ok(Page::cut(rows, page, |exchange| exchange.id.to_string()))
}
