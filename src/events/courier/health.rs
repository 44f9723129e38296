//! How an endpoint has been doing, and what follows: how fast to go on, when to wait, when to give up.

use std::time::Duration;

use crate::{
    base::timestamp::Timestamp,
    events::{endpoints::Because, outbound::Answer, signatures::retry_after},
};

/// So many failures in a row, and the endpoint is left alone for a while.
const BREAKS_AFTER: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// The longest that one answer can hold up everything else for its endpoint.
const LONGEST_REQUEST: Duration = Duration::from_hours(1);
/// After a day of nothing but failures its merchant is warned.
const WARNS_AFTER: Duration = Duration::from_hours(24);
/// Days of nothing but failures, and the endpoint is switched off.
const PATIENCE: Duration = Duration::from_hours(5 * 24);
/// But not before it had so many chances.
const CHANCES: u32 = 20;

/// What an attempt told about its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A 2xx.
    Well,
    /// Anything else.
    Ill {
        /// How long the receiver asked to be left alone.
        asked_for: Option<Duration>,
    },
    /// A 410: it does not want to be called again.
    Gone,
}

impl Sign {
    /// Reads an answer.
    pub(super) fn of(answer: &Answer, now: Timestamp) -> Self {
        let asked_for = answer.retry_after.as_deref().and_then(|text| retry_after(text, now));
        match answer.status {
            200..=299 => Self::Well,
            410 => Self::Gone,
            429 | 503 => Self::Ill { asked_for },
            _ => Self::Ill { asked_for: None },
        }
    }
}

/// How an endpoint has been doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Health {
    /// Failures since the last success. Attempts that ran side by side count as one.
    pub(super) failures: u32,
    /// When the first of them was.
    pub(super) failing_since: Option<Timestamp>,
    /// No attempt before then.
    pub(super) paused_until: Timestamp,
    /// When its merchant was told of these failures.
    pub(super) warned_at: Option<Timestamp>,
}

impl Health {
    /// How many attempts may run at once: who has just failed is asked once at a time, and so is who has
    /// not answered on this visit yet. A dead receiver then holds one connection, however many events
    /// wait for it.
    pub(super) fn at_once(&self, most: usize, answered: usize) -> usize {
        match self.failures {
            0 => answered.saturating_mul(2).clamp(1, most.max(1)),
            _ => 1,
        }
    }

    /// Whether it is to be left alone now.
    pub(super) fn is_paused(&self, now: Timestamp) -> bool {
        now < self.paused_until
    }

    /// After an attempt that began when `failures_then` were counted.
    pub(super) fn after(self, sign: Sign, failures_then: u32, now: Timestamp) -> Self {
        let asked_for = match sign {
            Sign::Well => {
                return Self {
                    failures: 0,
                    failing_since: None,
                    paused_until: now,
                    warned_at: None,
                };
            }
            Sign::Ill { asked_for } => asked_for,
            Sign::Gone => None,
        };
        let failures = self.failures.max(failures_then.saturating_add(1));
        let broken = failures
            .checked_sub(BREAKS_AFTER)
            .map(|more| FIRST_PAUSE.saturating_mul(1 << more.min(10)).min(LONGEST_PAUSE));
        let pause = broken.max(asked_for.map(|asked| asked.min(LONGEST_REQUEST)));
        let paused_until = self.paused_until.max(now.plus(pause.unwrap_or_default()));
        let failing_since = self.failing_since.or(Some(now));
        Self { failures, failing_since, paused_until, ..self }
    }

    /// Whether its merchant is to be told that it fails: once, until it succeeds.
    pub(super) fn warns(&self, sign: Sign, now: Timestamp) -> bool {
        let long = self.failing_since.is_some_and(|since| now.since(since) >= WARNS_AFTER);
        matches!(sign, Sign::Ill { .. }) && long && self.warned_at.is_none()
    }

    /// Whether to switch it off, and why.
    pub(super) fn gives_up(&self, sign: Sign, now: Timestamp) -> Option<Because> {
        let long = self.failing_since.is_some_and(|since| now.since(since) >= PATIENCE);
        match sign {
            Sign::Gone => Some(Because::Gone),
            Sign::Ill { .. } if long && self.failures >= CHANCES => Some(Because::Failing),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ILL: Sign = Sign::Ill { asked_for: None };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000_000 + seconds)
    }

    fn well() -> Health {
        Health { failures: 0, failing_since: None, paused_until: at(0), warned_at: None }
    }

    fn after(count: u32, now: Timestamp) -> Health {
        (0..count).fold(well(), |health, _| health.after(ILL, health.failures, now))
    }

    #[test]
    fn one_failure_slows_down_and_ten_break_off() {
        assert_eq!((well().at_once(8, 9), after(1, at(0)).at_once(8, 9)), (8, 1));
        assert!(!after(9, at(0)).is_paused(at(0)));
        let broken = after(10, at(0));
        assert!(broken.is_paused(at(9)) && !broken.is_paused(at(10)));
        assert!(after(11, at(0)).is_paused(at(19)));
        let long = after(60, at(0));
        assert!(long.is_paused(at(299)) && !long.is_paused(at(300)), "never longer than 5 minutes");
    }

    #[test]
    fn who_has_not_answered_yet_is_asked_once() {
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(|answered| well().at_once(8, answered)),
            [1, 2, 4, 6, 8, 8]
        );
        assert_eq!(well().at_once(0, 5), 1, "never not at all");
    }

    #[test]
    fn one_success_makes_well() {
        assert_eq!(after(30, at(0)).after(Sign::Well, 30, at(5)).at_once(8, 9), 8);
        assert!(!after(30, at(0)).after(Sign::Well, 30, at(5)).is_paused(at(5)));
    }

    #[test]
    fn failures_side_by_side_are_one() {
        let both = well().after(ILL, 0, at(0)).after(ILL, 0, at(0));
        assert_eq!(both.failures, 1);
    }

    #[test]
    fn a_receiver_can_ask_to_be_left_alone_for_an_hour_at_most() {
        let asked = |seconds| {
            well().after(Sign::Ill { asked_for: Some(Duration::from_secs(seconds)) }, 0, at(0))
        };
        assert!(asked(60).is_paused(at(59)) && !asked(60).is_paused(at(60)));
        assert!(!asked(1_000_000).is_paused(at(3_600)));
    }

    #[test]
    fn a_day_of_failure_is_told_of_once_until_a_success() {
        let (day, failing) = (86_400, after(1, at(0)));
        assert!(!failing.warns(ILL, at(day - 1)) && failing.warns(ILL, at(day)));
        let warned = Health { warned_at: Some(at(day)), ..failing }.after(ILL, 1, at(day + 1));
        assert!(!warned.warns(ILL, at(3 * day)));
        let again = warned.after(Sign::Well, 2, at(4 * day)).after(ILL, 0, at(5 * day));
        assert!(!again.warns(ILL, at(5 * day)) && again.warns(ILL, at(6 * day)));
    }

    #[test]
    fn days_of_failure_and_twenty_chances_are_needed_to_give_up() {
        let days = 5 * 86_400;
        assert_eq!(after(20, at(0)).gives_up(ILL, at(days)), Some(Because::Failing));
        assert_eq!(after(20, at(0)).gives_up(ILL, at(days - 1)), None);
        assert_eq!(after(19, at(0)).gives_up(ILL, at(days)), None);
        assert_eq!(well().gives_up(Sign::Gone, at(0)), Some(Because::Gone));
    }
}
