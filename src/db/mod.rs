//! The database: one enum of engines, two doors, statements written once.
//!
//! - `db::read!(db, |tx| …)` lends a connection for questions; `db::write!(db, merchant, |tx| …)`
//!   lends the merchant's lane for changes, and gives its value only after the commit is durable.
//!   There is no third way in.
//! - Both bodies do database work only and **may run twice**: reads after a lost connection, writes
//!   after a serialisation failure. Call nobody else from inside.
//! - Statements are `const`s in the subset that both engines speak, listed in their store's
//!   `STATEMENTS`; a test prepares every one of them on both.
//!
//! A store function takes `&mut Tx` and uses one of the four macros of [`ask`]:
//!
//! ```text
//! pub async fn find(tx: &mut Tx, id: MerchantId) -> Result<Option<Merchant>, DbError> {
//!     db::optional!(tx, MerchantRow, FIND, id)?.map(Merchant::try_from).transpose()
//! }
//! ```

mod ask;
mod bells;
mod dispatch;
mod doors;
mod error;
mod file_lock;
mod ground;
mod integrity;
mod lane;
mod migrations;
mod outliving;
mod pools;
mod statement;
mod witness;

use std::{path::PathBuf, sync::Arc, time::Duration};

pub use ask::{Asked, Row, Rows, all, ask, exec, one, optional};
pub use dispatch::{Connection, Tx};
pub use doors::{Reading, Writing, read, through, write, write_one};
pub use error::{DbError, expect_one};
pub use migrations::latest_version;
pub use statement::{Statement, row, rows, statement};
pub use witness::{Unwitnessed, Witness};

use crate::base::{
    failure::{Code, Failure, Result},
    ids::MerchantId,
};
use bells::Bell;
use lane::Lane;
use pools::Pools;

/// What a database connection needs to know; see the `[database]` section of the example file.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many write lanes there are on `PostgreSQL`; `SQLite` always has one.
    pub postgres_lanes: usize,
    /// How many connections read.
    pub readers: u32,
    /// How many writes may wait in one lane before callers are turned away.
    pub queue_depth: usize,
    /// How many writes share one commit at the most.
    pub max_batch: usize,
    /// How long a statement may take on `PostgreSQL`.
    pub statement_timeout: Duration,
    /// How long a caller waits for its turn, or for a connection.
    pub patience: Duration,
    /// A server that answered so short a time ago is taken to be there still.
    pub fresh: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            postgres_lanes: 4,
            readers: 4,
            queue_depth: 1_024,
            max_batch: 64,
            statement_timeout: Duration::from_secs(10),
            patience: Duration::from_secs(5),
            fresh: Duration::from_secs(1),
        }
    }
}

/// How many numbers there are for merchants' locks.
const LOCKS: usize = 1 << 48;

/// Which engine a database runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded file.
    Sqlite,
    /// The server.
    Postgres,
}

/// Whose writes a change belongs to; writes of one merchant keep their order.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// A merchant's own rows.
    Merchant(MerchantId),
    /// Rows of the house: jobs, keys, plans.
    House,
    /// Rows that a crash may take: kept off the lanes whose commits wait for the disk.
    Passing,
}

impl Owner {
    /// The number by which replicas tell each other whose rows they are changing. Where two merchants share
    /// one, they wait for each other, and no harm is done.
    fn lock(self) -> Option<i64> {
        match self {
            Self::Merchant(id) => Some(i64::try_from(id.spread(LOCKS)).unwrap_or(0)),
            Self::House | Self::Passing => None,
        }
    }
}

impl From<MerchantId> for Owner {
    fn from(id: MerchantId) -> Self {
        Self::Merchant(id)
    }
}

/// The open database.
#[derive(Clone)]
pub struct Db {
    pools: Pools,
    lanes: Arc<[Arc<Lane>]>,
    passing: Arc<Lane>,
    bell: Bell,
}

impl Db {
    /// Opens `sqlite://…` (made if missing) or `postgres://…`. Does not migrate.
    pub async fn connect(url: &str, options: &Options) -> Result<Self> {
        let lanes = if pools::is_sqlite(url) { 1 } else { options.postgres_lanes.max(1) };
        let pools = Pools::open(url, options, lanes + 1).await?;
        let bell = Bell::default();
        let lane = || Arc::new(Lane::new(pools.clone(), options, bell.clone()));
        let lanes: Arc<[_]> = (0..lanes).map(|_| lane()).collect();
        // SQLite has one writer, whoever asks.
        let only = lanes.first().filter(|_| pools.engine() == Engine::Sqlite);
        let passing = only.cloned().unwrap_or_else(lane);
        Ok(Self { pools, lanes, passing, bell })
    }

    /// The engine behind the doors, for what operators and tests must tell apart.
    pub fn engine(&self) -> Engine {
        self.pools.engine()
    }

    /// The file, where there is one: what must lie beside it can be found.
    pub fn file(&self) -> Option<PathBuf> {
        self.pools.file()
    }

    /// Brings the schema up to this program's version; refuses one that is newer.
    pub async fn migrate(&self) -> Result<()> {
        migrations::run(&self.pools).await
    }

    /// Refuses a database that this program does not fit, in either direction.
    pub async fn check_version(&self) -> Result<()> {
        migrations::check(&self.pools).await
    }

    /// Resolves when a commit on this replica has left work for the job runner.
    pub async fn work_queued(&self) {
        self.bell.work.notified().await;
    }

    /// Resolves when a commit on this replica has left events to deliver.
    pub async fn events_left(&self) {
        self.bell.events.notified().await;
    }

    /// Takes some of the merchants whose commits on this replica have left events.
    pub fn merchants_with_events(&self, most: usize) -> Vec<MerchantId> {
        self.bell.answer(most)
    }

    /// Puts merchants back whose events still wait.
    pub fn events_wait(&self, merchants: impl IntoIterator<Item = MerchantId>) {
        self.bell.ring_courier(merchants);
    }

    /// Whether a statement can be answered now; `/readyz` asks.
    pub async fn ping(&self) -> Result<()> {
        read!(self, |tx| Ok(tx.ping().await?))
    }

    /// What the engine itself finds wrong with its file; a server checks its own pages.
    pub async fn check_integrity(&self) -> Result<Vec<String>> {
        read!(self, |tx| Ok(integrity::faults(tx).await?))
    }

    /// Closes every connection after the work in hand.
    pub async fn close(&self) {
        for lane in self.lanes.iter() {
            lane.close().await;
        }
        self.passing.close().await;
        self.pools.close().await;
    }

    /// Behind [`write!`].
    #[doc(hidden)]
    pub fn writing(&self, owner: impl Into<Owner>) -> Result<Writing> {
        let owner = owner.into();
        Ok(Writing::new(self.lane(owner)?.clone(), owner.lock()))
    }

    /// Behind [`read!`].
    #[doc(hidden)]
    pub fn reading(&self) -> Reading {
        Reading::new(self.pools.clone())
    }

    fn lane(&self, owner: Owner) -> Result<&Arc<Lane>> {
        let spread = match owner {
            Owner::Passing => return Ok(&self.passing),
            Owner::House => 0,
            Owner::Merchant(id) => id.spread(self.lanes.len()),
        };
        self.lanes.get(spread).ok_or_else(|| Failure::new(Code::Unavailable))
    }
}

impl std::fmt::Debug for Db {
    /// Not the address: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::write!(f, "Db({:?})", self.engine())
    }
}
