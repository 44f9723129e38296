//! Making, changing, blocking and forgetting beneficiaries.

use serde_json::json;

use super::{
    Beneficiary, BeneficiaryStatus, Change, Filter, Pii, Step, store, store::Sealed,
    wire::BeneficiaryBody,
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        metadata::Metadata,
        pagination::{Page, PageRequest},
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Tx},
    events::log::{self, EventType, NewEvent},
    money::Country,
    payouts::{BeneficiaryId, people::People},
    web::idempotency::{Answer, Request, maybe},
};

/// Somebody new.
#[derive(Debug)]
pub struct NewBeneficiary {
    /// Who it is.
    pub pii: Pii,
    /// Where it is paid.
    pub country: Country,
    /// The merchant's own name for it.
    pub external_ref: Option<String>,
    /// The merchant's own notes.
    pub metadata: Metadata,
    /// The batch that makes it, if one does.
    pub source_batch_id: Option<String>,
}

/// Somebody new, sealed and ready for the transaction of the caller's choice.
pub struct Prepared {
    pub(super) beneficiary: Beneficiary,
    pub(super) sealed: Sealed,
}

impl Prepared {
    /// Under which it will be found.
    pub const fn id(&self) -> BeneficiaryId {
        self.beneficiary.id
    }
}

/// Seals what is personal. Nothing is stored: [`save`] does that.
pub fn prepare(room: &People, merchant: MerchantId, new: NewBeneficiary) -> Result<Prepared> {
    let NewBeneficiary { pii, country, external_ref, metadata, source_batch_id } = new;
    let ctx = &room.ctx;
    let id = BeneficiaryId::make(&ctx.clock, &ctx.random);
    let sealed = super::privacy::seal(room, merchant, id, &pii)?;
    let now = ctx.now();
    let beneficiary = Beneficiary {
        id,
        merchant,
        kind: pii.kind(),
        status: BeneficiaryStatus::Active,
        display_name: pii.display_name(),
        country,
        external_ref,
        metadata,
        source_batch_id,
        created_at: now,
        updated_at: now,
    };
    Ok(Prepared { beneficiary, sealed })
}

/// Stores it with its event, unless the merchant has this person already.
pub async fn save(tx: &mut Tx, ctx: &Ctx, prepared: &Prepared) -> Result<Beneficiary> {
    let Prepared { beneficiary, sealed } = prepared;
    if !store::insert(tx, beneficiary, sealed).await? {
        let twin = store::twin(tx, beneficiary.merchant, &sealed.fingerprint).await?;
        return Err(twin.map_or_else(|| Failure::new(Code::Unavailable), duplicate));
    }
    tell(tx, ctx, EventType::BeneficiaryCreated, beneficiary).await?;
    Ok(beneficiary.clone())
}

pub(super) fn duplicate(twin: BeneficiaryId) -> Failure {
    Failure::new(Code::DuplicateBeneficiary).details(json!({ "beneficiary_id": twin }))
}

/// Makes a beneficiary. Twice the same request makes one.
pub async fn create(
    room: &People,
    merchant: MerchantId,
    new: NewBeneficiary,
    request: &Request,
) -> Result<Answer> {
    let ctx = &room.ctx;
    let prepared = prepare(room, merchant, new)?;
    let name = prepared.beneficiary.id.to_string();
    db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        if let Some(earlier) = maybe::claim(tx, Some(request), &name, now).await? {
            return Ok(earlier);
        }
        let made = save(tx, ctx, &prepared).await?;
        let answer = Answer::json(201, &BeneficiaryBody::from(&made))?;
        maybe::keep(tx, Some(request), answer, now).await
    })
}

/// Changes what is not personal.
pub async fn update(
    room: &People,
    merchant: MerchantId,
    id: BeneficiaryId,
    change: &Change,
    request: Option<&Request>,
) -> Result<Answer> {
    altered(room, merchant, id, request, |beneficiary, now| {
        beneficiary.change(change.clone(), now);
        Ok(())
    })
    .await
}

/// Archives or restores.
pub async fn step(
    room: &People,
    merchant: MerchantId,
    id: BeneficiaryId,
    step: &Step,
    request: Option<&Request>,
) -> Result<Answer> {
    altered(room, merchant, id, request, |beneficiary, now| {
        beneficiary.status = beneficiary.status.after(step, now)?;
        beneficiary.updated_at = now;
        Ok(())
    })
    .await
}

async fn altered(
    room: &People,
    merchant: MerchantId,
    id: BeneficiaryId,
    request: Option<&Request>,
    alter: impl Fn(&mut Beneficiary, Timestamp) -> Result<()> + Send + Sync,
) -> Result<Answer> {
    let ctx = &room.ctx;
    let name = id.to_string();
    db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        if let Some(earlier) = maybe::claim(tx, request, &name, now).await? {
            return Ok(earlier);
        }
        let mut beneficiary = to_change(tx, merchant, id).await?;
        alter(&mut beneficiary, now)?;
        store::update(tx, &beneficiary).await?;
        tell(tx, ctx, EventType::BeneficiaryUpdated, &beneficiary).await?;
        let answer = Answer::json(200, &BeneficiaryBody::from(&beneficiary))?;
        maybe::keep(tx, request, answer, now).await
    })
}

/// Takes it out of lists and use. Its instruments go with it; payouts that were made go on.
pub async fn delete(room: &People, merchant: MerchantId, id: BeneficiaryId) -> Result<()> {
    let ctx = &room.ctx;
    db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        let mut beneficiary = to_change(tx, merchant, id).await?;
        store::delete(tx, merchant, id, now).await?;
        beneficiary.updated_at = now;
        tell(tx, ctx, EventType::BeneficiaryDeleted, &beneficiary).await
    })
}

/// What the operator does: block or unblock, by the id alone.
pub async fn operate(ctx: &Ctx, id: BeneficiaryId, step: &Step) -> Result<Beneficiary> {
    let owner = db::read!(ctx.db, |tx| Ok(store::owner(tx, id).await?))?;
    let merchant = owner.ok_or_else(|| Failure::new(Code::NotFound))?;
    db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        let mut beneficiary = to_change(tx, merchant, id).await?;
        beneficiary.status = beneficiary.status.after(step, now)?;
        beneficiary.updated_at = now;
        store::update(tx, &beneficiary).await?;
        let kind = match step {
            Step::Block { .. } => EventType::BeneficiaryBlocked,
            _ => EventType::BeneficiaryUpdated,
        };
        tell(tx, ctx, kind, &beneficiary).await?;
        Ok(beneficiary)
    })
}

/// One of the merchant's.
pub async fn get(ctx: &Ctx, merchant: MerchantId, id: BeneficiaryId) -> Result<Beneficiary> {
    let found = db::read!(ctx.db, |tx| Ok(store::find(tx, merchant, id).await?))?;
    found.ok_or_else(|| Failure::new(Code::NotFound))
}

/// How many beneficiaries [`list`] looks at for one page.
const LOOKED_AT: i64 = 5_000;

/// The merchant's, the newest first. What a filter and deletions leave out is passed over, but no more than
/// so many rows, however large the table; a page that was not filled has a cursor from which to look further.
pub async fn list(
    ctx: &Ctx,
    merchant: MerchantId,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Beneficiary>> {
    list_among(ctx, merchant, filter, page, LOOKED_AT).await
}

/// The same among so many.
pub async fn list_among(
    ctx: &Ctx,
    merchant: MerchantId,
    filter: &Filter,
    page: &PageRequest,
    many: i64,
) -> Result<Page<Beneficiary>> {
    let (rows, floor) = db::read!(ctx.db, |tx| {
        let floor = store::floor(tx, merchant, filter, page, many).await?;
        Ok((store::list(tx, merchant, filter, page, floor).await?, floor))
    })?;
    Ok(Page::searched(rows, page, floor, |beneficiary| beneficiary.id.to_string()))
}

/// One of the merchant's, held until the transaction ends.
pub(in crate::payouts) async fn to_change(
    tx: &mut Tx,
    merchant: MerchantId,
    id: BeneficiaryId,
) -> Result<Beneficiary> {
    let found = store::find_to_change(tx, merchant, id).await?;
    found.ok_or_else(|| Failure::new(Code::NotFound))
}

pub(super) async fn tell(
    tx: &mut Tx,
    ctx: &Ctx,
    kind: EventType,
    about: &Beneficiary,
) -> Result<()> {
    let event = NewEvent::new(kind, about.id.to_string(), &BeneficiaryBody::from(about));
    log::append(tx, ctx, about.merchant, &event.map_err(Failure::internal)?).await?;
    Ok(())
}
