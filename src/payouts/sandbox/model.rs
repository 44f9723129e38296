//! How much of a sandbox starts over.

use crate::words;

words! {
    /// The published four.
    ResetScope {
        /// Balances and what moved them; payouts, beneficiaries and all else stay.
        Balances = "balances",
        /// Payouts, beneficiaries and instruments too; balances are filled anew.
        All = "all",
        /// The same, and nothing is filled.
        DeleteAll = "delete-all",
        /// The same, and everything is filled: balances, beneficiaries, payouts.
        FullReset = "full-reset",
    }
}

impl ResetScope {
    /// Whether only the books start over.
    pub const fn keeps_resources(self) -> bool {
        matches!(self, Self::Balances)
    }

    /// Whether balances are filled anew.
    pub const fn fills_balances(self) -> bool {
        !matches!(self, Self::DeleteAll)
    }

    /// The published word for what was done.
    pub const fn status(self) -> &'static str {
        match self {
            Self::DeleteAll => "deleted",
            Self::Balances | Self::All | Self::FullReset => "reset",
        }
    }
}
