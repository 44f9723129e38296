//! Money that comes in.

use serde::Serialize;

use crate::{
    base::{
        environment::Environment,
        failure::{Code, Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db,
    events::log::{self, EventType, NewEvent},
    ledger::{self, AccountKind, Balance, Entry, EntryKind, Recorded, Transfer},
    money::Amount,
    oauth::merchants,
};

/// Funds a balance by the operator's word, which only play money allows.
pub async fn credit(
    ctx: &Ctx,
    environment: Environment,
    merchant: MerchantId,
    amount: Amount,
) -> Result<Balance> {
    if environment != Environment::Sandbox {
        return Err(Failure::new(Code::SandboxOnly));
    }
    let (clearing, available) = (AccountKind::Clearing, AccountKind::Available);
    let incoming = Transfer::new(clearing, available, amount)
        .ok_or_else(|| Failure::invalid(Vec::new()).field("amount", "must be greater than zero"))?;
    let entry = Entry::new(EntryKind::Deposit, "operator", vec![incoming]);
    let balance = db::write!(ctx.db, merchant, |tx| {
        merchants::find(tx, merchant).await?;
        let recorded = ledger::record(tx, ctx, merchant, &entry).await?;
        let event = credited(&recorded, amount)?;
        log::append(tx, ctx, merchant, &event).await?;
        ledger::balance(tx, merchant, amount.currency()).await
    })?;
    tracing::info!(%merchant, "A balance was credited.");
    balance.ok_or_else(|| Failure::internal("a credited balance is not there"))
}

/// What the merchant is told of money that came in.
#[derive(Serialize)]
struct Credit {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    amount: String,
    currency: &'static str,
    created_at: Timestamp,
}

fn credited(recorded: &Recorded, amount: Amount) -> Result<NewEvent> {
    let id = recorded.id.to_string();
    let credit = Credit {
        id: id.clone(),
        kind: EntryKind::Deposit.as_str(),
        amount: amount.render(),
        currency: amount.currency().code(),
        created_at: recorded.at,
    };
    NewEvent::new(EventType::FundingCredit, id, &credit).map_err(Failure::internal)
}
