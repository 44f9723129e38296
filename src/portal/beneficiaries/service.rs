//! What somebody sees of a beneficiary.

use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        pagination::{MAX_LIMIT, PageRequest},
    },
    ctx::Ctx,
    db,
    payouts::{
        BeneficiaryId,
        beneficiaries::{self, Beneficiary, Pii, Reader},
        instruments::{self, Instrument},
        payout::Filter,
    },
    portal::{
        Portal,
        payouts::{self, Listed},
        trail::{Action, Entry, Who},
    },
};

/// How many of its payouts its page shows.
const LATEST: u16 = 10;

/// A beneficiary with everything that its page shows.
pub(super) struct Seen {
    pub(super) beneficiary: Beneficiary,
    pub(super) instruments: Vec<Instrument>,
    pub(super) payouts: Listed,
}

/// Everything about one of the merchant's, but for what is personal.
pub(super) async fn see(ctx: &Ctx, merchant: MerchantId, id: BeneficiaryId) -> Result<Seen> {
    let all = PageRequest { limit: MAX_LIMIT, after: None };
    let (found, instruments) = db::read!(ctx.db, |tx| {
        let found = beneficiaries::find(tx, merchant, id).await?;
        Ok((found, instruments::list_of(tx, merchant, id, &all).await?))
    })?;
    let missing = || Failure::because(Code::NotFound, "there is no beneficiary with this id");
    let beneficiary = found.ok_or_else(missing)?;
    let filter = Filter { beneficiary: Some(id), ..Filter::default() };
    let latest = PageRequest { limit: LATEST, after: None };
    let payouts = payouts::list(ctx, merchant, &filter, &latest).await?;
    Ok(Seen { beneficiary, instruments, payouts })
}

/// Who a beneficiary is. The record that programs' looks are written to gets this one, too, and the
/// trail; what cannot be recorded in both is not shown.
pub(super) async fn person(
    room: &Portal,
    who: &Who,
    id: BeneficiaryId,
    request: String,
) -> Result<Pii> {
    let reader = Reader { client: format!("person:{}", who.user), request };
    let look = Entry { ctx: &room.ctx, who, action: Action::PersonSeen, note: String::new() };
    beneficiaries::read_pii_before(&look, &room.rooms.people, who.merchant, id, &reader).await
}
