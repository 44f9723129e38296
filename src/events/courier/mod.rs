//! Takes events from the log to endpoints.
//!
//! The log is the queue. Each endpoint remembers the number up to which its deliveries are planned; a
//! replica takes an endpoint for a while (a lease, which it renews as long as it lives), plans what is ahead, attempts what is due outside
//! any transaction, and records what came of it. A number is passed only in the transaction that
//! writes its delivery, so nothing is missed; an outcome that was not recorded is attempted again, so
//! receivers see doubles rather than gaps.
//!
//! Nobody waits for a dead receiver: whoever has been silent for a moment leaves its place to another
//! and waits aside. An endpoint that has just failed is served apart from the healthy ones, one attempt
//! at a time, and after ten failures in a row it is left alone for growing pauses. A commit that leaves events wakes the courier of its replica; the others look every
//! `jobs.poll_interval`.

mod health;
mod places;
mod planning;
mod store;
mod visit;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use places::{Place, Places};
pub use store::STATEMENTS;
use store::{Failures, Leased};
use visit::Visit;

use super::Events;
use crate::{
    base::{failure::Result, ids::JobId, tasks::Tasks},
    db::{self, Owner},
};

/// How many endpoints one trip to the database takes.
const BATCH: usize = 64;
/// The pause between two looks is at least so long, and so many times as long as the look itself:
/// the more endpoints there are, the fewer looks.
const BREATH: Duration = Duration::from_millis(10);
const REST: u32 = 5;
/// Of the places for endpoints, one in so many is for those that have just failed.
const SUSPECTS: usize = 4;
/// How many visits may wait for a receiver that is silent, for each place. One that waits costs a
/// connection and little else.
const SEATS: usize = 16;
/// Those that have just failed are looked at no more often than this: they are in no hurry, and each look
/// takes time that the healthy could have.
const SUSPECTS_WAIT: Duration = Duration::from_millis(500);

const HEALTHY: Failures = (0, 0);
const SUSPECT: Failures = (1, i64::MAX);
const EVERYBODY: &[Failures] = &[HEALTHY, SUSPECT];

/// Delivers on this replica.
#[derive(Clone, Debug)]
pub struct Courier {
    room: Events,
    /// Places of each kind, so that the failing never take those of the healthy.
    places: [(Failures, Places); 2],
    freed: Arc<Notify>,
}

impl Courier {
    /// A courier; one for each replica.
    pub fn new(room: Events) -> Self {
        let all = room.endpoints_at_once.max(2);
        let suspects = (all / SUSPECTS).max(1);
        let freed = Arc::<Notify>::default();
        let healthy = all.saturating_sub(suspects);
        let healthy = Places::new(healthy, healthy.saturating_mul(SEATS), freed.clone());
        // Those that have just failed get no seats: their few places are what keeps thousands of dead ones
        // from taking the time of everybody.
        let suspects = Places::new(suspects, 0, freed.clone());
        Self { room, places: [(HEALTHY, healthy), (SUSPECT, suspects)], freed }
    }

    /// Delivers until shutdown.
    pub async fn run(self, tasks: Tasks, poll: Duration) {
        let mut suspects_looked: Option<Instant> = None;
        while !tasks.is_stopping() {
            let looked = Instant::now();
            let rest = SUSPECTS_WAIT.min(poll);
            let whom = if suspects_looked.is_some_and(|then| then.elapsed() < rest) {
                &[HEALTHY]
            } else {
                suspects_looked = Some(looked);
                EVERYBODY
            };
            let taken = match self.take(whom).await {
                Ok(taken) => taken,
                Err(failure) => {
                    let cause = failure.cause_chain();
                    tracing::warn!(cause, "Endpoints could not be taken; trying again.");
                    Vec::new()
                }
            };
            let cost = looked.elapsed();
            let idle = taken.is_empty();
            for (leased, place) in taken {
                let (courier, stopping) = (self.clone(), tasks.clone());
                tasks.spawn(async move { courier.visit(leased, place, &stopping).await });
            }
            if idle {
                tokio::select! {
                    _ = timeout(poll, self.room.ctx.db.events_left()) => {}
                    () = self.freed.notified() => {}
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
            let taken = self.take(EVERYBODY).await?;
            if taken.is_empty() {
                return Ok(visits);
            }
            visits += taken.len();
            let visit = |(leased, place)| self.visit(leased, place, &tasks);
            join_all(taken.into_iter().map(visit)).await;
        }
    }

    /// Takes as many endpoints of these kinds as there are places.
    async fn take(&self, whom: &[Failures]) -> Result<Vec<(Leased, Place)>> {
        let mut taken = Vec::new();
        for (failures, places) in self.places.iter().filter(|(kind, _)| whom.contains(kind)) {
            let free = places.take(BATCH);
            if !free.is_empty() {
                taken.extend(self.claim(*failures, free.len()).await?.into_iter().zip(free));
            }
        }
        Ok(taken)
    }

    async fn claim(&self, failures: Failures, most: usize) -> Result<Vec<Leased>> {
        let ctx = &self.room.ctx;
        let now = ctx.now();
        if !db::read!(ctx.db, |tx| Ok(store::any_ready(tx, now, failures).await?))? {
            return Ok(Vec::new());
        }
        let lease = JobId::make(&ctx.clock, &ctx.random).to_string();
        let (until, most) = (now.plus(self.room.lease), i64::try_from(most).unwrap_or(i64::MAX));
        db::write!(ctx.db, Owner::House, |tx| {
            Ok(store::claim(tx, (now, until), failures, most, &lease).await?)
        })
    }

    /// One visit. An endpoint whose visit broke off stays leased, so that it is not tried again and
    /// again at once.
    async fn visit(&self, leased: Leased, place: Place, tasks: &Tasks) {
        let endpoint = leased.id;
        if let Err(failure) = Visit::new(&self.room, leased, place, tasks).run().await {
            let cause = failure.cause_chain();
            tracing::warn!(%endpoint, cause, "Deliveries broke off; trying again soon.");
        }
    }
}
