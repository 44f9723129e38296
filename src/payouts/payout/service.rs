//! Making payouts, showing them, calling them off.

use super::{
    Actor, Amounts, FixedSide, Moments, NewPayout, Payout, PayoutBody, PayoutStatus, Priced,
    Railed, Transition, advance, settle, store,
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        pagination::{Page, PageRequest},
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Tx, Witness},
    events::log::{self, NewEvent},
    jobs, ledger,
    money::{Amount, Country, Currency, Rounding},
    oauth::credentials::ClientId,
    payouts::{
        BeneficiaryId, PayoutId, Payouts, beneficiaries,
        instruments::{self, Instrument},
        limits, rails,
    },
    pricing::{
        Method, QuoteId,
        plans::Payment,
        quotes::{self, Quote, SignedQuote, Wanted},
    },
    web::idempotency::{self, Answer, Request},
};

/// Makes a payout: all of it, or nothing. Twice the same request is one payout.
pub async fn create(
    room: &Payouts,
    caller: (MerchantId, &ClientId),
    new: &NewPayout,
    request: &Request,
    answer: impl Fn(&Payout) -> Result<Answer> + Sync,
) -> Result<Answer> {
    let (ctx, (merchant, client)) = (&room.ctx, caller);
    // What was promised is told again before it is priced: today's price is no reason to refuse it.
    if let Some(earlier) = db::read!(ctx.db, |tx| idempotency::recall(tx, request).await)? {
        return Ok(earlier);
    }
    let (named, country) = db::read!(ctx.db, |tx| {
        let (_, country) = payee(tx, merchant, new).await?;
        let named = match new.quote {
            Some(id) => Some(quotes::find(tx, merchant, id).await?),
            None => None,
        };
        Ok((named, country))
    })?;
    let locked = named.is_some();
    let signed = match named {
        Some(named) => named,
        None => price(room, merchant, new, country).await?,
    };
    let quote = &signed.quote;
    let book = room.pricing.plans.book(ctx).await?;
    let id = PayoutId::make(&ctx.clock, &ctx.random);
    let name = id.to_string();
    let answered = db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        if let Some(earlier) = idempotency::claim(tx, request, &name, now).await? {
            return Ok(earlier);
        }
        // Asked again where nobody can come between: the instrument may have been switched off.
        let (instrument, country) = payee(tx, merchant, new).await?;
        if !locked {
            quotes::save(tx, &signed).await?;
        }
        let wanted = wanted(new, (!locked).then_some(quote), country);
        quotes::consume(tx, &book, quote, &wanted, &name, now).await?;
        let amounts = Amounts::of(
            quote,
            &Priced {
                fixed: new.fixed,
                dest: new.dest,
                bearer: new.bearer,
                locked,
                buffer_bps: room.policy.buffer_bps,
            },
        )?;
        let (total, apart) = (amounts.total_debited()?, amounts.fee_apart());
        let hold = ledger::place_hold(tx, ctx, merchant, total, &name, None).await?;
        let fee_hold = match apart {
            Some(fee) => Some(ledger::place_hold(tx, ctx, merchant, fee, &name, None).await?.id),
            None => None,
        };
        limits::count(tx, merchant, amounts.source, now).await?;
        let network = new.network.clone().or_else(|| instrument.shown.network.clone());
        let payout = Payout {
            id,
            merchant,
            beneficiary: new.beneficiary,
            instrument: new.instrument,
            quote: quote.id,
            plan: quote.facts.plan,
            amounts,
            method: new.method,
            rail_type: new.rail_type,
            network: network.filter(|_| instrument.method.word == "crypto"),
            purpose: new.purpose.clone(),
            reference: new.reference.clone(),
            metadata: new.metadata.clone(),
            made_by: Actor::Client(client.to_string()),
            hold: hold.id,
            fee_hold,
            status: PayoutStatus::Created,
            reason: None,
            moments: Moments::default(),
            railed: Railed::default(),
            steps: 1,
            created_at: now,
            updated_at: now,
        };
        store::insert(tx, &payout, "asked for through the API").await?;
        announce(tx, ctx, &payout).await?;
        jobs::enqueue(tx, ctx, &advance::job(&payout, now)?).await?;
        idempotency::keep(tx, request, answer(&payout)?, now).await
    })?;
    tracing::info!(%merchant, replayed = answered.replayed, "A payout was made.");
    Ok(answered)
}

/// The instrument, and where it is paid; both must fit what was asked.
async fn payee(
    tx: &mut Tx,
    merchant: MerchantId,
    new: &NewPayout,
) -> Result<(Instrument, Option<Country>)> {
    let instrument = instruments::usable(tx, merchant, new.instrument, new.beneficiary).await?;
    let mut refused = Failure::invalid(Vec::new());
    if !rails::reaches(new.method, instrument.method.word) {
        let why = format!("cannot pay to an instrument of method {}", instrument.method.word);
        refused = refused.field("method", why);
    }
    if let Some(currency) = instrument.currency.filter(|known| *known != new.dest.currency()) {
        refused =
            refused.field("dest_currency", format!("must be {currency}, as the instrument is"));
    }
    let chain = instrument.shown.network.as_deref().filter(|_| instrument.method.word == "crypto");
    if let (Some(chain), Some(asked)) = (chain, &new.network)
        && chain != asked
    {
        refused = refused.field("network", format!("must be {chain}, as the wallet is"));
    }
    if !refused.fields().is_empty() {
        return Err(refused);
    }
    if let Some(country) = instrument.country {
        return Ok((instrument, Some(country)));
    }
    let payee = beneficiaries::find(tx, merchant, new.beneficiary).await?;
    Ok((instrument, payee.map(|payee| payee.country)))
}

/// Prices a payout that names no quote, as it would be quoted now.
async fn price(
    room: &Payouts,
    merchant: MerchantId,
    new: &NewPayout,
    country: Option<Country>,
) -> Result<SignedQuote> {
    let (from, to) = (new.source.currency(), new.dest.currency());
    let amount = match new.fixed {
        FixedSide::Source => new.source,
        FixedSide::Dest if from == to => new.dest,
        FixedSide::Dest => {
            let rates = room.pricing.rates.table(&room.ctx).await?;
            let rate = rates.customer(from, to, room.ctx.now())?.rate;
            // Rounded up: what is debited must suffice for what was promised.
            let needed = rate.convert_back(new.dest, from, Rounding::Up);
            needed.map_err(|error| Failure::invalid(vec![error.at("dest_amount")]))?
        }
    };
    let payment =
        Payment { amount, dest_currency: to, dest_country: country, method: Some(new.method) };
    quotes::prepare(&room.pricing, merchant, payment).await
}

/// What the payout asks of its quote. One that was priced for it is asked for its own amount.
fn wanted(new: &NewPayout, priced: Option<&Quote>, country: Option<Country>) -> Wanted {
    let named = new.fixed == FixedSide::Dest && priced.is_none();
    Wanted {
        source_amount: priced.map_or(new.source, |quote| quote.facts.payment.amount),
        dest_amount: Some(new.dest).filter(|_| named),
        dest_currency: new.dest.currency(),
        dest_country: country,
        method: new.method,
    }
}

/// Writes down a step and tells of it, in the transaction of the step.
pub(super) async fn tell(tx: &mut Tx, ctx: &Ctx, payout: &Payout, step: &Transition) -> Result<()> {
    store::record(tx, payout.merchant, payout.id, step).await?;
    announce(tx, ctx, payout).await
}

/// The event of the state that a payout is in.
async fn announce(tx: &mut Tx, ctx: &Ctx, payout: &Payout) -> Result<()> {
    let shown = PayoutBody::of(payout)?;
    let event = NewEvent::new(payout.status.event(), payout.id.to_string(), &shown);
    let event = event.map_err(Failure::internal)?;
    log::append(tx, ctx, payout.merchant, &event).await?;
    Ok(())
}

/// Takes a step: the row, the money, the record and the event, together.
pub(super) async fn take(
    tx: &mut Tx,
    ctx: &Ctx,
    payout: &mut Payout,
    to: PayoutStatus,
    (actor, cause): (Actor, &str),
) -> Result<()> {
    let (from, before) = (payout.status, payout.steps);
    let step = payout.step(to, actor, cause, ctx.now())?;
    if !store::step(tx, payout, before).await? {
        return Err(Failure::because(
            Code::InvalidState,
            "the payout has just taken another step; look at it again",
        ));
    }
    settle::settle(tx, ctx, payout, from).await?;
    tell(tx, ctx, payout, &step).await
}

/// Calls a payout off, while it has not reached its rail.
pub async fn cancel(
    room: &Payouts,
    caller: (MerchantId, &ClientId),
    id: PayoutId,
    reason: Option<&str>,
    request: &Request,
    answer: impl Fn(&Payout) -> Result<Answer> + Sync,
) -> Result<Answer> {
    let (ctx, (merchant, client)) = (&room.ctx, caller);
    let name = id.to_string();
    let answered = db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        if let Some(earlier) = idempotency::claim(tx, request, &name, now).await? {
            return Ok(earlier);
        }
        let by = (Actor::Client(client.to_string()), reason);
        let payout = call_off(tx, ctx, (merchant, id), by).await?;
        idempotency::keep(tx, request, answer(&payout)?, now).await
    })?;
    tracing::info!(%merchant, replayed = answered.replayed, "A payout was cancelled.");
    Ok(answered)
}

/// The same by somebody before a witness, who may refuse. It needs no key: a payout is called off once.
pub async fn cancel_before(
    witness: &dyn Witness<Payout>,
    ctx: &Ctx,
    (merchant, id): (MerchantId, PayoutId),
    by: &Actor,
    reason: Option<&str>,
) -> Result<Payout> {
    let cancelled = db::write!(ctx.db, merchant, |tx| {
        let payout = call_off(tx, ctx, (merchant, id), (by.clone(), reason)).await?;
        witness.note(tx, &payout).await?;
        Ok(payout)
    })?;
    tracing::info!(%merchant, replayed = false, "A payout was cancelled.");
    Ok(cancelled)
}

async fn call_off(
    tx: &mut Tx,
    ctx: &Ctx,
    (merchant, id): (MerchantId, PayoutId),
    (by, reason): (Actor, Option<&str>),
) -> Result<Payout> {
    let mut payout = find(tx, merchant, id).await?;
    if !payout.status.can_be_cancelled() {
        let why = format!(
            "the payout is {}; it could be cancelled before it was let through",
            payout.status.as_str()
        );
        return Err(Failure::because(Code::InvalidState, why));
    }
    let cause = reason.unwrap_or("cancelled by the merchant");
    take(tx, ctx, &mut payout, PayoutStatus::Cancelled, (by, cause)).await?;
    Ok(payout)
}

/// A merchant's own payout, in a transaction.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: PayoutId) -> Result<Payout> {
    let found = store::find(tx, merchant, id).await?;
    found.ok_or_else(|| Failure::because(Code::NotFound, "there is no payout with this id"))
}

/// A merchant's own payout.
pub async fn get(ctx: &Ctx, merchant: MerchantId, id: PayoutId) -> Result<Payout> {
    db::read!(ctx.db, |tx| find(tx, merchant, id).await)
}

/// Each step that a payout has taken, the first one first, in a transaction.
pub async fn history(tx: &mut Tx, merchant: MerchantId, id: PayoutId) -> Result<Vec<Transition>> {
    Ok(store::timeline(tx, merchant, id).await?)
}

/// Each step that a payout has taken, the first one first.
pub async fn timeline(
    ctx: &Ctx,
    merchant: MerchantId,
    id: PayoutId,
) -> Result<(Payout, Vec<Transition>)> {
    db::read!(ctx.db, |tx| {
        let payout = find(tx, merchant, id).await?;
        Ok((payout, history(tx, merchant, id).await?))
    })
}

/// What a list is narrowed to; what is absent narrows nothing.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one state.
    pub status: Option<PayoutStatus>,
    /// To one beneficiary.
    pub beneficiary: Option<BeneficiaryId>,
    /// By one method.
    pub method: Option<Method>,
    /// From or to one currency.
    pub currency: Option<Currency>,
    /// Made then or later.
    pub from: Option<Timestamp>,
    /// Made earlier than that.
    pub until: Option<Timestamp>,
    /// With these words of the merchant's.
    pub reference: Option<String>,
    /// By this quote.
    pub quote: Option<QuoteId>,
}

impl Filter {
    /// Whether an index leads to what is wanted and to nothing else; times are bounds of ids.
    fn is_indexed(&self) -> bool {
        let Self { status, beneficiary, reference, quote, method, currency, from: _, until: _ } =
            self;
        let narrow =
            [status.is_some(), beneficiary.is_some(), reference.is_some(), quote.is_some()];
        let narrow = narrow.into_iter().filter(|is_there| *is_there).count();
        narrow <= 1 && method.is_none() && currency.is_none()
    }
}

/// How many payouts [`list`] looks at for one page.
const LOOKED_AT: i64 = 5_000;

/// A merchant's payouts, the newest first. What no index answers is looked for among so many payouts and no
/// more, however large the table; a page that was not filled has a cursor from which to look further.
pub async fn list(
    ctx: &Ctx,
    merchant: MerchantId,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Payout>> {
    list_among(ctx, merchant, filter, page, LOOKED_AT).await
}

/// The same among so many.
pub async fn list_among(
    ctx: &Ctx,
    merchant: MerchantId,
    filter: &Filter,
    page: &PageRequest,
    many: i64,
) -> Result<Page<Payout>> {
    let (rows, floor) = db::read!(ctx.db, |tx| {
        let floor = if filter.is_indexed() {
            None
        } else {
            store::floor(tx, merchant, filter, page, many).await?
        };
        Ok((store::list(tx, merchant, filter, page, floor).await?, floor))
    })?;
    Ok(Page::searched(rows, page, floor, |payout| payout.id.to_string()))
}

/// Whether an amount reaches the one that is named for its currency.
pub(super) fn reaches(amount: Amount, from: &[Amount]) -> bool {
    let same = from.iter().find(|limit| limit.currency() == amount.currency());
    same.is_some_and(|limit| amount.minor() >= limit.minor())
}
