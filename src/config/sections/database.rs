//! `database_url` and `[database]`.

use std::time::Duration;

use crate::base::secret::Secret;
use crate::config::reader::Reader;
use crate::config::values::{Parsed, duration, integer};
use crate::db::{Engine, Options};

/// The address of the database; it may hold a password, so it does not show itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    engine: Engine,
    url: Secret<String>,
}

/// What a sandbox starts with.
pub(in crate::config) const DEFAULT_DATABASE_URL: &str = "sqlite://data/counterfoil.db";

impl DatabaseUrl {
    /// The engine.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The whole address, for whoever opens the connection.
    pub fn expose(&self) -> &str {
        self.url.expose()
    }

    pub(in crate::config) fn read(reader: &mut Reader) -> Self {
        let keys = ("database_url", "database_url_file");
        let url = reader.secret_or(keys, DEFAULT_DATABASE_URL.to_owned(), database_url);
        let engine = engine_of(url.expose()).unwrap_or(Engine::Sqlite);
        Self { engine, url }
    }
}

fn engine_of(url: &str) -> Option<Engine> {
    let (scheme, rest) = url.split_once(':')?;
    match scheme {
        _ if rest.trim_start_matches('/').is_empty() => None,
        "sqlite" => Some(Engine::Sqlite),
        "postgres" | "postgresql" => Some(Engine::Postgres),
        _ => None,
    }
}

fn database_url(url: &str) -> Parsed<String> {
    let wanted = "sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE";
    engine_of(url).map(|_| url.to_owned()).ok_or_else(|| wanted.to_owned())
}

/// How the two doors of the database are built.
pub(in crate::config) fn read(reader: &mut Reader) -> Options {
    let usual = Options::default();
    let time = || duration(Duration::from_millis(10)..=Duration::from_mins(10));
    let lanes = integer(1..=256);
    Options {
        postgres_lanes: reader.or("database.postgres_lanes", usual.postgres_lanes, lanes),
        readers: reader.or("database.readers", usual.readers, integer(1..=1024)),
        queue_depth: reader.or("database.queue_depth", usual.queue_depth, integer(1..=1_000_000)),
        max_batch: reader.or("database.max_batch", usual.max_batch, integer(1..=4096)),
        statement_timeout: reader.or("database.statement_timeout", usual.statement_timeout, time()),
        patience: reader.or("database.patience", usual.patience, time()),
        fresh: usual.fresh,
    }
}
