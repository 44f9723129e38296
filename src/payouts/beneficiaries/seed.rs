//! Made-up people and businesses for a sandbox: the same ones each time, with published test numbers.

use serde::Deserialize;
use serde_json::Value;

use super::{Beneficiary, NewBeneficiary, Pii, Prepared, prepare, save, store};
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
        metadata::Metadata,
        pagination::{MAX_LIMIT, PageRequest},
    },
    ctx::Ctx,
    db::{self, Tx},
    money::{Country, Currency},
    payouts::{
        People,
        instruments::{self, Instrument, InstrumentMethod, NewInstrument},
    },
    vault::Vault,
};

#[derive(Deserialize)]
struct Seed {
    country: Country,
    external_ref: String,
    pii: Pii,
    instruments: Vec<SeedInstrument>,
}

#[derive(Deserialize)]
struct SeedInstrument {
    method: String,
    currency: Currency,
    country: Option<Country>,
    label: Option<String>,
    credentials: Value,
}

/// Gives a merchant of a sandbox its curated beneficiaries, each with its instruments, the first of
/// which is the default. Those that are there already stay as they are.
pub async fn seed(
    ctx: &Ctx,
    vault: &Vault,
    merchant: MerchantId,
) -> Result<Vec<(Beneficiary, Vec<Instrument>)>> {
    let room = People { ctx: ctx.clone(), vault: vault.clone() };
    let prepared = seeds()?.into_iter().map(|seed| seal(&room, merchant, seed));
    let prepared = prepared.collect::<Result<Vec<_>>>()?;
    db::write!(ctx.db, merchant, |tx| {
        let mut seeded = Vec::with_capacity(prepared.len());
        for (beneficiary, instruments) in &prepared {
            let twin = store::twin(tx, merchant, &beneficiary.sealed.fingerprint).await?;
            let there = match twin {
                Some(id) => store::find(tx, merchant, id).await?,
                None => None,
            };
            seeded.push(match there {
                Some(there) => existing(tx, merchant, there).await?,
                None => add(tx, ctx, beneficiary, instruments).await?,
            });
        }
        Ok(seeded)
    })
}

async fn add(
    tx: &mut Tx,
    ctx: &Ctx,
    beneficiary: &Prepared,
    instruments: &[instruments::Prepared],
) -> Result<(Beneficiary, Vec<Instrument>)> {
    let beneficiary = save(tx, ctx, beneficiary).await?;
    let mut made = Vec::with_capacity(instruments.len());
    for instrument in instruments {
        made.push(instruments::save(tx, ctx, instrument).await?);
    }
    Ok((beneficiary, made))
}

async fn existing(
    tx: &mut Tx,
    merchant: MerchantId,
    there: Beneficiary,
) -> Result<(Beneficiary, Vec<Instrument>)> {
    let page = PageRequest { limit: MAX_LIMIT, after: None };
    let instruments = instruments::list_of(tx, merchant, there.id, &page).await?;
    Ok((there, instruments))
}

fn seeds() -> Result<Vec<Seed>> {
    serde_json::from_str(include_str!("seed.json")).map_err(Failure::internal)
}

fn seal(
    room: &People,
    merchant: MerchantId,
    seed: Seed,
) -> Result<(Prepared, Vec<instruments::Prepared>)> {
    let Seed { country, external_ref, pii, instruments } = seed;
    let new = NewBeneficiary {
        pii,
        country,
        external_ref: Some(external_ref),
        metadata: Metadata::default(),
        source_batch_id: None,
    };
    let beneficiary = prepare(room, merchant, new)?;
    let id = beneficiary.beneficiary.id;
    let mut first = true;
    let sealed = instruments.into_iter().map(|seed| {
        let method = InstrumentMethod::find(&seed.method)
            .ok_or_else(|| Failure::internal("a seed has no known method"))?;
        let new = NewInstrument {
            method,
            credentials: seed.credentials,
            currency: Some(seed.currency),
            country: seed.country,
            label: seed.label,
            is_default: std::mem::take(&mut first),
        };
        instruments::prepare(room, merchant, id, new)
    });
    let sealed = sealed.collect::<Result<Vec<_>>>()?;
    Ok((beneficiary, sealed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::timestamp::Timestamp;

    #[test]
    fn the_seeds_can_be_read_and_pass_the_rules() {
        let seeds = seeds().unwrap();
        let now = Timestamp::from_unix_seconds(1_795_000_000);
        let mut methods = std::collections::BTreeSet::new();
        for instrument in seeds.iter().flat_map(|seed| &seed.instruments) {
            let method = InstrumentMethod::find(&instrument.method).unwrap();
            assert!(method.check(&instrument.credentials, now).is_ok(), "{}", instrument.method);
            methods.insert(method.word);
        }
        assert!(seeds.len() >= 10 && methods.len() >= 10, "{methods:?}");
    }
}
