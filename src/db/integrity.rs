//! What the engine finds wrong with its own pages.

use super::{DbError, Engine, Tx, all};

/// A sentence for each fault; none when all is well. `PostgreSQL` has no such statement: it checks
/// its pages as it reads them, if the cluster was made with checksums.
pub(super) async fn faults(tx: &mut Tx) -> Result<Vec<String>, DbError> {
    if tx.engine() == Engine::Postgres {
        return Ok(Vec::new());
    }
    let pages = all!(tx, (String,), "PRAGMA integrity_check")?;
    let mut faults: Vec<String> =
        pages.into_iter().map(|(line,)| line).filter(|line| line != "ok").collect();
    let strays =
        all!(tx, (String, Option<i64>), "SELECT \"table\", rowid FROM pragma_foreign_key_check")?;
    faults.extend(strays.into_iter().map(|(table, row)| {
        let row = row.map(|row| format!(" row {row}")).unwrap_or_default();
        format!("table {table}{row} refers to a row that is not there")
    }));
    Ok(faults)
}
