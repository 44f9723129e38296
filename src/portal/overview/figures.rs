//! The last thirty days in numbers, from what is counted of each day.

use crate::{
    money::{Amount, Currency},
    payouts::days::{Count, Measure},
};

/// One day of one source currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) date: String,
    pub(super) made: i64,
    pub(super) arrived: i64,
    pub(super) lost: i64,
    /// Minor units that arrived.
    pub(super) volume: i64,
    /// Minor units of fees, by their currency's own rows.
    pub(super) fees: i64,
}

/// A rail and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rail {
    pub(super) name: String,
    pub(super) payouts: i64,
    /// Seconds on the average.
    pub(super) seconds: i64,
}

/// What the charts show.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    pub(super) currency: Currency,
    /// Every currency that anything was counted in, the busiest first.
    pub(super) currencies: Vec<Currency>,
    pub(super) days: Vec<Day>,
    pub(super) rails: Vec<Rail>,
}

impl Figures {
    /// The figures of these days, in the wanted currency or else the busiest; nothing when nothing
    /// was counted.
    pub(super) fn of(days: &[String], counts: &[Count], wanted: Option<Currency>) -> Option<Self> {
        let currencies = currencies(counts);
        let currency = wanted.or_else(|| currencies.first().copied())?;
        if counts.is_empty() {
            return None;
        }
        let days = days.iter().map(|day| one_day(day, counts, currency.code())).collect();
        Some(Self { currency, currencies, days, rails: rails(counts) })
    }

    /// An amount in the currency of the figures.
    pub(super) fn amount(&self, minor: i64) -> Amount {
        Amount::from_minor(minor, self.currency)
    }

    /// All days together.
    pub(super) fn total(&self) -> Day {
        let add = |mut sum: Day, day: &Day| {
            sum.made = sum.made.saturating_add(day.made);
            sum.arrived = sum.arrived.saturating_add(day.arrived);
            sum.lost = sum.lost.saturating_add(day.lost);
            sum.volume = sum.volume.saturating_add(day.volume);
            sum.fees = sum.fees.saturating_add(day.fees);
            sum
        };
        self.days.iter().fold(Day::default(), add)
    }
}

impl Day {
    /// How many of a thousand that came to an end have arrived; nothing when none did.
    pub(super) fn per_mille(&self) -> Option<i64> {
        let ended = self.arrived.checked_add(self.lost)?;
        self.arrived.checked_mul(1000)?.checked_div(ended)
    }
}

fn one_day(day: &str, counts: &[Count], code: &str) -> Day {
    let mut seen = Day { date: day.to_owned(), ..Day::default() };
    for count in counts.iter().filter(|count| count.day == day && count.name == code) {
        match count.measure {
            Measure::Made => seen.made = count.count,
            Measure::Arrived => (seen.arrived, seen.volume) = (count.count, count.total),
            Measure::Lost => seen.lost = count.count,
            Measure::Fees => seen.fees = count.total,
            Measure::Rail => {}
        }
    }
    seen
}

fn currencies(counts: &[Count]) -> Vec<Currency> {
    let mut found: Vec<(i64, Currency)> = Vec::new();
    for count in counts.iter().filter(|count| count.measure != Measure::Rail) {
        let Ok(currency) = count.name.parse::<Currency>() else { continue };
        match found.iter_mut().find(|(_, known)| *known == currency) {
            Some((sum, _)) => *sum = sum.saturating_add(count.count),
            None => found.push((count.count, currency)),
        }
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.code().cmp(b.1.code())));
    found.into_iter().map(|(_, currency)| currency).collect()
}

fn rails(counts: &[Count]) -> Vec<Rail> {
    let mut rails: Vec<Rail> = Vec::new();
    for count in counts.iter().filter(|count| count.measure == Measure::Rail) {
        match rails.iter_mut().find(|rail| rail.name == count.name) {
            Some(rail) => {
                rail.payouts = rail.payouts.saturating_add(count.count);
                rail.seconds = rail.seconds.saturating_add(count.total);
            }
            None => rails.push(Rail {
                name: count.name.clone(),
                payouts: count.count,
                seconds: count.total,
            }),
        }
    }
    for rail in &mut rails {
        rail.seconds = rail.seconds.checked_div(rail.payouts).unwrap_or(0);
    }
    rails.sort_by(|a, b| b.payouts.cmp(&a.payouts).then_with(|| a.name.cmp(&b.name)));
    rails
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(day: &str, measure: Measure, name: &str, count: i64, total: i64) -> Count {
        Count { day: day.to_owned(), measure, name: name.to_owned(), count, total }
    }

    #[test]
    fn days_without_payouts_are_there_and_empty() {
        let days = ["2026-01-01".to_owned(), "2026-01-02".to_owned()];
        let counts = [
            count("2026-01-02", Measure::Made, "USD", 4, 400),
            count("2026-01-02", Measure::Arrived, "USD", 2, 200),
            count("2026-01-02", Measure::Lost, "USD", 1, 100),
            count("2026-01-02", Measure::Fees, "USD", 2, 9),
            count("2026-01-02", Measure::Made, "EUR", 1, 50),
            count("2026-01-01", Measure::Rail, "sepa", 1, 10),
            count("2026-01-02", Measure::Rail, "sepa", 3, 50),
        ];
        let figures = Figures::of(&days, &counts, None).unwrap();
        assert_eq!(figures.currencies.iter().map(|c| c.code()).collect::<Vec<_>>(), ["USD", "EUR"]);
        assert_eq!(figures.days[0], Day { date: days[0].clone(), ..Day::default() });
        assert_eq!(figures.days[1].per_mille(), Some(666));
        assert_eq!(figures.days[0].per_mille(), None);
        assert_eq!((figures.total().volume, figures.total().fees), (200, 9));
        assert_eq!(figures.rails[0], Rail { name: "sepa".to_owned(), payouts: 4, seconds: 15 });
        assert!(Figures::of(&days, &[], None).is_none());
    }
}
