//! Reading the ledger for merchants.

use super::{Coordinates, Transaction, TransactionId, TransactionStatus, play};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        pagination::{Page, PageRequest},
    },
    db::{self, Tx},
    ledger::{
        self, Balance, EntryId,
        statement::{self, Movement, Place},
    },
    money::Currency,
    oauth::merchants,
    payouts::{DepositId, Payouts, funding},
};

/// The name of a transaction of the ledger.
pub(super) type Id = TransactionId<EntryId>;

/// A merchant's transactions in one currency or in all, the newest first.
pub async fn transactions(
    room: &Payouts,
    merchant: MerchantId,
    currency: Option<Currency>,
    page: &PageRequest,
) -> Result<Page<Transaction>> {
    let after = page.after.as_deref().and_then(|id| id.parse::<Id>().ok());
    let after = after.map(|Id { entry, currency }| Place { entry, currency });
    let found = db::read!(room.ctx.db, |tx| {
        let accounts = ledger::balances(tx, merchant).await?;
        let limit = page.fetch();
        let moved = statement::movements(tx, merchant, currency, after, limit).await?;
        let mut shown = Vec::with_capacity(moved.len());
        for movement in moved {
            shown.push(show(tx, merchant, &accounts, movement).await?);
        }
        Ok(shown)
    })?;
    Ok(Page::cut(found, page, |transaction| transaction.id.clone()))
}

async fn show(
    tx: &mut Tx,
    merchant: MerchantId,
    accounts: &[Balance],
    movement: Movement,
) -> Result<Transaction> {
    let (amount, currency) = (movement.total()?, movement.currency());
    let account = accounts.iter().find(|account| account.currency() == currency);
    let deposit = match movement.cause.parse::<DepositId>() {
        Ok(id) => funding::find(tx, merchant, id).await?,
        Err(_) => None,
    };
    let (reference, counterparty) = match deposit {
        Some(deposit) => (deposit.reference, deposit.counterparty),
        // A payee's name is not for everybody who may read balances; the payout's id leads to it.
        None => (movement.cause, None),
    };
    let id = Id { entry: movement.entry, currency: movement.has_twin.then_some(currency) };
    Ok(Transaction {
        id: id.to_string(),
        kind: movement.kind.as_str(),
        status: if movement.reversed {
            TransactionStatus::Reversed
        } else {
            TransactionStatus::Posted
        },
        amount,
        available: movement.available,
        account: account.map(|account| account.id.to_string()),
        reference: Some(reference),
        counterparty,
        at: movement.at,
    })
}

/// Where money in a currency is paid in.
pub async fn details(
    room: &Payouts,
    merchant: MerchantId,
    currency: Currency,
) -> Result<Coordinates> {
    let configured = room.policy.deposit_accounts.iter();
    if let Some(account) = configured.into_iter().find(|account| account.currency == currency) {
        return Ok(account.clone());
    }
    let found = if room.policy.sandbox {
        let owner = db::read!(room.ctx.db, |tx| merchants::find(tx, merchant).await)?;
        play::coordinates(merchant, currency, &owner.name)
    } else {
        None
    };
    found.ok_or_else(|| {
        let why = format!("no {currency} can be paid in here; ask the operator for another way");
        Failure::because(Code::NotFound, why)
    })
}
