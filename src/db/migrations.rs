//! The schema, in two dialects with one numbering.

use std::borrow::Cow;

use sqlx::{
    SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::{DbError, Engine, file_lock::FileLock, pools::Pools};
use crate::base::failure::{Code, Failure, Result};

struct Step {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! steps {
    ($($version:literal $name:literal,)+) => {
        &[$(Step {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        },)+]
    };
}

/// Every migration, oldest first. A released one never changes; a new one is added.
const STEPS: &[Step] = steps![
    1 "0001_ground",
    2 "0002_oauth",
    3 "0003_pricing",
    4 "0004_ledger",
    5 "0005_exchanges",
    6 "0006_vault_events",
    7 "0007_people",
    8 "0008_payouts",
    9 "0009_key_uses",
    10 "0010_webhooks",
    11 "0011_funding",
    12 "0012_payout_desk",
    13 "0013_portal",
    14 "0014_portal_money",
    15 "0015_requests",
    16 "0016_payout_days",
    17 "0017_passkeys",
    18 "0018_dead_letters",
    19 "0019_deliveries",
    20 "0020_request_log",
];

/// The schema version that this program was written for.
pub fn latest_version() -> i64 {
    STEPS.last().map_or(0, |step| step.version)
}

fn migrator(engine: Engine) -> Migrator {
    let migration = |step: &Step| {
        let sql = match engine {
            Engine::Sqlite => step.sqlite,
            Engine::Postgres => step.postgres,
        };
        let name = Cow::Borrowed(step.name);
        Migration::new(step.version, name, MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(STEPS.iter().map(migration).collect())
}

pub(super) async fn run(pools: &Pools) -> Result<()> {
    let migrator = migrator(pools.engine());
    let outcome = match pools {
        Pools::Sqlite { write, .. } => {
            // sqlx locks nothing on SQLite, so two processes could both find a step missing.
            let _lock = FileLock::take(write.connect_options().get_filename()).await?;
            migrator.run(write).await
        }
        Pools::Postgres { read, .. } => migrator.run(read).await,
    };
    outcome.map_err(explain)
}

pub(super) async fn check(pools: &Pools) -> Result<()> {
    const SQLITE: &str =
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')";
    const POSTGRES: &str = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    const APPLIED: &str = "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations";
    let migrated: Result<(bool,), sqlx::Error> = match pools {
        Pools::Sqlite { read, .. } => sqlx::query_as(SQLITE).fetch_one(read).await,
        Pools::Postgres { read, .. } => sqlx::query_as(POSTGRES).fetch_one(read).await,
    };
    if !migrated.map_err(DbError::from)?.0 {
        return Err(too_old(0));
    }
    let applied: Result<(i64,), sqlx::Error> = match pools {
        Pools::Sqlite { read, .. } => sqlx::query_as(APPLIED).fetch_one(read).await,
        Pools::Postgres { read, .. } => sqlx::query_as(APPLIED).fetch_one(read).await,
    };
    let (applied,) = applied.map_err(DbError::from)?;
    match applied.cmp(&latest_version()) {
        std::cmp::Ordering::Greater => Err(too_new(applied)),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(too_old(applied)),
    }
}

fn explain(error: MigrateError) -> Failure {
    match error {
        MigrateError::VersionMissing(version) => too_new(version),
        MigrateError::VersionMismatch(version) => refuse(format!(
            "migration {version} was applied with other content than this program carries; \
             start the program that made this database, or restore a backup"
        )),
        MigrateError::Execute(error) => DbError::from(error).into(),
        error => Failure::internal(error),
    }
}

fn too_old(version: i64) -> Failure {
    refuse(format!(
        "the database is at schema {version} and this program needs {}; run `counterfoil migrate`",
        latest_version()
    ))
}

fn too_new(version: i64) -> Failure {
    refuse(format!(
        "the database is at schema {version}, newer than this program, which knows {}; \
         start a newer counterfoil",
        latest_version()
    ))
}

fn refuse(sentence: String) -> Failure {
    Failure::new(Code::NotConfigured).caused_by(sentence)
}
