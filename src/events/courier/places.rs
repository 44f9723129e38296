//! Places to work in, and seats for those who only wait.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How many of those who sit may write at once: thousands of silent receivers that run out of time in the
/// same moment must not fill the queue of the database.
const PENS: usize = 32;

/// Places of one kind.
#[derive(Clone, Debug)]
pub(super) struct Places {
    to_work: Arc<Semaphore>,
    to_wait: Arc<Semaphore>,
    pens: Arc<Semaphore>,
    freed: Arc<Notify>,
}

/// The place of one visit; free again when this value is gone.
#[derive(Debug)]
pub(super) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    of: Places,
    taken: bool,
    settled: bool,
    sits: bool,
}

impl Places {
    /// So many places and seats; `freed` is rung whenever there is a place more.
    pub(super) fn new(count: usize, seats: usize, freed: Arc<Notify>) -> Self {
        let semaphore = |count| Arc::new(Semaphore::new(count));
        Self { to_work: semaphore(count), to_wait: semaphore(seats), pens: semaphore(PENS), freed }
    }

    /// Holds free places, so many at most; those that are not [`taken`](Place::taken) are given back
    /// without a sound.
    pub(super) fn hold(&self, most: usize) -> Vec<Place> {
        let place = || {
            let permit = Some(self.to_work.clone().try_acquire_owned().ok()?);
            Some(Place { permit, of: self.clone(), taken: false, settled: false, sits: false })
        };
        std::iter::from_fn(place).take(most).collect()
    }
}

impl Place {
    /// For a visit.
    pub(super) fn taken(mut self) -> Self {
        self.taken = true;
        self
    }

    /// Whether nobody has tried yet to leave it to somebody else.
    pub(super) fn can_step_aside(&self) -> bool {
        !self.settled
    }

    /// Leaves the place to somebody else and takes a seat, for the rest of the visit; false when there is no
    /// seat left. Without this, as many silent receivers as there are places would hold up everybody.
    pub(super) fn step_aside(&mut self) -> bool {
        self.settled = true;
        let Ok(seat) = self.of.to_wait.clone().try_acquire_owned() else { return false };
        self.permit = Some(seat);
        self.sits = true;
        self.of.freed.notify_one();
        true
    }

    /// Where to get the right to write: those who have a place have it, those who sit take turns.
    pub(super) fn pens(&self) -> Option<Arc<Semaphore>> {
        self.sits.then(|| self.of.pens.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permit = None;
        if self.taken {
            self.of.freed.notify_one();
        }
    }
}

/// How many connections all seats together may hold, by how many files this process may have open: the other
/// half is for those who call us. Without this, thousands of dead receivers would keep callers out.
pub(super) fn connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let files = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    files.map_or(usize::MAX, |files| files / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_steps_aside_leaves_the_place_to_another() {
        let places = Places::new(2, 5, Arc::default());
        let mut taken = places.hold(5);
        assert_eq!((taken.len(), places.hold(1).len()), (2, 0));
        assert!(taken[0].step_aside());
        assert!(!taken[0].can_step_aside() && taken[1].can_step_aside());
        let other = places.hold(5);
        assert_eq!(other.len(), 1);
        drop(taken);
        assert_eq!(places.hold(5).len(), 1, "a seat is not a place");
        drop(other);
        assert_eq!(places.hold(5).len(), 2);
    }

    #[test]
    fn without_a_seat_one_cannot_step_aside() {
        let places = Places::new(1, 3, Arc::default());
        let mut waiting = Vec::new();
        for _ in 0..3 {
            let mut place = places.hold(1).pop().unwrap();
            assert!(place.step_aside() && place.pens().is_some());
            waiting.push(place);
        }
        let mut last = places.hold(1).pop().unwrap();
        assert!(!last.step_aside() && last.pens().is_none());
        waiting.clear();
        assert!(places.hold(1).is_empty(), "it has its place still");
    }

    #[tokio::test]
    async fn a_place_that_was_only_held_wakes_nobody() {
        let freed = Arc::<Notify>::default();
        let places = Places::new(1, 0, freed.clone());
        let woken = async || {
            let short = std::time::Duration::from_millis(1);
            tokio::time::timeout(short, freed.notified()).await.is_ok()
        };
        drop(places.hold(1));
        assert!(!woken().await, "an idle courier would look for ever");
        drop(places.hold(1).pop().map(Place::taken));
        assert!(woken().await);
    }
}
