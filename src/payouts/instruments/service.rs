//! Making, showing and changing instruments.

use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    Change, Filter, Instrument, InstrumentMethod, InstrumentStatus, SealedCredentials, store,
    wire::InstrumentBody,
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        pagination::{Page, PageRequest},
    },
    ctx::Ctx,
    db::{self, Tx},
    events::log::{self, EventType, NewEvent},
    money::{Country, Currency},
    payouts::{BeneficiaryId, InstrumentId, beneficiaries, people::People},
    vault::Vault,
    web::idempotency::{self, Answer, Request, maybe},
};

/// A new way to pay somebody.
pub struct NewInstrument {
    /// The form of its credentials.
    pub method: &'static InstrumentMethod,
    /// The credentials, as they came.
    pub credentials: Value,
    /// In what it is paid.
    pub currency: Option<Currency>,
    /// Where it is.
    pub country: Option<Country>,
    /// The merchant's own name for it.
    pub label: Option<String>,
    /// Whether it is the one to use.
    pub is_default: bool,
}

/// A new instrument, checked, sealed and ready for the transaction of the caller's choice.
pub struct Prepared(Instrument);

/// What sealed credentials are bound to: in another row they do not open.
fn about(id: InstrumentId) -> String {
    format!("{id}/credentials")
}

/// Checks and seals the credentials. Nothing is stored: [`save`] does that.
pub fn prepare(
    room: &People,
    merchant: MerchantId,
    beneficiary: BeneficiaryId,
    new: NewInstrument,
) -> Result<Prepared> {
    let (ctx, now) = (&room.ctx, room.ctx.now());
    let accepted = new.method.check(&new.credentials, now).map_err(|faults| {
        let details = serde_json::to_value(faults).unwrap_or_default();
        Failure::new(Code::InvalidCredentials).details(details)
    })?;
    let country = place(new.method, new.country, accepted.country)?;
    let id = InstrumentId::make(&ctx.clock, &ctx.random);
    let clear = serde_json::to_vec(&new.credentials).map_err(Failure::internal)?;
    let sealed = room.vault.seal(&about(id), &Zeroizing::new(clear))?;
    Ok(Prepared(Instrument {
        id,
        merchant,
        beneficiary,
        method: new.method,
        status: InstrumentStatus::Active,
        is_default: new.is_default,
        currency: new.currency,
        country,
        label: new.label,
        shown: accepted.shown,
        credentials: SealedCredentials(sealed),
        created_at: now,
        updated_at: now,
    }))
}

/// Where the account is: what was said and what its number shows must agree.
fn place(
    method: &InstrumentMethod,
    said: Option<Country>,
    seen: Option<Country>,
) -> Result<Option<Country>> {
    let refused = |why: &str| Err(Failure::invalid(Vec::new()).field("country", why));
    match (said, seen) {
        (Some(said), _) if !method.serves(said) => {
            refused("must be a country in which this method exists; see GET /v1/payment-methods")
        }
        (Some(said), Some(seen)) if !method.is_in(seen, said) => {
            refused("must be the country of the account; leave it out to take that")
        }
        (said, seen) => Ok(said.or(seen)),
    }
}

/// Stores it with its event; a new default takes the place of the old one.
pub async fn save(tx: &mut Tx, ctx: &Ctx, prepared: &Prepared) -> Result<Instrument> {
    let Prepared(instrument) = prepared;
    make_room(tx, ctx, instrument).await?;
    store::insert(tx, instrument).await?;
    tell(tx, ctx, EventType::InstrumentCreated, instrument).await?;
    Ok(instrument.clone())
}

/// Adds an instrument to a beneficiary. Twice the same request adds one.
pub async fn create(
    room: &People,
    merchant: MerchantId,
    beneficiary: BeneficiaryId,
    new: NewInstrument,
    request: &Request,
) -> Result<Answer> {
    let ctx = &room.ctx;
    let prepared = match prepare(room, merchant, beneficiary, new) {
        Ok(prepared) => prepared,
        // What was right once, such as a card that has run out since, is answered as it was then.
        Err(refused) => {
            let earlier = db::read!(ctx.db, |tx| idempotency::recall(tx, request).await)?;
            return earlier.ok_or(refused);
        }
    };
    let name = prepared.0.id.to_string();
    db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        if let Some(earlier) = maybe::claim(tx, Some(request), &name, now).await? {
            return Ok(earlier);
        }
        let payee = beneficiaries::to_change(tx, merchant, beneficiary).await?;
        payee.payable().map_err(|why| {
            Failure::because(Code::InvalidState, format!("the beneficiary {why}"))
        })?;
        let made = save(tx, ctx, &prepared).await?;
        let answer = Answer::json(201, &InstrumentBody::from(&made))?;
        maybe::keep(tx, Some(request), answer, now).await
    })
}

/// Changes name, default or status.
pub async fn update(
    room: &People,
    merchant: MerchantId,
    id: InstrumentId,
    change: &Change,
    request: Option<&Request>,
) -> Result<Answer> {
    let ctx = &room.ctx;
    let name = id.to_string();
    db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        if let Some(earlier) = maybe::claim(tx, request, &name, now).await? {
            return Ok(earlier);
        }
        let mut instrument = to_change(tx, merchant, id).await?;
        instrument.change(change.clone(), now)?;
        make_room(tx, ctx, &instrument).await?;
        store::update(tx, &instrument).await?;
        tell(tx, ctx, EventType::InstrumentUpdated, &instrument).await?;
        let answer = Answer::json(200, &InstrumentBody::from(&instrument))?;
        maybe::keep(tx, request, answer, now).await
    })
}

/// Takes it out of lists and use; payouts that were made go on.
pub async fn delete(room: &People, merchant: MerchantId, id: InstrumentId) -> Result<()> {
    let ctx = &room.ctx;
    db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        let mut instrument = to_change(tx, merchant, id).await?;
        store::delete(tx, merchant, id, now).await?;
        (instrument.is_default, instrument.updated_at) = (false, now);
        tell(tx, ctx, EventType::InstrumentDeleted, &instrument).await
    })
}

/// One of the merchant's.
pub async fn get(ctx: &Ctx, merchant: MerchantId, id: InstrumentId) -> Result<Instrument> {
    db::read!(ctx.db, |tx| found(tx, merchant, id).await)
}

/// The merchant's, the newest first.
pub async fn list(
    ctx: &Ctx,
    merchant: MerchantId,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Instrument>> {
    let rows = db::read!(ctx.db, |tx| Ok(store::list(tx, merchant, filter, page).await?))?;
    Ok(Page::cut(rows, page, |instrument| instrument.id.to_string()))
}

/// One beneficiary's, in the caller's transaction: the newest first, one more than the page's limit.
pub async fn list_of(
    tx: &mut Tx,
    merchant: MerchantId,
    beneficiary: BeneficiaryId,
    page: &PageRequest,
) -> Result<Vec<Instrument>> {
    let filter = Filter { beneficiary: Some(beneficiary), ..Filter::default() };
    Ok(store::list(tx, merchant, &filter, page).await?)
}

/// The instrument through which a beneficiary is to be paid. Both must be the merchant's and active,
/// and the instrument must be this beneficiary's: otherwise a payout would go to somebody else.
pub async fn usable(
    tx: &mut Tx,
    merchant: MerchantId,
    instrument: InstrumentId,
    beneficiary: BeneficiaryId,
) -> Result<Instrument> {
    let payee = beneficiaries::find(tx, merchant, beneficiary).await?;
    let payee = payee.ok_or_else(|| Failure::new(Code::NotFound))?;
    let found = found(tx, merchant, instrument).await?;
    let mut refused = Failure::invalid(Vec::new());
    if let Err(why) = payee.payable() {
        refused = refused.field("beneficiary_id", why);
    }
    if found.beneficiary != beneficiary {
        refused = refused.field(
            "instrument_id",
            "belongs to another beneficiary; name an instrument of this one",
        );
    } else if let Err(why) = found.payable() {
        refused = refused.field("instrument_id", why);
    }
    if refused.fields().is_empty() { Ok(found) } else { Err(refused) }
}

/// The credentials in clear, for the rail that pays and for nobody else. It may fetch a key: call it
/// outside the doors.
pub async fn credentials(vault: &Vault, instrument: &Instrument) -> Result<Zeroizing<Vec<u8>>> {
    vault.open_sealed(&about(instrument.id), &instrument.credentials.0).await
}

async fn found(tx: &mut Tx, merchant: MerchantId, id: InstrumentId) -> Result<Instrument> {
    let found = store::find(tx, merchant, id).await?;
    found.ok_or_else(|| Failure::new(Code::NotFound))
}

async fn to_change(tx: &mut Tx, merchant: MerchantId, id: InstrumentId) -> Result<Instrument> {
    let found = store::find_to_change(tx, merchant, id).await?;
    found.ok_or_else(|| Failure::new(Code::NotFound))
}

/// Where a new default comes, the old one steps back, and says so.
async fn make_room(tx: &mut Tx, ctx: &Ctx, new: &Instrument) -> Result<()> {
    if let Some(stepped) = store::step_back(tx, new, ctx.now()).await? {
        let instrument = found(tx, new.merchant, stepped).await?;
        tell(tx, ctx, EventType::InstrumentUpdated, &instrument).await?;
    }
    Ok(())
}

async fn tell(tx: &mut Tx, ctx: &Ctx, kind: EventType, about: &Instrument) -> Result<()> {
    let event = NewEvent::new(kind, about.id.to_string(), &InstrumentBody::from(about));
    log::append(tx, ctx, about.merchant, &event.map_err(Failure::internal)?).await?;
    Ok(())
}
