//! What is counted, and by which event.

use std::collections::BTreeMap;

use crate::{
    base::timestamp::Timestamp,
    events::log::{EventType, Mark},
    words,
};

words! {
    /// What a count is of.
    Measure {
        /// Payouts that were asked for, by source currency.
        Made = "made",
        /// Payouts that arrived, by source currency.
        Arrived = "arrived",
        /// Payouts that were refused, failed or came back, by source currency; not those called off.
        Lost = "lost",
        /// The fees of those that arrived, by fee currency.
        Fees = "fees",
        /// Seconds from the rail's being asked until arrival, by method.
        Rail = "rail",
    }
}

/// How often, and how much in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The day (UTC), as `2026-01-31`.
    pub day: String,
    /// Of what.
    pub measure: Measure,
    /// The code of a currency, or the word of a method.
    pub name: String,
    /// How many payouts.
    pub count: i64,
    /// Minor units or seconds.
    pub total: i64,
}

/// What of a payout is counted. None of it changes any more once the event that counts it is written.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) source: (String, i64),
    pub(super) fee: (String, i64),
    pub(super) rail: String,
    pub(super) asked_at: Option<Timestamp>,
    pub(super) arrived_at: Option<Timestamp>,
}

/// Counts by day, measure and name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally(pub(super) BTreeMap<(String, Measure, String), (i64, i64)>);

impl Tally {
    /// Counts one event of a payout.
    pub(super) fn count(&mut self, mark: &Mark, facts: &Facts) {
        use EventType as E;
        let day = day(mark.at);
        match mark.kind {
            Some(E::PayoutCreated) => self.add(&day, Measure::Made, &facts.source),
            Some(E::PayoutCompleted) => {
                self.add(&day, Measure::Arrived, &facts.source);
                self.add(&day, Measure::Fees, &facts.fee);
                if let (Some(asked), Some(arrived)) = (facts.asked_at, facts.arrived_at) {
                    let seconds = i64::try_from(arrived.since(asked).as_secs()).unwrap_or(i64::MAX);
                    self.add(&day, Measure::Rail, &(facts.rail.clone(), seconds));
                }
            }
            Some(
                E::PayoutScreeningFailed | E::PayoutBlocked | E::PayoutFailed | E::PayoutReturned,
            ) => self.add(&day, Measure::Lost, &facts.source),
            _ => {}
        }
    }

    fn add(&mut self, day: &str, measure: Measure, (name, amount): &(String, i64)) {
        let key = (day.to_owned(), measure, name.clone());
        let (count, total) = self.0.entry(key).or_default();
        // A chart that stands at its ceiling is better than one that nobody can count any further.
        *count = count.saturating_add(1);
        *total = total.saturating_add(*amount);
    }
}

/// The day of a moment.
pub(super) fn day(at: Timestamp) -> String {
    at.date_time().date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let at = |second| Some(Timestamp::from_unix_seconds(second));
        Facts {
            source: ("USD".to_owned(), 1_000),
            fee: ("EUR".to_owned(), 7),
            rail: "sepa".to_owned(),
            asked_at: at(100),
            arrived_at: at(130),
        }
    }

    fn mark(kind: Option<EventType>) -> Mark {
        let at = Timestamp::from_unix_seconds(0);
        Mark { sequence: 1, kind, about: String::new(), at }
    }

    #[test]
    fn each_event_counts_what_it_says_and_no_other() {
        let mut tally = Tally::default();
        for kind in EventType::ALL {
            tally.count(&mark(Some(*kind)), &facts());
        }
        tally.count(&mark(None), &facts());
        let counts: Vec<_> = tally
            .0
            .iter()
            .map(|((day, measure, name), (count, total))| {
                format!("{day} {} {name} {count} {total}", measure.as_str())
            })
            .collect();
        assert_eq!(
            counts,
            [
                "1970-01-01 made USD 1 1000",
                "1970-01-01 arrived USD 1 1000",
                "1970-01-01 lost USD 4 4000",
                "1970-01-01 fees EUR 1 7",
                "1970-01-01 rail sepa 1 30",
            ]
        );
    }

    #[test]
    fn a_total_stops_at_its_ceiling() {
        let mut tally = Tally::default();
        let huge = Facts { source: ("BTC".to_owned(), i64::MAX), ..facts() };
        for _ in 0..2 {
            tally.count(&mark(Some(EventType::PayoutCreated)), &huge);
        }
        assert_eq!(tally.0.values().next(), Some(&(2, i64::MAX)));
    }
}
