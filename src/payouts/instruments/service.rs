//! Making, showing and changing instruments.

use super::{Instrument, store};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
    },
    db::Tx,
    payouts::{BeneficiaryId, InstrumentId, beneficiaries},
};

/// The instrument through which a beneficiary is to be paid. Both must be the merchant's and active,
/// and the instrument must be this beneficiary's: otherwise a payout would go to somebody else.
pub async fn usable(
    tx: &mut Tx,
    merchant: MerchantId,
    instrument: InstrumentId,
    beneficiary: BeneficiaryId,
) -> Result<Instrument> {
    let unknown = || Failure::new(Code::NotFound);
    let payee = beneficiaries::find(tx, merchant, beneficiary).await?.ok_or_else(unknown)?;
    let found = store::find(tx, merchant, instrument).await?.ok_or_else(unknown)?;
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
