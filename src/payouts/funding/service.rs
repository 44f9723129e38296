//! Booking a credit once, however often it is told.

use super::{Deposit, Incoming, store};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
    },
    ctx::Ctx,
    db::{self, Tx},
    events::log::{self, EventType, NewEvent},
    ledger::{self, AccountKind, Balance, Entry, EntryKind, Transfer},
    oauth::merchants,
    payouts::{
        DepositId,
        accounts::{Transaction, TransactionBody, TransactionStatus},
    },
};

/// What came of telling a credit.
#[derive(Clone, Debug)]
pub struct Received {
    /// As it was booked, now or earlier.
    pub deposit: Deposit,
    /// Whether it was booked earlier.
    pub repeated: bool,
    /// What the merchant has now.
    pub balance: Balance,
}

/// Books a credit: the entry, the deposit and the event, or nothing. Told again, it is the same one.
pub async fn receive(ctx: &Ctx, merchant: MerchantId, incoming: &Incoming) -> Result<Received> {
    let received = db::write!(ctx.db, merchant, |tx| {
        merchants::find(tx, merchant).await?;
        receive_in(tx, ctx, merchant, incoming).await
    })?;
    tracing::info!(%merchant, repeated = received.repeated, "A credit was received.");
    Ok(received)
}

/// The same in the caller's transaction.
pub async fn receive_in(
    tx: &mut Tx,
    ctx: &Ctx,
    merchant: MerchantId,
    incoming: &Incoming,
) -> Result<Received> {
    let Incoming { amount, reference, counterparty } = incoming.clone();
    let id = DepositId::make(&ctx.clock, &ctx.random);
    let deposit = Deposit { id, amount, reference, counterparty, at: ctx.now() };
    if !store::insert(tx, merchant, &deposit).await? {
        return told_before(tx, merchant, incoming).await;
    }
    let moved = Transfer::new(AccountKind::Clearing, AccountKind::Available, amount);
    let moved = moved.ok_or_else(|| Failure::internal("a deposit of nothing"))?;
    let entry = Entry::new(EntryKind::Deposit, id.to_string(), vec![moved]);
    let recorded = ledger::record(tx, ctx, merchant, &entry).await?;
    let balance = balance(tx, merchant, incoming).await?;
    let transaction = Transaction {
        id: recorded.id.to_string(),
        kind: EntryKind::Deposit.as_str(),
        status: TransactionStatus::Posted,
        amount,
        available: amount,
        account: Some(balance.id.to_string()),
        reference: Some(deposit.reference.clone()),
        counterparty: deposit.counterparty.clone(),
        at: recorded.at,
    };
    let (about, body) = (transaction.id.clone(), TransactionBody::from(transaction));
    let event = NewEvent::new(EventType::FundingCredit, about, &body).map_err(Failure::internal)?;
    log::append(tx, ctx, merchant, &event).await?;
    Ok(Received { deposit, repeated: false, balance })
}

/// The same reference must mean the same money: another amount is another credit, or a mistake.
async fn told_before(tx: &mut Tx, merchant: MerchantId, incoming: &Incoming) -> Result<Received> {
    let deposit = store::find_by_reference(tx, merchant, &incoming.reference).await?;
    let deposit = deposit.ok_or_else(|| Failure::new(Code::Unavailable))?;
    if deposit.amount != incoming.amount {
        let (amount, currency) = (deposit.amount.render(), deposit.amount.currency());
        return Err(Failure::because(
            Code::AlreadyExists,
            format!(
                "a credit of {amount} {currency} was booked under this reference; \
                 name another credit by another reference"
            ),
        ));
    }
    let balance = balance(tx, merchant, incoming).await?;
    Ok(Received { deposit, repeated: true, balance })
}

async fn balance(tx: &mut Tx, merchant: MerchantId, incoming: &Incoming) -> Result<Balance> {
    let balance = ledger::balance(tx, merchant, incoming.amount.currency()).await?;
    balance.ok_or_else(|| Failure::internal("a credited balance is not there"))
}
