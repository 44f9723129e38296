//! Who else serves from this database.
//!
//! A replica that remembers proofs in its own memory must be alone: a proof spent there could be
//! spent again at the next one. So each replica shows signs of life, and one that finds another
//! while either of them remembers in memory refuses to serve.
//!
//! With SQLite the replicas are on one machine and the system can tell: whoever remembers in memory
//! holds a lock on a file beside the database alone, everybody else shares it. It goes with the
//! process, however that ends.

mod store;

use std::{
    fs::{File, TryLockError},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

pub use store::STATEMENTS;

use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::ReplicaId,
        private_file,
        tasks::Tasks,
    },
    ctx::Ctx,
    db::{self, Owner},
};

/// How often a sign of life is given.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// After this long without one, a replica is taken for dead.
const SILENCE: Duration = Duration::from_secs(20);

/// This process, among those that serve from one database.
#[derive(Clone, Debug)]
pub struct Replica {
    ctx: Ctx,
    id: ReplicaId,
    replay_store: Arc<str>,
    lock: Option<Arc<File>>,
}

impl Replica {
    /// Takes a place among the replicas, or says why it cannot.
    pub async fn join(ctx: &Ctx, replay_store: &str) -> Result<Self> {
        let id = ReplicaId::make(&ctx.clock, &ctx.random);
        let lock = match ctx.db.file() {
            Some(database) => Some(Arc::new(lock(database, replay_store == "memory")?)),
            None => None,
        };
        let replica = Self { ctx: ctx.clone(), id, replay_store: replay_store.into(), lock };
        replica.beat().await?;
        Ok(replica)
    }

    /// Gives a sign of life, and looks around: a replica that must be alone may no longer be.
    pub async fn beat(&self) -> Result<()> {
        if self.lock.is_some() {
            return Ok(());
        }
        let now = self.ctx.now();
        let silent_since = now.minus(SILENCE);
        db::write!(self.ctx.db, Owner::House, |tx| {
            store::forget(tx, silent_since).await?;
            store::beat(tx, self.id, &self.replay_store, now).await?;
            let others = store::others(tx, self.id).await?;
            // Refused inside the transaction: a newcomer that may not serve leaves no trace that
            // would stop the one that was there first.
            if self.bears(&others) { Ok(()) } else { Err(not_alone()) }
        })
    }

    /// Whether these others may serve beside it.
    fn bears(&self, others: &[String]) -> bool {
        let in_memory = |store: &str| store == "memory";
        others.is_empty()
            || !(in_memory(&self.replay_store) || others.iter().any(|store| in_memory(store)))
    }

    /// Leaves the place free, so that a restart need not wait for the silence to be noticed.
    pub async fn leave(&self) -> Result<()> {
        if let Some(lock) = &self.lock {
            return lock.unlock().map_err(Failure::internal);
        }
        db::write!(self.ctx.db, Owner::House, |tx| Ok(store::leave(tx, self.id).await?))
    }

    /// Gives signs of life; when this replica may not go on, it ends.
    pub async fn keep_up(self, tasks: Tasks) {
        while !tasks.is_stopping() {
            let pause = tokio::time::timeout(HEARTBEAT, tasks.stopping());
            if pause.await.is_ok() {
                return;
            }
            match self.beat().await {
                Ok(()) => {}
                Err(failure) if failure.code() == Code::NotConfigured => {
                    tracing::error!(cause = failure.cause_chain(), "This replica must not go on.");
                    tasks.stop();
                }
                Err(failure) => {
                    tracing::warn!(cause = failure.cause_chain(), "A sign of life was not given.");
                }
            }
        }
    }
}

fn not_alone() -> Failure {
    Failure::new(Code::NotConfigured).caused_by(
        "another replica serves from this database while proofs are remembered in memory: a proof \
         spent at one could be spent again at the other; set redis_url, or oauth.replay_store to \
         \"postgres\", on every replica, or stop the other one",
    )
}

/// The lock beside the database file.
fn lock(mut database: PathBuf, alone: bool) -> Result<File> {
    database.as_mut_os_string().push(".lock");
    let file = private_file::options().create(true).append(true).open(&database);
    let file = file.map_err(Failure::internal)?;
    let locked = if alone { file.try_lock() } else { file.try_lock_shared() };
    match locked {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(not_alone()),
        Err(TryLockError::Error(error)) => Err(Failure::internal(error)),
    }
}
