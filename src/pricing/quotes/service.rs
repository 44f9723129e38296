//! Giving quotes, showing them, and letting a payout use one.

use std::sync::Arc;

use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        pagination::{Page, PageRequest},
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Tx},
    money::{Amount, Currency},
    oauth::keys::Ring,
    pricing::{
        Pricing, QuoteId,
        engine::Step,
        plans::{Payment, PlanBook},
    },
    web::idempotency::{self, Answer, Request},
};

use super::{Facts, NewQuote, Offer, Quote, QuoteState, Wanted, store};

/// The type in the header of an offer's signature. No token of ours has it, so that a signature can
/// never be presented as a token.
pub const OFFER_TYPE: &str = "quote+jws";

/// A quote with the proof that it was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedQuote {
    /// The quote.
    pub quote: Quote,
    /// What it offers: its [`Quote::offer`].
    pub offer: Arc<Offer>,
    /// A JWS over the JSON of the offer, without its payload (RFC 7515, appendix F).
    pub signature: String,
}

/// Prices a payment as it would be priced now, and signs the offer. Nothing is stored: `save` does
/// that, in the transaction of the caller's choice.
pub async fn prepare(
    room: &Pricing,
    merchant: MerchantId,
    payment: Payment,
) -> Result<SignedQuote> {
    let quote = price(room, merchant, payment).await?;
    let offer = Arc::new(quote.offer());
    let signature = sign(&room.ring, &offer)?;
    Ok(SignedQuote { quote, offer, signature })
}

/// What a payment would cost at this moment, and why. It is neither stored nor signed, so nobody can
/// use it and nothing is promised.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The quote that would be given.
    pub quote: Quote,
    /// The arithmetic of the fee.
    pub steps: Vec<Step>,
    /// Every plan that was looked at.
    pub considered: Vec<Verdict>,
}

/// Prices a payment for somebody who only wants to know.
pub async fn preview(room: &Pricing, merchant: MerchantId, payment: Payment) -> Result<Preview> {
    let quote = price(room, merchant, payment).await?;
    let book = room.plans.book(&room.ctx).await?;
    let steps = quote.facts.explain()?;
    let considered = verdicts(&book, merchant, &quote);
    Ok(Preview { quote, steps, considered })
}

async fn price(room: &Pricing, merchant: MerchantId, payment: Payment) -> Result<Quote> {
    let ctx = &room.ctx;
    let (book, rates) = (room.plans.book(ctx).await?, room.rates.table(ctx).await?);
    let now = ctx.now();
    let chosen = book.select(merchant, &payment, now)?;
    let currency = payment.amount.currency();
    let volume = if chosen.version.terms.counts_volume() {
        month_volume(ctx, merchant, currency, now).await?
    } else {
        Amount::zero(currency)
    };
    let facts = Facts::gather(payment, &chosen, volume, &rates, now)?;
    let id = QuoteId::make(&ctx.clock, &ctx.random);
    Quote::issue(id, merchant, facts, now)
}

/// Stores a prepared quote; it is promised once the transaction is durable.
pub async fn save(tx: &mut Tx, signed: &SignedQuote) -> Result<()> {
    Ok(store::insert(tx, &[store::written(signed)?]).await?)
}

/// Gives a quote: priced, signed, durable, answered. With a key, twice the same request is one.
pub async fn create(
    room: &Pricing,
    merchant: MerchantId,
    new: &NewQuote,
    request: Option<&Request>,
    answer: impl Fn(&SignedQuote) -> Result<Answer> + Sync,
) -> Result<Answer> {
    let ctx = &room.ctx;
    if let Some(request) = request
        && let Some(earlier) = db::read!(ctx.db, |tx| idempotency::recall(tx, request).await)?
    {
        // Before pricing: what was promised is told again, even if it could not be promised now.
        return Ok(earlier);
    }
    let signed = prepare(room, merchant, new.payment).await?;
    let made = answer(&signed)?;
    let Some(request) = request else {
        room.intake.store(signed).await?;
        return Ok(made);
    };
    let id = signed.quote.id.to_string();
    let now = signed.quote.created_at;
    db::write!(ctx.db, merchant, |tx| {
        if let Some(earlier) = idempotency::claim(tx, request, &id, now).await? {
            return Ok(earlier);
        }
        save(tx, &signed).await?;
        idempotency::keep(tx, request, made.clone(), now).await
    })
}

/// A merchant's own quote.
pub async fn get(ctx: &Ctx, merchant: MerchantId, id: QuoteId) -> Result<SignedQuote> {
    db::read!(ctx.db, |tx| find(tx, merchant, id).await)
}

/// A merchant's quotes, the newest first.
pub async fn list(
    ctx: &Ctx,
    merchant: MerchantId,
    page: &PageRequest,
) -> Result<Page<SignedQuote>> {
    let rows = db::read!(ctx.db, |tx| Ok(store::list(tx, merchant, page).await?))?;
    Ok(Page::cut(rows, page, |signed| signed.quote.id.to_string()))
}

/// Why a quote says what it says.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The quote.
    pub signed: SignedQuote,
    /// The arithmetic of the fee.
    pub steps: Vec<Step>,
    /// Every plan that was looked at then.
    pub considered: Vec<Verdict>,
}

/// One plan that was looked at.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The plan.
    pub plan: crate::pricing::PlanId,
    /// The operator's name for it.
    pub key: String,
    /// The version in force then, if any was.
    pub version: Option<u32>,
    /// Why it lost; nothing for the one that won.
    pub lost: Option<String>,
}

/// Explains a quote by the plans of its moment, which never change.
pub async fn explain(room: &Pricing, merchant: MerchantId, id: QuoteId) -> Result<Explanation> {
    let signed = get(&room.ctx, merchant, id).await?;
    let book = room.plans.book(&room.ctx).await?;
    let steps = signed.quote.facts.explain()?;
    let considered = verdicts(&book, merchant, &signed.quote);
    Ok(Explanation { signed, steps, considered })
}

fn verdicts(book: &PlanBook, merchant: MerchantId, quote: &Quote) -> Vec<Verdict> {
    let considered = book.explain(merchant, &quote.facts.payment, quote.created_at);
    let verdict = considered.into_iter().map(|seen| Verdict {
        plan: seen.plan.id,
        key: seen.plan.key.clone(),
        version: seen.version,
        lost: seen.lost.map(|lost| lost.sentence()),
    });
    verdict.collect()
}

/// Lets the payout `by` use a quote, inside that payout's transaction: of any number of payouts that
/// name it, one does.
///
/// `quote` may have been read before: what it promises never changes, and whether it is still open is
/// asked here. `now` must be read inside the transaction. The amount counts towards the merchant's
/// month from here on; [`uncount`] takes it back when the payout comes to nothing.
pub async fn consume(
    tx: &mut Tx,
    book: &PlanBook,
    quote: &Quote,
    wanted: &Wanted,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    quote.check_use(wanted, book, now)?;
    if !store::consume(tx, quote, &month(now), now, by).await? {
        // Somebody came first.
        find(tx, quote.merchant, quote.id).await?.quote.check_use(wanted, book, now)?;
        return Err(Failure::internal("an open quote could not be used"));
    }
    Ok(())
}

/// Who has used a quote, if anybody has; for those who compare it with what they have made of it.
pub async fn used_by(tx: &mut Tx, merchant: MerchantId, id: QuoteId) -> Result<Option<String>> {
    Ok(store::used_by(tx, merchant, id).await?)
}

/// A merchant's own quote, inside a transaction.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: QuoteId) -> Result<SignedQuote> {
    let found = store::find(tx, merchant, id).await?;
    found.ok_or_else(|| Failure::because(Code::NotFound, "there is no quote with this id"))
}

/// Takes what a used quote has sent out of the month in which it was counted.
pub async fn uncount(tx: &mut Tx, merchant: MerchantId, id: QuoteId) -> Result<()> {
    let quote = find(tx, merchant, id).await?.quote;
    let QuoteState::Consumed { at, .. } = quote.state else {
        return Err(Failure::because(Code::InvalidState, "this quote has not been used"));
    };
    let back = quote.facts.payment.amount.negated().map_err(Failure::internal)?;
    Ok(store::count_volume(tx, merchant, quote.facts.plan, &month(at), back).await?)
}

/// What the merchant has sent in the calendar month (UTC) of a moment.
pub async fn month_volume(
    ctx: &Ctx,
    merchant: MerchantId,
    currency: Currency,
    at: Timestamp,
) -> Result<Amount> {
    let month = month(at);
    db::read!(ctx.db, |tx| Ok(store::volume(tx, merchant, &month, currency).await?))
}

fn month(at: Timestamp) -> String {
    let date = at.date_time().date();
    format!("{:04}-{:02}", date.year(), u8::from(date.month()))
}

/// Signs the exact bytes of the offer, then takes the payload out: whoever verifies has it already.
fn sign(ring: &Ring, offer: &Offer) -> Result<String> {
    let payload = serde_json::to_vec(offer).map_err(Failure::internal)?;
    let compact = ring.current().signer().sign(OFFER_TYPE, &payload).map_err(Failure::internal)?;
    let mut parts = compact.split('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(_), Some(signature)) => Ok(format!("{header}..{signature}")),
        _ => Err(Failure::internal("a signature is not a compact JWS")),
    }
}

/// For auditors: whether every quote still follows from the facts that are stored with it, digit for
/// digit. Gives how many were looked at, and what is wrong.
pub async fn verify(ctx: &Ctx) -> Result<(u64, Vec<String>)> {
    let (mut looked_at, mut faults, mut after) = (0, Vec::new(), Default::default());
    loop {
        let quotes = db::read!(ctx.db, |tx| Ok(store::each(tx, &after).await?))?;
        let Some((last, _)) = quotes.last() else { return Ok((looked_at, faults)) };
        after = last.clone();
        for ((_, id), fault) in quotes {
            looked_at += 1;
            faults.extend(fault.map(|fault| format!("{id}: {fault}")));
        }
    }
}
