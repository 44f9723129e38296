//! When a failed attempt is repeated.

use std::time::Duration;

use crate::base::{random::Random, timestamp::Timestamp};

/// The longest that a receiver can put us off.
const LONGEST_REQUEST: Duration = Duration::from_hours(24);

/// Pauses between attempts.
#[derive(Debug)]
pub struct Schedule {
    pub(super) pauses: &'static [Duration],
    /// How far a pause may be off, either way, so that what failed together does not return together.
    pub(super) jitter_percent: u8,
}

impl Schedule {
    /// How many attempts there are in all.
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.pauses.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// When the attempt after `made` ones is due, or `None` when those were all. A receiver that asks
    /// for more time gets it, up to a day; it cannot ask to be called sooner.
    pub fn next(
        &self,
        made: u32,
        now: Timestamp,
        asked_for: Option<Duration>,
        random: &Random,
    ) -> Option<Timestamp> {
        let index = usize::try_from(made.checked_sub(1)?).ok()?;
        let pause = self.pauses.get(index)?;
        let micros = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
        let spread = micros / 100 * u64::from(self.jitter_percent);
        let jitter = random.below(spread.saturating_mul(2).saturating_add(1));
        let pause = Duration::from_micros(micros.saturating_sub(spread).saturating_add(jitter));
        let asked_for = asked_for.unwrap_or_default().min(LONGEST_REQUEST);
        Some(now.plus(pause.max(asked_for)))
    }
}

/// How long a `Retry-After` asks to wait: seconds, or a date.
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let format = &time::format_description::well_known::Rfc2822;
    let date = time::OffsetDateTime::parse(text, format).ok()?;
    Some(Timestamp::from(date).since(now))
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::*;

    fn start() -> Timestamp {
        Timestamp::from_unix_seconds(1_000_000)
    }

    #[test]
    fn payouts_are_tried_again_after_30_s_2_8_and_32_min() {
        let schedule = Dialect::Payouts.schedule();
        let random = Random::seeded(1);
        let pause = |made| {
            schedule.next(made, start(), None, &random).map(|next| next.since(start()).as_secs())
        };
        assert_eq!([1, 2, 3, 4].map(pause), [Some(30), Some(120), Some(480), Some(1_920)]);
        assert_eq!(pause(5), None, "the fifth attempt is the last");
    }

    #[test]
    fn jitter_stays_within_a_tenth_and_is_not_always_the_same() {
        let schedule = Dialect::Standard.schedule();
        let random = Random::seeded(1);
        let pauses: Vec<u64> = (0..50)
            .map(|_| schedule.next(4, start(), None, &random).unwrap().since(start()).as_secs())
            .collect();
        assert!(pauses.iter().all(|pause| (1_620..=1_980).contains(pause)), "{pauses:?}");
        assert!(pauses.iter().any(|pause| Some(pause) != pauses.first()));
    }

    #[test]
    fn a_receiver_can_ask_for_more_time_but_not_for_less_nor_for_ever() {
        let next = |asked| {
            let asked = Some(Duration::from_secs(asked));
            let next = Dialect::Payouts.schedule().next(1, start(), asked, &Random::seeded(1));
            next.unwrap().since(start()).as_secs()
        };
        assert_eq!((next(1), next(90), next(10_000_000)), (30, 90, 86_400));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "1994-11-06T08:48:37Z".parse().unwrap();
        let minute = Some(Duration::from_mins(1));
        assert_eq!(retry_after("60", now), minute);
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), minute);
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-5", now), None);
    }
}
