//! What arrives together is done together: one trip to the database for many callers.
//!
//! Nobody waits for company that may never come. But whoever is ready to ask when the desk opens is let
//! in first, and those who come while it works are the next batch, so that the busier a desk is, the less each
//! caller costs.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// Does the work of many at once.
pub trait Desk: Send + Sync + 'static {
    /// What a caller brings.
    type Asked: Send + 'static;
    /// What a caller takes away.
    type Answer: Send + 'static;

    /// Serves a batch. A caller who is not told learns that the desk has failed.
    fn serve(
        &self,
        batch: Vec<Waiting<Self::Asked, Self::Answer>>,
    ) -> impl Future<Output = ()> + Send;
}

/// A caller in a batch.
#[derive(Debug)]
pub struct Waiting<Asked, Answer> {
    /// What they have brought.
    pub asked: Asked,
    tell: oneshot::Sender<Answer>,
}

impl<Asked, Answer> Waiting<Asked, Answer> {
    /// Answers; one who went away needs no answer.
    pub fn tell(self, answer: Answer) {
        _ = self.tell.send(answer);
    }

    /// Whether they have given up waiting.
    pub fn has_left(&self) -> bool {
        self.tell.is_closed()
    }
}

/// So many wait that one more would wait too long; the caller is refused at once instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// A desk and those who wait for it.
pub struct Together<D: Desk> {
    desk: D,
    most: usize,
    places: usize,
    queue: Mutex<Queue<D>>,
}

struct Queue<D: Desk> {
    waiting: Vec<Waiting<D::Asked, D::Answer>>,
    /// Whether somebody serves already, and will look at the queue again.
    served: bool,
}

impl<D: Desk> Together<D> {
    /// A desk that serves `most` at once, and lets so many wait.
    pub fn new(desk: D, most: usize, places: usize) -> Arc<Self> {
        let queue = Mutex::new(Queue { waiting: Vec::new(), served: false });
        Arc::new(Self { desk, most, places, queue })
    }

    /// The desk itself.
    pub fn desk(&self) -> &D {
        &self.desk
    }

    /// Joins the queue, and sees to it that somebody serves.
    #[expect(clippy::disallowed_methods, reason = "it serves many; no caller's end may stop it")]
    pub fn ask(self: &Arc<Self>, asked: D::Asked) -> Result<oneshot::Receiver<D::Answer>, Full> {
        let (tell, answer) = oneshot::channel();
        let mut queue = self.queue();
        if queue.waiting.len() >= self.places {
            return Err(Full);
        }
        queue.waiting.push(Waiting { asked, tell });
        if !std::mem::replace(&mut queue.served, true) {
            drop(queue);
            tokio::spawn(self.clone().serve());
        }
        Ok(answer)
    }

    async fn serve(self: Arc<Self>) {
        loop {
            // Requests that have arrived and wait for this thread only: under load they would all
            // come just after a batch of few. Where there are none, this costs a microsecond.
            tokio::task::yield_now().await;
            let Some(batch) = self.next_batch() else { return };
            self.desk.serve(batch).await;
        }
    }

    /// Nothing waiting and nobody serving is decided under one lock, or a caller could be left alone.
    fn next_batch(&self) -> Option<Vec<Waiting<D::Asked, D::Answer>>> {
        let mut queue = self.queue();
        let most = queue.waiting.len().min(self.most);
        queue.served = most > 0;
        queue.served.then(|| queue.waiting.drain(..most).collect())
    }

    fn queue(&self) -> MutexGuard<'_, Queue<D>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Desk + fmt::Debug> fmt::Debug for Together<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Together({:?})", self.desk)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    /// Tells everybody how many they were, once it may.
    struct Counting(Semaphore);

    impl Desk for Counting {
        type Asked = ();
        type Answer = usize;

        async fn serve(&self, batch: Vec<Waiting<(), usize>>) {
            self.0.acquire().await.unwrap().forget();
            let count = batch.len();
            for waiting in batch {
                waiting.tell(count);
            }
        }
    }

    #[tokio::test]
    async fn one_is_served_alone_and_those_who_came_meanwhile_together() {
        let desk = Together::new(Counting(Semaphore::new(0)), 3, 5);
        let first = desk.ask(()).unwrap();
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        // The desk has opened, let in whoever was ready, and found the first one only.
        let others: Vec<_> = (0..5).map(|_| desk.ask(()).unwrap()).collect();
        assert_eq!(desk.ask(()).unwrap_err(), Full);
        desk.desk().0.add_permits(3);
        assert_eq!(first.await.unwrap(), 1);
        let mut served = Vec::new();
        for other in others {
            served.push(other.await.unwrap());
        }
        assert_eq!(served, [3, 3, 3, 2, 2]);
        desk.desk().0.add_permits(1);
        assert_eq!(desk.ask(()).unwrap().await.unwrap(), 1, "an empty desk opens again");
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "callers of their own are the point")]
    async fn those_who_are_ready_when_the_desk_opens_are_one_batch() {
        let desk = Together::new(Counting(Semaphore::new(1)), 9, 9);
        let callers: Vec<_> = (0..5)
            .map(|_| {
                let desk = desk.clone();
                tokio::spawn(async move { desk.ask(()).unwrap().await.unwrap() })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.unwrap(), 5);
        }
    }

    #[tokio::test]
    async fn a_desk_that_breaks_leaves_nobody_waiting() {
        struct Broken;
        impl Desk for Broken {
            type Asked = ();
            type Answer = ();
            async fn serve(&self, batch: Vec<Waiting<(), ()>>) {
                drop(batch);
            }
        }
        let desk = Together::new(Broken, 1, 1);
        assert!(desk.ask(()).unwrap().await.is_err());
    }
}
