//! What is personal: sealing it, showing it, replacing it, and writing down who did.

use zeroize::Zeroizing;

use super::{
    Beneficiary, Pii,
    service::{duplicate, tell, to_change},
    store::{self, Access, Sealed},
    wire::BeneficiaryBody,
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
    },
    db::{self, Unwitnessed, Witness},
    events::log::EventType,
    payouts::{BeneficiaryId, PiiAccessId, people::People},
    web::idempotency::{Answer, Request, maybe},
};

/// Who looks, for the record.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The credential, or `person:` and somebody of the portal.
    pub client: String,
    /// The request.
    pub request: String,
}

/// What a sealed value is bound to: in another row it does not open.
fn about(id: BeneficiaryId) -> String {
    format!("{id}/pii")
}

/// Seals it, and takes the fingerprint by which its twin is found.
pub(super) fn seal(
    room: &People,
    merchant: MerchantId,
    id: BeneficiaryId,
    pii: &Pii,
) -> Result<Sealed> {
    let clear = Zeroizing::new(serde_json::to_vec(pii).map_err(Failure::internal)?);
    let canonical = Zeroizing::new(pii.canonical().map_err(Failure::internal)?);
    // The merchant's name is in it, so that nobody who sees the table learns that two merchants know
    // the same person.
    let fingerprint = room.vault.fingerprint(&format!("{merchant}/beneficiary"), &canonical)?;
    Ok(Sealed { pii: room.vault.seal(&about(id), &clear)?, fingerprint })
}

/// Shows who a beneficiary is, after writing down who asked: what cannot be recorded is not shown.
pub async fn read(
    room: &People,
    merchant: MerchantId,
    id: BeneficiaryId,
    reader: &Reader,
) -> Result<Pii> {
    read_before(&Unwitnessed, room, merchant, id, reader).await
}

/// The same before a witness, whose record is as much of a condition as our own.
pub async fn read_before(
    witness: &dyn Witness<BeneficiaryId>,
    room: &People,
    merchant: MerchantId,
    id: BeneficiaryId,
    reader: &Reader,
) -> Result<Pii> {
    let sealed = db::write!(room.ctx.db, merchant, |tx| {
        let sealed = store::sealed_pii(tx, merchant, id).await?;
        let sealed = sealed.ok_or_else(|| Failure::new(Code::NotFound))?;
        note(tx, room, (merchant, id), reader, "read").await?;
        witness.note(tx, &id).await?;
        Ok(sealed)
    })?;
    open(room, id, &sealed).await
}

/// What rails and screening are told, also of somebody who was deleted meanwhile; they keep their own record of what they did with it.
pub async fn disclose(room: &People, beneficiary: &Beneficiary) -> Result<Pii> {
    let (merchant, id) = (beneficiary.merchant, beneficiary.id);
    let sealed = db::read!(room.ctx.db, |tx| Ok(store::sealed_ever(tx, merchant, id).await?))?;
    open(room, id, &sealed.ok_or_else(|| Failure::new(Code::NotFound))?).await
}

async fn open(room: &People, id: BeneficiaryId, sealed: &[u8]) -> Result<Pii> {
    let clear = room.vault.open_sealed(&about(id), sealed).await?;
    // The parser's own message would quote what it stumbled over.
    serde_json::from_slice(&clear).map_err(|_| Failure::internal("sealed data has no known shape"))
}

/// Replaces who a beneficiary is; the name to show follows. It stays a person or a business.
pub async fn replace(
    room: &People,
    merchant: MerchantId,
    id: BeneficiaryId,
    pii: &Pii,
    reader: &Reader,
    request: Option<&Request>,
) -> Result<Answer> {
    let ctx = &room.ctx;
    let sealed = seal(room, merchant, id, pii)?;
    let name = id.to_string();
    db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        if let Some(earlier) = maybe::claim(tx, request, &name, now).await? {
            return Ok(earlier);
        }
        let mut beneficiary = to_change(tx, merchant, id).await?;
        if beneficiary.kind != pii.kind() {
            let kind = beneficiary.kind.as_str();
            let why = format!("is required: this beneficiary is of the type {kind} and stays so");
            return Err(Failure::invalid(Vec::new()).field(kind, why));
        }
        match store::twin(tx, merchant, &sealed.fingerprint).await? {
            Some(twin) if twin != id => return Err(duplicate(twin)),
            _ => {}
        }
        beneficiary.display_name = pii.display_name();
        beneficiary.updated_at = now;
        store::replace_pii(tx, merchant, id, &sealed).await?;
        store::update(tx, &beneficiary).await?;
        note(tx, room, (merchant, id), reader, "replace").await?;
        tell(tx, ctx, EventType::BeneficiaryUpdated, &beneficiary).await?;
        let answer = Answer::json(200, &BeneficiaryBody::from(&beneficiary))?;
        maybe::keep(tx, request, answer, now).await
    })
}

async fn note(
    tx: &mut db::Tx,
    room: &People,
    (merchant, beneficiary): (MerchantId, BeneficiaryId),
    reader: &Reader,
    action: &'static str,
) -> Result<()> {
    let ctx = &room.ctx;
    let id = PiiAccessId::make(&ctx.clock, &ctx.random);
    let Reader { client, request } = reader;
    let at = ctx.now();
    store::note_access(tx, &Access { id, merchant, beneficiary, client, request, action, at })
        .await?;
    Ok(())
}
