//! The same payouts in every sandbox: one in each state that is worth a look.

use serde::Deserialize;
use serde_json::json;

use super::only_in_sandbox;
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        metadata::Metadata,
        pagination::{MAX_LIMIT, PageRequest},
    },
    db::{self},
    ledger,
    money::{Amount, Currency},
    oauth::credentials::ClientId,
    payouts::{
        DepositId, PayoutId, Payouts,
        funding::{self, Incoming},
        instruments::{self, Filter, Instrument, InstrumentStatus},
        payout::{self, FeeBearer, FixedSide, NewPayout, Payout, PayoutStatus},
        rails::{RailType, Scenario},
    },
    pricing::Method,
    web::idempotency::{Answer, Key, Request},
};

/// What each payout is for, in hundredths of its currency, and where it goes.
const PLAYS: [(i64, Option<Scenario>, PayoutStatus); 8] = [
    (12_500, None, PayoutStatus::Completed),
    (8_050, Some(Scenario::Failed), PayoutStatus::Failed),
    // Held for a look, so that nothing can carry it on before it is called off.
    (4_200, Some(Scenario::ManualReview), PayoutStatus::Cancelled),
    (31_000, Some(Scenario::ManualReview), PayoutStatus::ManualReview),
    (9_525, Some(Scenario::Delayed), PayoutStatus::Sent),
    (6_400, Some(Scenario::Approval), PayoutStatus::PendingApproval),
    (1_875, Some(Scenario::Returned), PayoutStatus::Returned),
    (21_000, None, PayoutStatus::Completed),
];

/// More than all of them together, so that a sandbox without money can be filled, too.
const ENOUGH_MINOR: i64 = 100_000;

/// How a seeded payout can go, by its instrument.
const WAYS: [(&str, Method, &str); 3] = [
    ("iban", Method::Sepa, "EUR"),
    ("us_bank", Method::Ach, "USD"),
    ("uk_bank", Method::FasterPayment, "GBP"),
];

/// An instrument and how it is paid.
type Target = (Instrument, Method, Currency);

/// Makes them, to the merchant's own beneficiaries in turn, and carries each to its state.
pub async fn seed(
    room: &Payouts,
    (merchant, client): (MerchantId, &ClientId),
) -> Result<Vec<Payout>> {
    only_in_sandbox(room)?;
    let targets = targets(room, merchant).await?;
    if targets.is_empty() {
        return Err(Failure::new(Code::NoBeneficiaries));
    }
    let mut made = Vec::with_capacity(PLAYS.len());
    for ((minor, scenario, state), target) in PLAYS.iter().zip(targets.iter().cycle()) {
        let amount = Amount::from_minor(*minor, target.2);
        fund(room, merchant, target.2).await?;
        let new = order(target, amount, *scenario);
        let id = make(room, (merchant, client), &new).await?;
        if *state == PayoutStatus::Cancelled {
            let request = request(room, merchant, "sandbox.seed_cancel")?;
            let by = (merchant, client);
            let answer = |_: &Payout| Answer::json(200, &json!({}));
            payout::cancel(room, by, id, Some("a seeded payout"), &request, answer).await?;
        } else {
            payout::hurry(room, merchant, id).await?;
        }
        made.push(payout::get(&room.ctx, merchant, id).await?);
    }
    Ok(made)
}

/// Whom the merchant can pay by a rail of its own country, always in the same order.
async fn targets(room: &Payouts, merchant: MerchantId) -> Result<Vec<Target>> {
    let ctx = &room.ctx;
    let filter = Filter { status: Some(InstrumentStatus::Active), ..Filter::default() };
    let page = PageRequest { limit: MAX_LIMIT, after: None };
    let known = instruments::list(ctx, merchant, &filter, &page).await?.data;
    let mut targets = db::read!(ctx.db, |tx| {
        let mut targets = Vec::new();
        for instrument in &known {
            let Some((method, currency)) = way(instrument) else { continue };
            let found =
                instruments::usable(tx, merchant, instrument.id, instrument.beneficiary).await;
            match found {
                Ok(instrument) => targets.push((instrument, method, currency)),
                Err(failure)
                    if matches!(failure.code(), Code::ValidationError | Code::NotFound) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(targets)
    })?;
    // Ids of one moment have no order that would be the same again; what can be seen of accounts has.
    targets.sort_by_cached_key(|(instrument, ..)| {
        (instrument.method.word, instrument.shown.masked.clone(), instrument.id)
    });
    Ok(targets)
}

fn way(instrument: &Instrument) -> Option<(Method, Currency)> {
    let (_, method, code) = WAYS.iter().find(|(word, ..)| *word == instrument.method.word)?;
    let currency: Currency = code.parse().ok()?;
    instrument.currency.is_none_or(|known| known == currency).then_some((*method, currency))
}

/// Pays in when there is not enough.
async fn fund(room: &Payouts, merchant: MerchantId, currency: Currency) -> Result<()> {
    let ctx = &room.ctx;
    let enough = Amount::from_minor(ENOUGH_MINOR, currency);
    let balance = db::read!(ctx.db, |tx| ledger::balance(tx, merchant, currency).await)?;
    if balance.is_some_and(|balance| balance.available.minor() >= ENOUGH_MINOR) {
        return Ok(());
    }
    let reference = format!("sandbox-seed:{}", DepositId::make(&ctx.clock, &ctx.random));
    funding::receive(ctx, merchant, &Incoming::check(enough, &reference, None)?).await?;
    Ok(())
}

fn order(
    (instrument, method, _): &Target,
    amount: Amount,
    scenario: Option<Scenario>,
) -> NewPayout {
    NewPayout {
        beneficiary: instrument.beneficiary,
        instrument: instrument.id,
        source: amount,
        dest: amount,
        method: *method,
        rail_type: RailType::of(*method),
        network: None,
        bearer: FeeBearer::Merchant,
        fixed: FixedSide::Dest,
        quote: None,
        purpose: Some("sandbox_seed".to_owned()),
        reference: Some(scenario.map_or("sandbox-seed", Scenario::as_str).to_owned()),
        metadata: Metadata::default(),
    }
}

async fn make(room: &Payouts, by: (MerchantId, &ClientId), new: &NewPayout) -> Result<PayoutId> {
    #[derive(Deserialize)]
    struct Made {
        id: PayoutId,
    }
    let request = request(room, by.0, "sandbox.seed_payout")?;
    let answer = |payout: &Payout| Answer::json(201, &json!({ "id": payout.id }));
    let answer = payout::create(room, by, new, &request, answer).await?;
    let Made { id } = serde_json::from_slice(&answer.body).map_err(Failure::internal)?;
    Ok(id)
}

/// Under a key that nobody has used.
fn request(room: &Payouts, merchant: MerchantId, operation: &'static str) -> Result<Request> {
    let unique = PayoutId::make(&room.ctx.clock, &room.ctx.random);
    let key = Key::parse(&format!("sandbox-seed-{unique}"))?;
    Ok(Request::new(merchant, operation, key, "", &json!({})))
}
