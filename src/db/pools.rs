//! Connections: how each engine is opened, and what it promises.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    Connection as _, PgConnection, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    DbError, Engine, Options, Tx, dispatch::Connection, error::unavailable, file_lock::FileLock,
};
use crate::base::{
    failure::{Failure, Result},
    private_file,
};

/// How many pages SQLite's journal holds before the commit that meets it copies them into the file. With the
/// usual thousand, commits under load stand still four times as often, for pages that are copied again soon.
/// More than these would need a second table to be found in the journal.
const CHECKPOINT_PAGES: &str = "4000";

/// Two pools of one engine: readers, and the connections that the lanes keep.
#[derive(Clone)]
pub(super) enum Pools {
    Sqlite { read: SqlitePool, write: SqlitePool },
    Postgres { read: PgPool, write: PgPool },
}

pub(super) fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

impl Pools {
    pub(super) async fn open(url: &str, options: &Options, lanes: usize) -> Result<Self> {
        if is_sqlite(url) {
            Self::open_sqlite(url, options).await
        } else {
            Self::open_postgres(url, options, lanes).await
        }
    }

    async fn open_sqlite(url: &str, options: &Options) -> Result<Self> {
        let file = SqliteConnectOptions::from_str(url)
            .map_err(DbError::from)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Many guides say NORMAL: under NORMAL a power cut may lose acknowledged commits.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(options.patience)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .statement_cache_capacity(512);
        make_file(file.get_filename())?;
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(options.patience)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        // One for the lane, which keeps it, and one for migrations.
        let write = pool().max_connections(2).connect_lazy_with(file.clone());
        // The writer comes first: it makes the file and its journal, which readers need.
        let lock = FileLock::take(file.get_filename()).await?;
        write.acquire().await.map_err(DbError::from)?;
        drop(lock);
        let read = pool()
            .max_connections(options.readers)
            .connect_lazy_with(file.pragma("query_only", "1").create_if_missing(false));
        Ok(Self::Sqlite { read, write })
    }

    async fn open_postgres(url: &str, options: &Options, lanes: usize) -> Result<Self> {
        let millis = |time: Duration| time.as_millis().to_string();
        let server = PgConnectOptions::from_str(url)
            .map_err(DbError::from)?
            .application_name("counterfoil")
            .statement_cache_capacity(512)
            .options([
                ("statement_timeout", millis(options.statement_timeout)),
                ("lock_timeout", millis(options.patience)),
                ("idle_in_transaction_session_timeout", millis(options.statement_timeout * 3)),
                // A server that was tuned for speed must not acknowledge money from memory.
                ("synchronous_commit", "on".to_owned()),
            ]);
        reach(&server, options.patience).await?;
        let pool = |size| {
            PgPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(options.patience)
                .test_before_acquire(false)
        };
        let read = pool(options.readers).connect_lazy_with(server.clone());
        let write = pool(u32::try_from(lanes).unwrap_or(u32::MAX))
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(server);
        Ok(Self::Postgres { read, write })
    }

    pub(super) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite { .. } => Engine::Sqlite,
            Self::Postgres { .. } => Engine::Postgres,
        }
    }

    pub(super) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite { write, .. } => {
                Some(write.connect_options().get_filename().to_path_buf())
            }
            Self::Postgres { .. } => None,
        }
    }

    /// Whoever finds a connection at rest has it. Waiting for one, and making one, is in a box: a future of four
    /// kilobytes would otherwise be a part of every request that might ever read.
    pub(super) async fn reader(&self) -> Result<Tx> {
        let resting = match self {
            Self::Sqlite { read, .. } => read.try_acquire().map(Connection::Sqlite),
            Self::Postgres { read, .. } => read.try_acquire().map(Connection::Postgres),
        };
        match resting {
            Some(connection) => Ok(Tx::new(connection)),
            None => Box::pin(self.next_reader()).await,
        }
    }

    async fn next_reader(&self) -> Result<Tx> {
        let connection = match self {
            Self::Sqlite { read, .. } => read.acquire().await.map(Connection::Sqlite),
            Self::Postgres { read, .. } => read.acquire().await.map(Connection::Postgres),
        };
        connection.map(Tx::new).map_err(no_connection)
    }

    pub(super) async fn writer(&self) -> Result<Tx> {
        let connection = match self {
            Self::Sqlite { write, .. } => write.acquire().await.map(Connection::Sqlite),
            Self::Postgres { write, .. } => write.acquire().await.map(Connection::Postgres),
        };
        connection.map(Tx::new).map_err(no_connection)
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres { read, write } => {
                read.close().await;
                write.close().await;
            }
        }
    }
}

/// Whatever kept us from a connection, the caller may simply try again.
fn no_connection(error: sqlx::Error) -> Failure {
    unavailable().caused_by(DbError::Busy(error))
}

/// Says at the start what is wrong with the server; a pool would only say that it waited in vain.
async fn reach(server: &PgConnectOptions, patience: Duration) -> Result<()> {
    let place = format!("{}:{}", server.get_host(), server.get_port());
    let unreachable = |why: String| {
        unavailable().caused_by(format!("the PostgreSQL server at {place} cannot be used: {why}"))
    };
    match tokio::time::timeout(patience, PgConnection::connect_with(server)).await {
        Ok(Ok(connection)) => {
            // It has said what it was asked for; how it ends does not matter.
            drop(connection.close().await);
            Ok(())
        }
        Ok(Err(error)) => Err(unreachable(error.to_string())),
        Err(_) => Err(unreachable(format!("no answer within {patience:?}"))),
    }
}

/// Makes folder and file for their owner only, if they are missing; SQLite gives its `-wal` and `-shm`
/// the mode of the file. Nothing is changed that exists.
fn make_file(file: &Path) -> Result<()> {
    // The name of a database in memory, which has no file.
    if file.to_string_lossy().starts_with("file:") {
        return Ok(());
    }
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        private_file::make_folder(folder).map_err(Failure::internal)?;
    }
    // Whatever keeps the file from being made, SQLite says it better.
    drop(private_file::options().create_new(true).write(true).open(file));
    Ok(())
}
