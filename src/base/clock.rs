//! The one source of the time.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::timestamp::Timestamp;

/// The time, handed to everything that needs it; `clippy.toml` bans the shortcuts.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    HandWound(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock, cut to the microseconds that both databases keep.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until its [`HandWound`] half is turned. Tests hold that half.
    pub fn hand_wound(start: Timestamp) -> (Self, HandWound) {
        let hands = Arc::new(AtomicI64::new(start.micros()));
        (Self(Source::HandWound(hands.clone())), HandWound(hands))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
            Source::System => SystemTime::now().into(),
            Source::HandWound(hands) => Timestamp::from_micros(hands.load(Ordering::SeqCst)),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// The key that winds a test's clock.
#[derive(Clone, Debug)]
pub struct HandWound(Arc<AtomicI64>);

impl HandWound {
    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Jumps to a moment, backwards too: a stepped clock is one of the faults we test.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.micros(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_wound_clock_moves_only_by_hand() {
        let (clock, hands) = Clock::hand_wound(Timestamp::from_unix_seconds(100));
        assert_eq!(clock.now(), clock.now());
        hands.advance(Duration::from_millis(1_500));
        assert_eq!(clock.now(), Timestamp::from_micros(101_500_000));
    }
}
