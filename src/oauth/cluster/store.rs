//! The statements of shared secrets.

use crate::{
    base::secret::Secret,
    db::{self, DbError, Statement, Tx},
};

const INSERT: &str =
    "INSERT INTO cluster_secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

const FIND: &str = "SELECT value FROM cluster_secrets WHERE name = $1";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[Statement::same(INSERT), Statement::same(FIND)];

pub(super) async fn insert_if_missing(
    tx: &mut Tx,
    name: &str,
    value: &[u8],
) -> Result<(), DbError> {
    db::exec!(tx, INSERT, name, value)?;
    Ok(())
}

pub(super) async fn find(tx: &mut Tx, name: &str) -> Result<Secret<[u8; 32]>, DbError> {
    let (value,) = db::one!(tx, (Vec<u8>,), FIND, name)?;
    let value = value
        .try_into()
        .map_err(|_| DbError::unreadable("shared secret", "it must have 32 bytes"))?;
    Ok(Secret::new(value))
}
