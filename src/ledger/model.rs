//! Entries that balance by their shape, and holds that end once.

use std::collections::BTreeMap;

use super::{AccountId, EntryId, HoldId};
use crate::{
    base::timestamp::Timestamp,
    money::{Amount, Currency, MoneyError},
    words,
};

words! {
    /// What an account is for. Each merchant has one of each kind per currency.
    AccountKind {
        /// What the merchant can use.
        Available = "available",
        /// What is set aside for payments under way.
        Pending = "pending",
        /// What the house has earned.
        Fees = "fees",
        /// The house's other side of an exchange.
        Liquidity = "liquidity",
        /// The world outside: its balance is what it has paid us less what we have paid it, negated.
        Clearing = "clearing",
    }
}

impl AccountKind {
    /// Whether it may fall below zero. A merchant's own money may not: it would be ours.
    pub const fn may_be_negative(self) -> bool {
        match self {
            Self::Available | Self::Pending => false,
            Self::Fees | Self::Liquidity | Self::Clearing => true,
        }
    }
}

words! {
    /// Why money moved, as merchants see it.
    EntryKind {
        /// Money came in.
        Deposit = "deposit",
        /// Money was set aside.
        Hold = "hold",
        /// Money set aside was given back.
        Release = "release",
        /// Money went out.
        Payout = "payout",
        /// Money that had gone out came back.
        Return = "return",
        /// A fee.
        Fee = "fee",
        /// One currency became another.
        Exchange = "fx_exchange",
        /// An earlier entry was undone.
        Reversal = "reversal",
    }
}

/// Money going from one account to another: always more than nothing, always one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    from: AccountKind,
    to: AccountKind,
    amount: Amount,
}

impl Transfer {
    /// `None` when the amount is not positive: direction is said by the accounts, never by a sign.
    pub fn new(from: AccountKind, to: AccountKind, amount: Amount) -> Option<Self> {
        (amount.is_positive() && from != to).then_some(Self { from, to, amount })
    }

    /// The way back.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { from: self.to, to: self.from, amount: self.amount }
    }
}

/// Something that happened, as transfers. Whatever is taken from one account is given to another, so
/// there is no entry that does not sum to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Why.
    pub kind: EntryKind,
    /// What caused it: the id of a payout, a deposit, an exchange.
    pub cause: String,
    /// Which entry this one undoes.
    pub reverses: Option<EntryId>,
    transfers: Vec<Transfer>,
}

impl Entry {
    /// An entry of these transfers.
    pub fn new(kind: EntryKind, cause: impl Into<String>, transfers: Vec<Transfer>) -> Self {
        Self { kind, cause: cause.into(), reverses: None, transfers }
    }

    /// What each account gains or loses, in the one order in which accounts are always touched: two
    /// entries of one merchant can then never wait for each other.
    pub fn postings(&self) -> Result<Vec<Posting>, MoneyError> {
        let mut net: BTreeMap<(&str, AccountKind), Amount> = BTreeMap::new();
        for Transfer { from, to, amount } in &self.transfers {
            let currency = amount.currency();
            for (account, change) in [(*from, amount.negated()?), (*to, *amount)] {
                let sum = net.entry((currency.code(), account)).or_insert(Amount::zero(currency));
                *sum = sum.plus(change)?;
            }
        }
        let moved = net.into_iter().filter(|(_, change)| !change.is_zero());
        Ok(moved.map(|((_, account), change)| Posting { account, change }).collect())
    }
}

/// One account's part in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Which account.
    pub account: AccountKind,
    /// What it gains, negative if it loses.
    pub change: Amount,
}

impl Posting {
    /// The balances that the account may have before, so that it has an allowed one after.
    pub(super) fn bounds(self) -> (i64, i64) {
        let change = self.change.minor();
        let floor = if self.account.may_be_negative() { i64::MIN } else { 0 };
        let lowest = if change < 0 { floor.saturating_sub(change) } else { i64::MIN };
        let highest = if change > 0 { i64::MAX.saturating_sub(change) } else { i64::MAX };
        (lowest, highest)
    }
}

/// An entry that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its id.
    pub id: EntryId,
    /// When.
    pub at: Timestamp,
}

/// A merchant's money in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The account of what is available.
    pub id: AccountId,
    /// What can be used.
    pub available: Amount,
    /// What is set aside.
    pub pending: Amount,
    /// When either changed last.
    pub updated_at: Timestamp,
}

impl Balance {
    /// Everything that is the merchant's.
    pub fn total(&self) -> Result<Amount, MoneyError> {
        self.available.plus(self.pending)
    }

    /// In what.
    pub fn currency(&self) -> Currency {
        self.available.currency()
    }
}

/// One line of a statement of account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The entry.
    pub entry: EntryId,
    /// Why.
    pub kind: EntryKind,
    /// What caused it.
    pub cause: String,
    /// What the account gained or lost.
    pub change: Amount,
    /// What it held afterwards.
    pub balance_after: Amount,
    /// When.
    pub at: Timestamp,
}

/// Money set aside for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// How much.
    pub amount: Amount,
    /// For what.
    pub cause: String,
    /// What became of it.
    pub state: HoldState,
}

/// What became of a hold: it ends once, in one of three ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldState {
    /// Still set aside.
    Held,
    /// Ended.
    Ended {
        /// How.
        how: HoldEnd,
        /// How much of it was used.
        used: Amount,
        /// When.
        at: Timestamp,
    },
}

words! {
    /// How a hold can end.
    HoldEnd {
        /// It was used, wholly or in part; the rest was given back.
        Posted = "posted",
        /// It was given back.
        Released = "released",
        /// Nobody used it in time.
        Expired = "expired",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds() -> impl Strategy<Value = AccountKind> {
        proptest::sample::select(AccountKind::ALL)
    }

    proptest! {
        #[test]
        fn every_entry_sums_to_zero_in_each_currency(
            moves in proptest::collection::vec((kinds(), kinds(), 1_i64..1_000_000, any::<bool>()), 0..12)
        ) {
            let transfers = moves.into_iter().filter_map(|(from, to, minor, dollars)| {
                let currency = if dollars { Currency::USD } else { Currency::EUR };
                Transfer::new(from, to, Amount::from_minor(minor, currency))
            });
            let postings = Entry::new(EntryKind::Payout, "x", transfers.collect()).postings().unwrap();
            for currency in [Currency::USD, Currency::EUR] {
                let of = postings.iter().filter(|posting| posting.change.currency() == currency);
                prop_assert_eq!(of.map(|posting| i128::from(posting.change.minor())).sum::<i128>(), 0);
            }
            let keys: Vec<_> =
                postings.iter().map(|p| (p.change.currency().code(), p.account)).collect();
            prop_assert!(keys.is_sorted(), "always in one order");
        }
    }

    #[test]
    fn direction_is_said_by_the_accounts() {
        let (from, to) = (AccountKind::Available, AccountKind::Pending);
        for minor in [0, -1, i64::MIN] {
            assert_eq!(Transfer::new(from, to, Amount::from_minor(minor, Currency::USD)), None);
        }
        assert_eq!(Transfer::new(from, from, Amount::from_minor(1, Currency::USD)), None);
    }

    #[test]
    fn bounds_keep_money_from_going_below_zero_and_sums_from_overflowing() {
        let bounds = |account, minor| {
            Posting { account, change: Amount::from_minor(minor, Currency::USD) }.bounds()
        };
        assert_eq!(bounds(AccountKind::Available, -5), (5, i64::MAX));
        assert_eq!(bounds(AccountKind::Pending, 5), (i64::MIN, i64::MAX - 5));
        assert_eq!(bounds(AccountKind::Clearing, -5), (i64::MIN + 5, i64::MAX));
        assert_eq!(bounds(AccountKind::Clearing, i64::MIN), (0, i64::MAX));
    }

    #[test]
    fn what_goes_back_and_forth_moves_nothing() {
        let there = Transfer::new(
            AccountKind::Available,
            AccountKind::Fees,
            Amount::from_minor(7, Currency::USD),
        );
        let there = there.unwrap();
        let entry = Entry::new(EntryKind::Fee, "x", vec![there, there.reversed()]);
        assert_eq!(entry.postings().unwrap(), []);
    }
}
