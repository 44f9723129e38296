//! The statements of data keys.

use crate::{
    base::timestamp::Timestamp,
    db::{self, DbError, Statement, Tx},
};

/// The key of fingerprints has one name, so that there is one of it whoever starts first.
const INSERT: &str = "INSERT INTO data_keys (id, purpose, sealed, sealed_by, created_at_us)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING";

const ALL: &str = "SELECT id, purpose, sealed, sealed_by, created_at_us FROM data_keys
    ORDER BY created_at_us, id LIMIT 10000";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[Statement::same(INSERT), Statement::same(ALL)];

db::row! {
    /// A data key as it rests.
    pub(super) struct SealedKey {
        pub(super) id: String,
        pub(super) purpose: String,
        pub(super) sealed: Vec<u8>,
        pub(super) sealed_by: String,
        pub(super) created_at_us: Timestamp,
    }
}

pub(super) async fn insert(tx: &mut Tx, key: &SealedKey) -> Result<(), DbError> {
    let SealedKey { id, purpose, sealed, sealed_by, created_at_us } = key;
    db::exec!(tx, INSERT, id, purpose, sealed.as_slice(), sealed_by, created_at_us)?;
    Ok(())
}

/// The oldest first.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<SealedKey>, DbError> {
    db::all!(tx, SealedKey, ALL)
}
