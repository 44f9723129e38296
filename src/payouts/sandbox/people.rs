//! The same people and businesses in every sandbox, in several countries and by several methods.

use serde::Deserialize;
use serde_json::Value;

use super::only_in_sandbox;
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        metadata::Metadata,
    },
    ctx::Ctx,
    db::{self, Tx},
    money::{Country, Currency},
    payouts::{
        Payouts, People,
        beneficiaries::{self, Beneficiary, NewBeneficiary, Pii},
        instruments::{self, InstrumentMethod, NewInstrument},
    },
    web::idempotency::{self, Answer, Request},
};

/// Nobody in it exists; the account numbers are published examples or have no owner.
const CAST: &str = include_str!("people.json");

#[derive(Deserialize)]
struct Role {
    external_ref: String,
    country: Country,
    pii: Pii,
    instrument: RoleInstrument,
}

#[derive(Deserialize)]
struct RoleInstrument {
    method: String,
    currency: String,
    label: String,
    credentials: Value,
}

/// Somebody who is ready to be stored.
pub(super) struct Player {
    beneficiary: beneficiaries::Prepared,
    instrument: instruments::Prepared,
}

/// Who was made by a seeding, and how many were there before.
#[derive(Debug)]
pub struct Seeded {
    /// The new ones.
    pub made: Vec<Beneficiary>,
    /// How many of the cast the merchant had.
    pub skipped: usize,
}

/// Makes those of the cast whom the merchant does not have.
pub async fn seed(
    room: &Payouts,
    merchant: MerchantId,
    request: Option<&Request>,
    answer: impl Fn(&Seeded) -> Result<Answer> + Sync,
) -> Result<Answer> {
    only_in_sandbox(room)?;
    let ctx = &room.ctx;
    let cast = prepare(room, merchant)?;
    db::write!(ctx.db, merchant, |tx| {
        let now = ctx.now();
        let name = merchant.to_string();
        if let Some(request) = request
            && let Some(earlier) = idempotency::claim(tx, request, &name, now).await?
        {
            return Ok(earlier);
        }
        let answer = answer(&save(tx, ctx, &cast).await?)?;
        match request {
            Some(request) => idempotency::keep(tx, request, answer, now).await,
            None => Ok(answer),
        }
    })
}

/// Seals everybody; nothing is stored.
pub(super) fn prepare(room: &Payouts, merchant: MerchantId) -> Result<Vec<Player>> {
    let people = People { ctx: room.ctx.clone(), vault: room.vault.clone() };
    let cast: Vec<Role> = serde_json::from_str(CAST).map_err(Failure::internal)?;
    cast.into_iter().map(|role| player(&people, merchant, role)).collect()
}

fn player(people: &People, merchant: MerchantId, role: Role) -> Result<Player> {
    let Role { external_ref, country, pii, instrument } = role;
    let new = NewBeneficiary {
        pii,
        country,
        external_ref: Some(external_ref),
        metadata: Metadata::default(),
        source_batch_id: None,
    };
    let beneficiary = beneficiaries::prepare(people, merchant, new)?;
    let method = InstrumentMethod::find(&instrument.method);
    let new = NewInstrument {
        method: method.ok_or_else(|| Failure::internal("a role has an unknown method"))?,
        credentials: instrument.credentials,
        currency: Some(instrument.currency.parse::<Currency>().map_err(Failure::internal)?),
        country: None,
        label: Some(instrument.label),
        is_default: true,
    };
    let instrument = instruments::prepare(people, merchant, beneficiary.id(), new)?;
    Ok(Player { beneficiary, instrument })
}

/// Stores everybody whom the merchant does not have.
pub(super) async fn save(tx: &mut Tx, ctx: &Ctx, cast: &[Player]) -> Result<Seeded> {
    let mut made = Vec::new();
    for Player { beneficiary, instrument } in cast {
        match beneficiaries::save(tx, ctx, beneficiary).await {
            Ok(saved) => made.push(saved),
            Err(failure) if failure.code() == Code::DuplicateBeneficiary => continue,
            Err(failure) => return Err(failure),
        }
        instruments::save(tx, ctx, instrument).await?;
    }
    let skipped = cast.len().saturating_sub(made.len());
    Ok(Seeded { made, skipped })
}
