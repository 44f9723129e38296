//! Takes events from the log to endpoints.
//!
//! The log is the queue. Each endpoint remembers the number up to which events have their deliveries; a
//! replica takes an endpoint for a while (a lease, which it renews as long as it lives), reads what is ahead,
//! attempts it outside any transaction, and writes down what came of it. A number is passed only in the
//! transaction that writes its delivery, so nothing is missed; an outcome that was not written is attempted
//! again, so receivers see doubles rather than gaps.
//!
//! Nobody waits for a dead receiver: whoever has been silent for a moment leaves its place to another
//! and takes a seat. An endpoint that has just failed is served apart from the healthy ones, one attempt
//! at a time, and after ten failures in a row it is left alone for growing pauses. When there are no seats left,
//! the silent are served like those that have failed.
//!
//! A commit that leaves events names their merchant to the courier of its replica, which looks at that
//! merchant's endpoints alone. Everything else (retries, and what other replicas have written) is found
//! by looking at all of them every `jobs.poll_interval`.

mod ahead;
mod attempt;
mod book;
mod health;
mod outcome;
mod places;
mod store;
mod visit;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::{
    sync::Notify,
    time::{sleep, sleep_until},
};

use places::{Place, Places};
pub use store::STATEMENTS;
use store::{Failures, Leased};
use visit::Visit;

use super::Events;
use crate::{
    base::{
        failure::Result,
        ids::{JobId, MerchantId},
        tasks::Tasks,
    },
    db::{self, Owner},
};

/// How many endpoints one trip to the database takes, and among how many merchants it looks.
const BATCH: usize = 64;
const CALLED: usize = 256;
/// The pause between two looks is at least so long, and so many times as long as the look itself:
/// the more there is to do, the more one look finds.
const BREATH: Duration = Duration::from_millis(5);
const REST: u32 = 2;
/// Of the places for endpoints, one in so many is for those that have just failed.
const SUSPECTS: usize = 4;
/// How many visits may wait for a receiver that is silent, for each place. One that waits costs a
/// connection and little else.
const SEATS: usize = 32;
/// Those that have just failed have fewer: their places are looked after in turn.
const SUSPECT_SEATS: usize = 8;
/// Those that have just failed are looked at no more often than this, and so many are taken: they are in no
/// hurry, and thousands of them would take time that the healthy could have.
const SUSPECTS_WAIT: Duration = Duration::from_millis(500);
const SUSPECTS_AT_A_LOOK: usize = 16;

const HEALTHY: Failures = (0, 0);
const SUSPECT: Failures = (1, i64::MAX);

/// Delivers on this replica.
#[derive(Clone, Debug)]
pub struct Courier {
    room: Events,
    /// Places of each kind, so that the failing never take those of the healthy.
    healthy: Places,
    suspects: Places,
    freed: Arc<Notify>,
}

/// When to look at whom.
#[derive(Clone, Copy, Debug)]
struct Looks {
    at_all: Instant,
    at_suspects: Instant,
}

/// Whom one look is for.
#[derive(Clone, Copy, Debug)]
struct Whom {
    all: bool,
    suspects: bool,
}

/// What a look found.
struct Taken {
    taken: Vec<(Leased, Place)>,
    /// There was no more.
    all_found: bool,
}

const EVERYBODY: Whom = Whom { all: true, suspects: true };

impl Courier {
    /// A courier; one for each replica.
    pub fn new(room: Events) -> Self {
        let all = room.endpoints_at_once.max(2);
        let suspects = (all / SUSPECTS).max(1);
        let freed = Arc::<Notify>::default();
        let places = |count: usize, seats: usize| Places::new(count, seats, freed.clone());
        let connections = places::connections();
        let healthy = all.saturating_sub(suspects);
        let suspect_seats = suspects.saturating_mul(SUSPECT_SEATS).min(connections / 2);
        let seats = healthy.saturating_mul(SEATS).min(connections.saturating_sub(suspect_seats));
        let (healthy, suspects) = (places(healthy, seats), places(suspects, suspect_seats));
        Self { room, healthy, suspects, freed }
    }

    /// Delivers until shutdown.
    pub async fn run(self, tasks: Tasks, poll: Duration) {
        let begun = Instant::now();
        let mut looks = Looks { at_all: begun, at_suspects: begun };
        while !tasks.is_stopping() {
            let looked = Instant::now();
            let whom = Whom { all: looks.at_all <= looked, suspects: looks.at_suspects <= looked };
            let Taken { taken, all_found } = match self.take(whom).await {
                Ok(taken) => taken,
                Err(failure) => {
                    let cause = failure.cause_chain();
                    tracing::warn!(cause, "Endpoints could not be taken; trying again.");
                    Taken { taken: Vec::new(), all_found: true }
                }
            };
            if whom.all && all_found {
                looks.at_all = looked + poll;
            }
            if whom.suspects {
                looks.at_suspects = looked + SUSPECTS_WAIT.min(poll);
            }
            let cost = looked.elapsed();
            let idle = taken.is_empty();
            for (leased, place) in taken {
                let (courier, stopping) = (self.clone(), tasks.clone());
                tasks.spawn(async move { courier.visit(leased, place, &stopping).await });
            }
            if idle {
                let next = looks.at_all.min(looks.at_suspects);
                tokio::select! {
                    () = self.room.ctx.db.events_left() => {}
                    () = self.freed.notified() => {}
                    () = sleep_until(next.into()) => {}
                    () = tasks.stopping() => {}
                }
            }
            sleep(cost.saturating_mul(REST).clamp(BREATH, poll.max(BREATH))).await;
        }
    }

    /// Delivers everything that is due by the clock, until nothing is; for tests. Gives how many
    /// visits it took.
    pub async fn run_due(&self) -> Result<usize> {
        let tasks = Tasks::default();
        let mut visits = 0;
        loop {
            let Taken { taken, .. } = self.take(EVERYBODY).await?;
            if taken.is_empty() {
                return Ok(visits);
            }
            visits += taken.len();
            let visit = |(leased, place)| self.visit(leased, place, &tasks);
            join_all(taken.into_iter().map(visit)).await;
        }
    }

    /// Takes as many endpoints as there are places.
    async fn take(&self, whom: Whom) -> Result<Taken> {
        let free = self.healthy.hold(BATCH);
        let most = free.len();
        let Taken { mut taken, all_found } = match (whom.all, most) {
            (_, 0) => Taken { taken: Vec::new(), all_found: false },
            (true, _) => self.claim(HEALTHY, None, free).await?,
            (false, _) => self.answer(free).await?,
        };
        let free = if whom.suspects { self.suspects.hold(SUSPECTS_AT_A_LOOK) } else { Vec::new() };
        if !free.is_empty() {
            taken.extend(self.claim(SUSPECT, None, free).await?.taken);
        }
        Ok(Taken { taken, all_found })
    }

    /// Takes endpoints of merchants whose events wait.
    async fn answer(&self, free: Vec<Place>) -> Result<Taken> {
        let db = &self.room.ctx.db;
        let called = db.merchants_with_events(CALLED);
        if called.is_empty() {
            return Ok(Taken { taken: Vec::new(), all_found: true });
        }
        let found = self.claim(HEALTHY, Some(&called), free).await;
        if !found.as_ref().is_ok_and(|found| found.all_found) {
            db.events_wait(called);
        }
        found
    }

    async fn claim(
        &self,
        failures: Failures,
        among: Option<&[MerchantId]>,
        free: Vec<Place>,
    ) -> Result<Taken> {
        let ctx = &self.room.ctx;
        let (now, most) = (ctx.now(), i64::try_from(free.len()).unwrap_or(i64::MAX));
        let ready =
            db::read!(ctx.db, |tx| Ok(store::ready(tx, now, failures, among, most).await?))?;
        // Others may take some of them first; that does not mean that there are no more.
        let all_found = ready.len() < free.len();
        if ready.is_empty() {
            return Ok(Taken { taken: Vec::new(), all_found });
        }
        let lease = JobId::make(&ctx.clock, &ctx.random).to_string();
        let until = now.plus(self.room.lease);
        let leased = db::write!(ctx.db, Owner::House, |tx| {
            Ok(store::claim(tx, (now, until), &ready, &lease).await?)
        })?;
        let taken = leased.into_iter().zip(free.into_iter().map(Place::taken)).collect();
        Ok(Taken { taken, all_found })
    }

    /// One visit. An endpoint whose visit broke off stays leased, so that it is not tried again and
    /// again at once.
    async fn visit(&self, leased: Leased, place: Place, tasks: &Tasks) {
        let (endpoint, merchant) = (leased.id, leased.merchant);
        match Visit::new(&self.room, leased, place, tasks).run().await {
            Ok(false) => {}
            Ok(true) => self.room.ctx.db.events_wait([merchant]),
            Err(failure) => {
                let cause = failure.cause_chain();
                tracing::warn!(%endpoint, cause, "Deliveries broke off; trying again soon.");
            }
        }
    }
}
