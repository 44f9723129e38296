//! Holds other processes off a SQLite file.
//!
//! SQLite gives up at once, however patient it was told to be, when two processes turn an empty file
//! to write-ahead logging at the same time.

use std::{fs::File, path::Path};

use crate::base::{
    failure::{Failure, Result},
    private_file,
};

/// Held while a file is made or its schema changes.
pub(super) struct FileLock(File);

impl FileLock {
    /// Waits until no other process has it.
    pub(super) async fn take(database: &Path) -> Result<Self> {
        let path = database.with_extension("migrating");
        let lock = move || {
            let file = private_file::options().create(true).append(true).open(path)?;
            file.lock().map(|()| file)
        };
        let file = tokio::task::spawn_blocking(lock).await.map_err(Failure::internal)?;
        file.map(Self).map_err(Failure::internal)
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // The system releases the lock with the file; asking first only makes it sooner.
        drop(self.0.unlock());
    }
}
