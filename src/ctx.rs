//! What every use case is given.

use crate::{
    base::{clock::Clock, random::Random, timestamp::Timestamp},
    db::Db,
};

/// The world as a service sees it: the database, the time and the dice.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Behind its two doors.
    pub db: Db,
    /// The only time there is.
    pub clock: Clock,
    /// The only randomness there is.
    pub random: Random,
}

impl Ctx {
    /// Now, by the injected clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
