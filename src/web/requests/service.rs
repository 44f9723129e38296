//! From the answer to the table, and out of it again.

use std::{
    array, fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Mutex, mpsc};

use super::{Answered, Filter, Line, LineId, store};
use crate::{
    base::{
        failure::Result,
        ids::MerchantId,
        pagination::{Page, PageRequest},
        tasks::Tasks,
    },
    ctx::Ctx,
    db::{self, Owner},
};

/// Lines that wait: some seconds of all that one replica can answer, in a few megabytes.
const WAITING: usize = 16_384;
/// Lines of one merchant between two looks at the buffer: five hundred a second. Somebody who asks more often
/// learns nothing from the others, each of which costs a fifth of a request, and some 200 bytes of disk. Refused
/// ones have a share of their own: those are looked for.
const SHARE: u32 = 250;
/// How many shares there are: merchants who get the same one share it.
const SHARES: usize = 1_024;
/// Lines in one transaction: a payment that comes meanwhile waits for it on SQLite, about as long as
/// for another payment; and of a smaller one the commit would be the greater part.
const BATCH: usize = 250;
/// Between two looks at the buffer.
const PAUSE: Duration = Duration::from_millis(500);

/// The log of one replica: cheap to hand around, and nothing when it is switched off.
#[derive(Clone, Default)]
pub struct RequestLog(Option<Arc<Buffer>>);

struct Buffer {
    leave: mpsc::Sender<Answered>,
    /// Locked by whoever writes; those who leave lines never see it.
    taken: Mutex<mpsc::Receiver<Answered>>,
    /// What each share may still leave of what was answered well, and of what was refused.
    shares: [[AtomicU32; SHARES]; 2],
}

impl Buffer {
    /// A place for a line of this merchant's, if there is one.
    fn place(&self, merchant: MerchantId, refused: bool) -> Option<mpsc::Permit<'_, Answered>> {
        let [well, ill] = &self.shares;
        let share = if refused { ill } else { well }.get(merchant.spread(SHARES))?;
        // The place first: a full buffer must not use up shares.
        let place = self.leave.try_reserve().ok()?;
        let less = |left: u32| left.checked_sub(1);
        share.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok().map(|_| place)
    }

    fn open_shares(&self) {
        for share in self.shares.iter().flatten() {
            share.store(SHARE, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_on() { "RequestLog(on)" } else { "RequestLog(off)" })
    }
}

impl RequestLog {
    /// A log that keeps lines.
    pub fn new() -> Self {
        let (leave, taken) = mpsc::channel(WAITING);
        let shares = array::from_fn(|_| array::from_fn(|_| AtomicU32::new(SHARE)));
        Self(Some(Arc::new(Buffer { leave, taken: Mutex::new(taken), shares })))
    }

    /// Whether lines are kept.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Leaves a line, or drops it when too many of this merchant's wait, or of all. Nobody waits for the
    /// channel, so this wakes nobody up, and costs what the line itself costs.
    pub fn note(&self, merchant: MerchantId, refused: bool, line: impl FnOnce() -> Answered) {
        let Some(buffer) = &self.0 else { return };
        match buffer.place(merchant, refused) {
            Some(place) => place.send(line()),
            None => metrics::counter!("request_log_dropped_total").increment(1),
        }
    }

    /// Writes what waits. What the write door refuses is dropped: it is full of payments.
    pub async fn flush(&self, ctx: &Ctx) -> Result<()> {
        let Some(buffer) = &self.0 else { return Ok(()) };
        let mut taken = buffer.taken.lock().await;
        buffer.open_shares();
        loop {
            let mut lines = Vec::new();
            while lines.len() < BATCH
                && let Ok(line) = taken.try_recv()
            {
                lines.push(line);
            }
            if lines.is_empty() {
                return Ok(());
            }
            let kept = keep(ctx, &lines).await;
            if kept.is_err() {
                let lost = u64::try_from(lines.len()).unwrap_or(u64::MAX);
                metrics::counter!("request_log_dropped_total").increment(lost);
            }
            kept?;
        }
    }

    /// Writes what waits, again and again, until shutdown; the rest is for whoever closes the door.
    pub async fn keep_up(self, ctx: Ctx, tasks: Tasks) {
        while self.is_on() && tokio::time::timeout(PAUSE, tasks.stopping()).await.is_err() {
            if let Err(failure) = self.flush(&ctx).await {
                tracing::warn!(cause = failure.cause_chain(), "Lines of the request log are lost.");
            }
        }
    }
}

async fn keep(ctx: &Ctx, lines: &[Answered]) -> Result<()> {
    // Ordered by when the request came, not by when the line is written.
    let named = lines.iter().map(|line| (LineId::of(line.at, &ctx.random), line));
    let rows: Vec<_> = named.map(|(id, line)| store::row(id, line)).collect();
    let rows = db::rows(&rows)?;
    // Off the lanes of money where there are several; a crash may take them.
    db::write_one!(ctx.db, Owner::Passing, |tx| Ok(store::insert(tx, &rows).await?))
}

/// A merchant's lines, the newest first.
pub async fn page(
    ctx: &Ctx,
    merchant: MerchantId,
    filter: &Filter,
    request: &PageRequest,
) -> Result<Page<Line>> {
    let lines = db::read!(ctx.db, |tx| Ok(store::page(tx, merchant, filter, request).await?))?;
    Ok(Page::cut(lines, request, |line| line.id.to_string()))
}
