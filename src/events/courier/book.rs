//! What a visit knows and the database does not yet.
//!
//! Events come from the log as they are; an event gets its row together with the outcome of its first attempt,
//! in the transaction that moves the endpoint past it. So nothing is passed over, and the ordinary
//! delivery costs one row written once. Only where an attempt is still running, or has not begun, while
//! later events are done, does an event get a row that waits.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{
    base::timestamp::Timestamp,
    events::{
        DeliveryId, EventId,
        deliveries::{Ahead, Attempted, Due, Status, Written},
    },
};

/// Outcomes are written down in bundles, and none waits longer than this.
const BUNDLE: usize = 128;
const PATIENCE: Duration = Duration::from_millis(200);
/// With so many outcomes unwritten no new attempt begins: a crash would repeat them all.
const BACKLOG: usize = 4 * BUNDLE;

/// An event from the log without a row.
#[derive(Debug)]
struct Fresh {
    id: DeliveryId,
    event: EventId,
    about: String,
    began: bool,
    outcome: Option<Attempted>,
}

/// What is to be written in one transaction.
#[derive(Debug)]
pub(super) struct Bundle {
    /// Where the endpoint stands in the log, and where it will.
    pub(super) from: i64,
    pub(super) through: i64,
    /// Events that get a row.
    pub(super) fresh: Vec<Written>,
    /// Outcomes of deliveries that have one.
    pub(super) recorded: Vec<Attempted>,
}

/// What is known of one endpoint's deliveries.
#[derive(Debug)]
pub(super) struct Book {
    written_through: i64,
    read_through: i64,
    fresh: BTreeMap<i64, Fresh>,
    recorded: Vec<Attempted>,
    /// How many of the fresh have an outcome.
    done: usize,
    oldest: Option<Instant>,
}

impl Book {
    /// For an endpoint that stands there in its log.
    pub(super) fn new(planned_through: i64) -> Self {
        Self {
            written_through: planned_through,
            read_through: planned_through,
            fresh: BTreeMap::new(),
            recorded: Vec::new(),
            done: 0,
            oldest: None,
        }
    }

    /// Up to where the log was read.
    pub(super) fn read_through(&self) -> i64 {
        self.read_through
    }

    /// Nothing wanted lies between what was read before and this number.
    pub(super) fn read(&mut self, through: i64) {
        self.read_through = through;
    }

    /// An event that is wanted; gives its first delivery.
    pub(super) fn plan(&mut self, ahead: Ahead, id: DeliveryId) -> Due {
        let (event, about) = (ahead.id, ahead.about.clone());
        let fresh = Fresh { id, event, about, began: false, outcome: None };
        self.fresh.insert(ahead.sequence, fresh);
        ahead.due(id)
    }

    /// An attempt begins.
    pub(super) fn begin(&mut self, due: &Due) {
        if let Some(fresh) = self.fresh.get_mut(&due.sequence).filter(|fresh| fresh.id == due.id) {
            fresh.began = true;
        }
    }

    /// What came of it.
    pub(super) fn hear(&mut self, due: &Due, attempted: Attempted) {
        self.oldest.get_or_insert_with(Instant::now);
        match self.fresh.get_mut(&due.sequence).filter(|fresh| fresh.id == due.id) {
            Some(fresh) => {
                fresh.outcome = Some(attempted);
                self.done += 1;
            }
            None => self.recorded.push(attempted),
        }
    }

    /// Attempts that have no outcome will have none: as if they had not begun.
    pub(super) fn abandon(&mut self) {
        for fresh in self.fresh.values_mut() {
            fresh.began = fresh.outcome.is_some();
        }
    }

    fn unwritten(&self) -> usize {
        self.done.saturating_add(self.recorded.len())
    }

    /// Whether attempts run ahead of the database.
    pub(super) fn is_full(&self) -> bool {
        self.unwritten() >= BACKLOG
    }

    /// Whether there is enough to write.
    pub(super) fn has_bundle(&self) -> bool {
        self.unwritten() >= BUNDLE
    }

    /// Until when something must be written.
    pub(super) fn write_by(&self) -> Option<Instant> {
        self.oldest.map(|oldest| oldest + PATIENCE)
    }

    /// Up to the first event without an outcome, unless that leaves most behind.
    pub(super) fn take_done(&mut self, now: Timestamp) -> Bundle {
        let done = self.fresh.values().take_while(|fresh| fresh.outcome.is_some()).count();
        if done < self.done / 2 {
            return self.take(now);
        }
        let waiting = self.fresh.iter().nth(done).map(|(sequence, _)| *sequence);
        self.cut(waiting, now)
    }

    /// Up to the last event whose attempt has begun. Those before it that have no outcome get rows that wait.
    pub(super) fn take(&mut self, now: Timestamp) -> Bundle {
        let not_begun = |(sequence, fresh): (&i64, &Fresh)| (!fresh.began).then_some(*sequence);
        let waiting = self.fresh.iter().rev().map_while(not_begun).last();
        self.cut(waiting, now)
    }

    /// Everything before this number.
    fn cut(&mut self, waiting: Option<i64>, now: Timestamp) -> Bundle {
        let later = waiting.map(|first| self.fresh.split_off(&first)).unwrap_or_default();
        let taken = std::mem::replace(&mut self.fresh, later);
        let from = self.written_through;
        self.written_through = waiting.map_or(self.read_through, |first| first.saturating_sub(1));
        self.done = self.fresh.values().filter(|fresh| fresh.outcome.is_some()).count();
        self.oldest = (self.done > 0).then(Instant::now);
        let row = |(sequence, fresh): (i64, Fresh)| Written {
            sequence,
            event: fresh.event,
            about: fresh.about,
            last: fresh.outcome.unwrap_or_else(|| waits(fresh.id, now)),
        };
        Bundle {
            from,
            through: self.written_through,
            fresh: taken.into_iter().map(row).collect(),
            recorded: std::mem::take(&mut self.recorded),
        }
    }
}

/// A delivery that was not attempted yet, as far as is known.
fn waits(id: DeliveryId, now: Timestamp) -> Attempted {
    Attempted {
        id,
        attempts: 0,
        status: Status::Pending.as_str(),
        next: Some(now.micros()),
        signed_at: None,
        signatures: None,
        code: None,
        headers: None,
        body: None,
        error: None,
        ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{clock::Clock, random::Random},
        events::log::EventType,
    };

    const NOW: Timestamp = Timestamp::from_micros(7);

    /// A book with the events 1, 2, 3 and 5; nobody wants the fourth and the sixth.
    fn book() -> (Book, Vec<Due>) {
        let (clock, _) = Clock::hand_wound(NOW);
        let random = Random::seeded(1);
        let mut book = Book::new(0);
        let plan = |sequence| {
            let id = EventId::make(&clock, &random);
            let ahead = Ahead::new(sequence, id, EventType::PayoutSent, NOW);
            book.plan(ahead, DeliveryId::make(&clock, &random))
        };
        let due = [1, 2, 3, 5].map(plan).into();
        book.read(6);
        (book, due)
    }

    fn done(book: &mut Book, due: &Due) {
        book.begin(due);
        let attempted =
            Attempted { attempts: 1, status: "delivered", next: None, ..waits(due.id, NOW) };
        book.hear(due, attempted);
    }

    fn told(bundle: &Bundle) -> (i64, i64, Vec<(i64, &str)>) {
        let rows = bundle.fresh.iter().map(|row| (row.sequence, row.last.status)).collect();
        (bundle.from, bundle.through, rows)
    }

    #[test]
    fn what_is_done_is_written_once_and_the_endpoint_moves_past_all_of_it() {
        let (mut book, due) = book();
        for due in &due {
            done(&mut book, due);
        }
        let all = ["delivered"; 4].into_iter();
        let bundle = book.take_done(NOW);
        assert_eq!(told(&bundle), (0, 6, [1, 2, 3, 5].into_iter().zip(all).collect()));
        assert!(bundle.recorded.is_empty() && book.write_by().is_none());
        assert_eq!(told(&book.take(NOW)), (6, 6, vec![]));
    }

    #[test]
    fn the_first_that_is_not_done_stops_the_bundle_or_gets_a_row_that_waits() {
        let (mut book, due) = book();
        done(&mut book, &due[0]);
        book.begin(&due[1]);
        done(&mut book, &due[2]);
        assert_eq!(told(&book.take_done(NOW)), (0, 1, vec![(1, "delivered")]));
        assert!(book.write_by().is_some(), "the third waits still");
        let rest = book.take(NOW);
        assert_eq!(told(&rest), (1, 4, vec![(2, "pending"), (3, "delivered")]));
        // What comes of the second is an outcome of a row from now on.
        done(&mut book, &due[1]);
        let bundle = book.take(NOW);
        assert_eq!((told(&bundle), bundle.recorded.len()), ((4, 4, vec![]), 1));
    }

    #[test]
    fn what_was_abandoned_is_left_in_the_log() {
        let (mut book, due) = book();
        done(&mut book, &due[0]);
        book.begin(&due[1]);
        book.abandon();
        assert_eq!(told(&book.take(NOW)), (0, 1, vec![(1, "delivered")]));
    }

    #[test]
    fn a_second_round_of_the_same_event_is_another_delivery() {
        let (mut book, due) = book();
        let (clock, _) = Clock::hand_wound(NOW);
        let id = DeliveryId::make(&clock, &Random::seeded(2));
        let again = Ahead::new(1, due[0].event, EventType::PayoutSent, NOW).due(id);
        done(&mut book, &again);
        let bundle = book.take(NOW);
        assert_eq!((told(&bundle), bundle.recorded.len()), ((0, 0, vec![]), 1));
    }
}
