//! What moved a merchant's money, entry by entry, the newest first.
//!
//! A statement shows the merchant's own two accounts and none of the house's. Pages are found by the id
//! of an entry through an index, so that the last of ten million costs as much as the first.

mod store;

pub use store::STATEMENTS;

use super::{EntryId, EntryKind};
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    db::Tx,
    money::{Amount, Currency},
};

/// What one entry did to a merchant's money in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The entry.
    pub entry: EntryId,
    /// Why.
    pub kind: EntryKind,
    /// What caused it.
    pub cause: String,
    /// What became usable, or was usable before.
    pub available: Amount,
    /// What was set aside, or was set aside before.
    pub pending: Amount,
    /// Whether the same entry moved another currency of the merchant, too.
    pub has_twin: bool,
    /// Whether a later entry has undone this one.
    pub reversed: bool,
    /// When.
    pub at: Timestamp,
}

impl Movement {
    /// What came in or went out of everything that is the merchant's.
    pub fn total(&self) -> Result<Amount> {
        self.available.plus(self.pending).map_err(Failure::internal)
    }

    /// In what.
    pub fn currency(&self) -> Currency {
        self.available.currency()
    }
}

/// Where a page begins: after one movement of one entry, if there was a page before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The entry.
    pub entry: EntryId,
    /// Which of its movements, when it has several.
    pub currency: Option<Currency>,
}

impl Place {
    /// Whether a movement comes later on the statement. Within an entry the order is that of currencies.
    fn is_before(self, movement: &Movement) -> bool {
        let code = movement.currency().code();
        movement.entry < self.entry
            || (movement.entry == self.entry
                && self.currency.is_some_and(|last| last.code() < code))
    }
}

/// Some movements after a place, the newest first, in one currency or in all.
pub async fn movements(
    tx: &mut Tx,
    merchant: MerchantId,
    currency: Option<Currency>,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Movement>> {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found: Vec<Movement> = Vec::new();
    // The entry that the page before ended with is looked at again: it may have moved two currencies.
    let mut below = after.map_or_else(store::after_all, |place| store::up_to(place.entry));
    loop {
        let entries = store::entries(tx, merchant, currency, &below, limit).await?;
        let is_last = entries.len() < wanted;
        if let Some((entry, _)) = entries.last() {
            below = entry.to_string();
        }
        let movements = entries.into_iter().flat_map(|(_, movements)| movements);
        found.extend(movements.filter(|movement| {
            currency.is_none_or(|only| only == movement.currency())
                && after.is_none_or(|place| place.is_before(movement))
        }));
        if is_last || found.len() >= wanted {
            found.truncate(wanted);
            return Ok(found);
        }
    }
}

/// More than any payment, deposit or exchange causes.
const MOST_CAUSED: i64 = 100;

/// What one thing has done to a merchant's money, the first movement first.
pub async fn movements_of(tx: &mut Tx, merchant: MerchantId, cause: &str) -> Result<Vec<Movement>> {
    let entries = store::entries_of(tx, merchant, cause, MOST_CAUSED).await?;
    Ok(entries.into_iter().rev().flat_map(|(_, movements)| movements).collect())
}
