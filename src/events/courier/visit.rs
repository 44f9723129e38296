//! One visit to one endpoint: read the log, attempt, write down, and go on until nothing is due or time is up.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::sleep_until;

use super::{
    ahead,
    attempt::{Receiver, Signed},
    book::{Book, Bundle},
    health::{Health, Sign},
    outcome::{self, News, Then, Wrote},
    places::Place,
    store::Leased,
};
use crate::{
    base::{failure::Result, tasks::Tasks},
    db,
    events::{
        Events,
        deliveries::{self, Due},
        endpoints::{Because, open_keys},
        outbound::Sent,
    },
};

/// How many deliveries are loaded at once, and how many for one that has not answered on this visit: most of
/// them would only lie in memory, while thousands are silent.
const BATCH: usize = 256;
const SUSPECT_BATCH: usize = 16;
/// After so long without an answer a visit leaves its place to another.
const SILENCE: Duration = Duration::from_millis(100);
/// After so much time no new attempt begins: others wait for the place.
const SLICE: Duration = Duration::from_secs(10);

/// Deliveries about one resource, in order: the next begins when the one before has been answered.
type Line = VecDeque<Due>;

/// An attempt and the line that waits for it.
struct Heard {
    line: Line,
    due: Due,
    came: (Signed, Sent),
    failures_then: u32,
}

/// A visit.
pub(super) struct Visit<'a> {
    room: &'a Events,
    leased: Arc<Leased>,
    health: Health,
    place: Place,
    tasks: &'a Tasks,
    begun: Instant,
    answered: usize,
    book: Book,
    /// Some rows may be due.
    has_rows: bool,
    /// The endpoint is gone, switched off, or another's; or this visit gives its place to others.
    over: bool,
    renewed_at: Instant,
    gives_up: Option<Because>,
    /// Its merchant is to be warned.
    warns: bool,
}

impl<'a> Visit<'a> {
    pub(super) fn new(room: &'a Events, leased: Leased, place: Place, tasks: &'a Tasks) -> Self {
        Self {
            room,
            health: leased.health,
            book: Book::new(leased.planned_through),
            has_rows: leased.due_at.is_some_and(|due| due <= room.ctx.now()),
            leased: Arc::new(leased),
            place,
            tasks,
            begun: Instant::now(),
            answered: 0,
            over: false,
            renewed_at: Instant::now(),
            gives_up: None,
            warns: false,
        }
    }

    /// Delivers; gives whether there is more to do already.
    pub(super) async fn run(mut self) -> Result<bool> {
        let leased = self.leased.clone();
        let now = self.room.ctx.now();
        let keys = open_keys(&self.room.vault, leased.id, &leased.sealed, now).await?;
        let to = Receiver {
            room: self.room,
            url: &leased.url,
            dialect: leased.dialect,
            keys: &keys,
            id: leased.id,
        };
        while !self.must_end() {
            let most = if self.answered > 0 { BATCH } else { SUSPECT_BATCH };
            let due = self.next_batch(most).await?;
            let whole = due.len() < most;
            self.deliver(to, due).await?;
            if whole || self.must_end() {
                break;
            }
            // Whoever looks for rows that are due must not find these again.
            let bundle = self.book.take(self.room.ctx.now());
            let wrote = self.write(bundle, Then::Stay).await?;
            self.wrote(wrote);
        }
        let bundle = self.book.take(self.room.ctx.now());
        match self.write(bundle, Then::Leave).await? {
            Wrote::Ours { more } => Ok(more),
            Wrote::Lost => Ok(false),
        }
    }

    fn must_end(&self) -> bool {
        self.over
            || self.gives_up.is_some()
            || self.tasks.is_stopping()
            || self.begun.elapsed() > SLICE
            || self.health.is_paused(self.room.ctx.now())
    }

    /// What is due, and what is read from the log where that does not fill a batch.
    async fn next_batch(&mut self, most: usize) -> Result<Vec<Due>> {
        let mut due = Vec::new();
        if self.has_rows {
            due = self.rows(most).await?;
            self.has_rows = due.len() >= most;
        }
        // Reading on writes nothing, so it must end before the lease does.
        while due.len() < most
            && self.begun.elapsed() < SLICE
            && self.renewed_at.elapsed() < self.room.lease / 3
        {
            let missing = most.saturating_sub(due.len());
            let (room, leased, book) = (self.room, &self.leased, &mut self.book);
            match ahead::read(room, leased, book, missing).await? {
                None => break,
                Some(wanted) => due.extend(wanted),
            }
        }
        Ok(due)
    }

    async fn rows(&self, most: usize) -> Result<Vec<Due>> {
        let (ctx, Leased { merchant, id, .. }) = (&self.room.ctx, &*self.leased);
        let (now, most) = (ctx.now(), i64::try_from(most).unwrap_or(i64::MAX));
        db::read!(ctx.db, |tx| Ok(deliveries::due(tx, (*merchant, *id), now, most).await?))
    }

    async fn deliver(&mut self, to: Receiver<'_>, due: Vec<Due>) -> Result<()> {
        let mut lines = lines(due);
        let mut running: FuturesUnordered<BoxFuture<'_, Heard>> = FuturesUnordered::new();
        // One at most: each bundle begins where the one before it ends.
        let mut writing: FuturesUnordered<BoxFuture<'_, Result<Wrote>>> = FuturesUnordered::new();
        let mut heard_at = Instant::now();
        loop {
            let most = self.health.at_once(self.room.deliveries_at_once, self.answered);
            while running.len() < most && !self.must_end() && !self.book.is_full() {
                let Some(mut line) = lines.pop_front() else { break };
                let Some(due) = line.pop_front() else { continue };
                let failures_then = self.health.failures;
                self.book.begin(&due);
                running.push(Box::pin(async move {
                    let came = to.attempt(&due).await;
                    Heard { line, due, came, failures_then }
                }));
            }
            if writing.is_empty()
                && let Some(bundle) = self.bundle(running.is_empty())
            {
                writing.push(self.write(bundle, Then::Stay));
            }
            if running.is_empty() && writing.is_empty() {
                return Ok(());
            }
            let (write_by, is_writing) = (self.write_by(), !writing.is_empty());
            let aside_at = self.place.can_step_aside() && !running.is_empty();
            tokio::select! {
                Some(heard) = running.next() => {
                    heard_at = Instant::now();
                    let line = self.hear(to, heard);
                    if !line.is_empty() {
                        lines.push_front(line);
                    }
                }
                Some(wrote) = writing.next() => self.wrote(wrote?),
                () = sleep_until(write_by.into()), if !is_writing => {}
                () = sleep_until((heard_at + SILENCE).into()), if aside_at => {
                    if !self.place.step_aside() && self.health.failures == 0 {
                        self.step_back();
                        running.clear();
                    }
                }
            }
        }
    }

    /// There is no seat left to wait in: the attempts that run count as not made, and the endpoint is served
    /// as one that has just failed, at their pace. Without this, enough silent receivers would hold up
    /// everybody after all.
    fn step_back(&mut self) {
        self.book.abandon();
        self.health.failures = 1;
        self.over = true;
    }

    /// What is to be written now: enough of it, or what has waited for long. When nothing runs any more, the
    /// end of the visit writes the rest.
    fn bundle(&mut self, is_idle: bool) -> Option<Bundle> {
        let now = self.room.ctx.now();
        if self.book.has_bundle() {
            return Some(self.book.take_done(now));
        }
        (!is_idle && Instant::now() >= self.write_by()).then(|| self.book.take(now))
    }

    /// When outcomes have waited for long enough, or the lease is to be renewed because there are none: a
    /// receiver may take longer than a lease lasts.
    fn write_by(&self) -> Instant {
        let renew_by = self.renewed_at + self.room.lease / 3;
        self.book.write_by().map_or(renew_by, |by| renew_by.min(by))
    }

    fn write(&mut self, bundle: Bundle, then: Then) -> BoxFuture<'a, Result<Wrote>> {
        let (room, leased, health) = (self.room, self.leased.clone(), self.health);
        // Who is switched off need not be warned of it.
        let news = match (self.gives_up, then) {
            (Some(because), Then::Leave) => Some(News::Disabled(because)),
            (Some(_), Then::Stay) => None,
            (None, _) => self.warns.then_some(News::Failing),
        };
        self.warns = false;
        self.renewed_at = Instant::now();
        let pens = self.place.pens();
        Box::pin(async move {
            let _pen = match pens {
                Some(pens) => pens.acquire_owned().await.ok(),
                None => None,
            };
            outcome::write(room, &leased, bundle, health, (then, news)).await
        })
    }

    fn wrote(&mut self, wrote: Wrote) {
        self.over |= wrote == Wrote::Lost;
    }

    /// Takes note of an attempt; gives back the line that waited for it.
    fn hear(&mut self, to: Receiver<'_>, Heard { line, due, came, failures_then }: Heard) -> Line {
        let now = self.room.ctx.now();
        let sign = match &came.1.outcome {
            Ok(answer) => Sign::of(answer, now),
            Err(_) => Sign::Ill { asked_for: None },
        };
        self.health = self.health.after(sign, failures_then, now);
        self.answered = self.answered.saturating_add(usize::from(sign == Sign::Well));
        self.gives_up = self.gives_up.or(self.health.gives_up(sign, now));
        if self.health.warns(sign, now) {
            self.health.warned_at = Some(now);
            self.warns = true;
        }
        let outcome = if sign == Sign::Well { "delivered" } else { "failed" };
        metrics::counter!("webhook_attempts_total", "outcome" => outcome).increment(1);
        metrics::histogram!("webhook_attempt_seconds").record(came.1.took);
        let attempted = to.outcome(&due, came, sign, now);
        self.book.hear(&due, attempted);
        line
    }
}

/// Lines in the order in which their first deliveries stood.
fn lines(due: Vec<Due>) -> VecDeque<Line> {
    let mut lines: VecDeque<Line> = VecDeque::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for due in due {
        let place = *places.entry(due.about.clone()).or_insert(lines.len());
        match lines.get_mut(place) {
            Some(line) => line.push_back(due),
            None => lines.push_back(Line::from([due])),
        }
    }
    lines
}
