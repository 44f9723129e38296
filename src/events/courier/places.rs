//! Places to work in, and seats for those who only wait.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Places of one kind.
#[derive(Clone, Debug)]
pub(super) struct Places {
    to_work: Arc<Semaphore>,
    to_wait: Arc<Semaphore>,
    freed: Arc<Notify>,
}

/// The place of one visit; free again when this value is gone.
#[derive(Debug)]
pub(super) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    of: Places,
    settled: bool,
}

impl Places {
    /// So many places and seats; `freed` is rung whenever there is a place more.
    pub(super) fn new(count: usize, seats: usize, freed: Arc<Notify>) -> Self {
        let semaphore = |count| Arc::new(Semaphore::new(count));
        Self { to_work: semaphore(count), to_wait: semaphore(seats), freed }
    }

    /// Takes free places, so many at most.
    pub(super) fn take(&self, most: usize) -> Vec<Place> {
        let place = || self.to_work.clone().try_acquire_owned().ok();
        let place = || Some(Place { permit: Some(place()?), of: self.clone(), settled: false });
        std::iter::from_fn(place).take(most).collect()
    }
}

impl Place {
    /// Whether it can still be left to somebody else.
    pub(super) fn can_step_aside(&self) -> bool {
        !self.settled
    }

    /// Leaves the place to somebody else and takes a seat, for the rest of the visit. Without this, as
    /// many silent receivers as there are places would hold up everybody.
    pub(super) fn step_aside(&mut self) {
        self.settled = true;
        if let Ok(seat) = self.of.to_wait.clone().try_acquire_owned() {
            self.permit = Some(seat);
            self.of.freed.notify_one();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permit = None;
        self.of.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_steps_aside_leaves_the_place_to_another() {
        let places = Places::new(2, 5, Arc::default());
        let mut taken = places.take(5);
        assert_eq!((taken.len(), places.take(1).len()), (2, 0));
        taken[0].step_aside();
        assert!(!taken[0].can_step_aside() && taken[1].can_step_aside());
        let other = places.take(5);
        assert_eq!(other.len(), 1);
        drop(taken);
        assert_eq!(places.take(5).len(), 1, "a seat is not a place");
        drop(other);
        assert_eq!(places.take(5).len(), 2);
    }

    #[test]
    fn without_a_seat_one_stays() {
        let places = Places::new(1, 3, Arc::default());
        let mut waiting = Vec::new();
        for _ in 0..3 {
            let mut place = places.take(1).pop().unwrap();
            place.step_aside();
            waiting.push(place);
        }
        let mut last = places.take(1).pop().unwrap();
        last.step_aside();
        assert!(places.take(1).is_empty());
        waiting.clear();
        assert!(places.take(1).is_empty(), "it has its place still");
    }
}
