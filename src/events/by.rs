//! Who changes something of a merchant's.

use crate::{
    base::{failure::Result, ids::MerchantId},
    db::{Tx, Unwitnessed, Witness},
};

/// A merchant who changes something, by a program or before a witness.
#[derive(Clone, Copy)]
pub struct By<'a> {
    /// Whose things.
    pub merchant: MerchantId,
    witness: &'a dyn Witness<str>,
}

impl From<MerchantId> for By<'_> {
    /// Through the API, whose own records tell.
    fn from(merchant: MerchantId) -> Self {
        Self { merchant, witness: &Unwitnessed }
    }
}

impl<'a> By<'a> {
    /// Before somebody who writes it down.
    pub fn before(merchant: MerchantId, witness: &'a dyn Witness<str>) -> Self {
        Self { merchant, witness }
    }

    pub(super) async fn note(&self, tx: &mut Tx, subject: &str) -> Result<()> {
        self.witness.note(tx, subject).await
    }
}

impl std::fmt::Debug for By<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "By({})", self.merchant)
    }
}
