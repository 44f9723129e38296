//! What a verb is given: the configuration and the world.

use crate::app;
use crate::base::clock::Clock;
use crate::base::failure::Result;
use crate::base::random::Random;
use crate::config::Config;
use crate::ctx::Ctx;
use crate::db::Db;

/// The configuration, the time and the dice, before anything is opened.
#[derive(Debug)]
pub struct Setup {
    /// Everything that can be set.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// The dice.
    pub random: Random,
}

impl Setup {
    /// Opens the database for a verb that works in it.
    pub async fn open(&self) -> Result<Ctx> {
        let db = app::open_database(&self.config).await?;
        Ok(Ctx { db, clock: self.clock.clone(), random: self.random.clone() })
    }

    /// Opens the database as it is.
    pub async fn connect(&self) -> Result<Db> {
        Db::connect(self.config.database_url.expose(), &self.config.database).await
    }
}
