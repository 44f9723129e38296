//! One visit to one endpoint: plan, attempt, record, and go on until nothing is due or time is up.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use tokio::time::sleep_until;

use super::{
    health::{Health, Sign},
    places::Place,
    planning::{self, Plan},
    store::{self, Leased},
};
use crate::{
    base::{
        failure::{Failure, Result},
        tasks::Tasks,
    },
    db,
    events::{
        Events,
        deliveries::{self, Attempted, Due, Status},
        endpoints::{Because, open_keys},
        log::{self, EventType, NewEvent},
        outbound::Sent,
        signatures::{Headers, Message, SigningKeys},
    },
};

/// How many deliveries are loaded at once, and how many for one that has just failed: most of them would
/// only lie in memory.
const BATCH: usize = 256;
const SUSPECT_BATCH: usize = 16;
/// After so long without an answer a visit leaves its place to another.
const SILENCE: Duration = Duration::from_millis(100);
/// After so much time no new attempt begins: others wait for the place.
const SLICE: Duration = Duration::from_secs(10);
/// Outcomes are written down in bundles, and none waits longer than this.
const BUNDLE: usize = 128;
const PATIENCE: Duration = Duration::from_millis(200);
/// How much of the answer to a delivery that went well is kept.
const KEPT_OF_SUCCESS: usize = 512;

/// Deliveries about one resource, in order: the next begins when the one before has been answered.
type Line = VecDeque<Due>;

/// An attempt and the line that waits for it.
struct Heard {
    line: Line,
    due: Due,
    signed: Signed,
    sent: Sent,
    failures_then: u32,
}

/// A visit.
pub(super) struct Visit<'a> {
    room: &'a Events,
    leased: Leased,
    health: Health,
    place: Place,
    tasks: &'a Tasks,
    begun: Instant,
    answered: usize,
    /// The endpoint is gone, switched off, or another's.
    over: bool,
    unwritten: Vec<Attempted>,
    oldest_unwritten: Option<Instant>,
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
            leased,
            place,
            tasks,
            begun: Instant::now(),
            answered: 0,
            over: false,
            unwritten: Vec::new(),
            oldest_unwritten: None,
            renewed_at: Instant::now(),
            gives_up: None,
            warns: false,
        }
    }

    pub(super) async fn run(mut self) -> Result<()> {
        let Leased { id, sealed, .. } = &self.leased;
        let keys = open_keys(&self.room.vault, *id, sealed, self.room.ctx.now()).await?;
        while !self.must_end() {
            let due = self.next_batch().await?;
            if due.is_empty() {
                break;
            }
            self.deliver(&keys, due).await?;
        }
        let (ctx, leased) = (&self.room.ctx, &self.leased);
        db::write!(ctx.db, leased.merchant, |tx| {
            Ok(store::release(tx, leased, ctx.now()).await?)
        })
    }

    fn must_end(&self) -> bool {
        self.over
            || self.gives_up.is_some()
            || self.tasks.is_stopping()
            || self.begun.elapsed() > SLICE
            || self.health.is_paused(self.room.ctx.now())
    }

    /// What is due, and what is planned now where that does not fill a batch.
    async fn next_batch(&mut self) -> Result<Vec<Due>> {
        let most = if self.health.failures == 0 { BATCH } else { SUSPECT_BATCH };
        let mut due = self.due(most).await?;
        while due.len() < most {
            match planning::plan(self.room, &mut self.leased).await? {
                Plan::Nothing => break,
                Plan::Planned(planned) if planned.is_empty() => {}
                Plan::Planned(planned) => {
                    due.extend(planned);
                    break;
                }
                Plan::Lost => {
                    self.over = true;
                    return Ok(Vec::new());
                }
            }
        }
        // The others are in the database, and due.
        due.truncate(most);
        Ok(due)
    }

    async fn due(&self, most: usize) -> Result<Vec<Due>> {
        let (ctx, Leased { merchant, id, .. }) = (&self.room.ctx, &self.leased);
        let (now, most) = (ctx.now(), i64::try_from(most).unwrap_or(i64::MAX));
        db::read!(ctx.db, |tx| Ok(deliveries::due(tx, (*merchant, *id), now, most).await?))
    }

    async fn deliver(&mut self, keys: &SigningKeys, due: Vec<Due>) -> Result<()> {
        let room = self.room;
        let (url, dialect) = (self.leased.url.clone(), self.leased.dialect);
        let mut lines = lines(due);
        let mut running: FuturesUnordered<BoxFuture<'_, Heard>> = FuturesUnordered::new();
        let to = Receiver { room, url: &url, dialect, keys, id: self.leased.id };
        let mut heard_at = Instant::now();
        loop {
            let most = self.health.at_once(room.deliveries_at_once, self.answered);
            while running.len() < most && !self.must_end() {
                let Some(mut line) = lines.pop_front() else { break };
                let Some(due) = line.pop_front() else { continue };
                let failures_then = self.health.failures;
                running.push(Box::pin(async move {
                    let (signed, sent) = to.attempt(&due).await;
                    Heard { line, due, signed, sent, failures_then }
                }));
            }
            if running.is_empty() {
                break;
            }
            let write_by = self.write_by();
            let aside_at = self.place.can_step_aside().then(|| heard_at + SILENCE);
            tokio::select! {
                Some(heard) = running.next() => {
                    heard_at = Instant::now();
                    let line = self.hear(heard);
                    if !line.is_empty() {
                        lines.push_front(line);
                    }
                }
                () = sleep_until(write_by.into()) => {}
                () = until(aside_at), if aside_at.is_some() => self.place.step_aside(),
            }
            if Instant::now() >= write_by || self.unwritten.len() >= BUNDLE {
                self.write_down().await?;
            }
        }
        if self.unwritten.is_empty() { Ok(()) } else { self.write_down().await }
    }

    /// When outcomes have waited for long enough, or the lease is to be renewed because there are none: a
    /// receiver may take longer than a lease lasts.
    fn write_by(&self) -> Instant {
        let renew_by = self.renewed_at + self.room.lease / 3;
        self.oldest_unwritten.map_or(renew_by, |oldest| renew_by.min(oldest + PATIENCE))
    }

    /// Takes note of an attempt; gives back the line that waited for it.
    fn hear(&mut self, Heard { line, due, signed, sent, failures_then }: Heard) -> Line {
        let now = self.room.ctx.now();
        let sign = match &sent.outcome {
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
        metrics::histogram!("webhook_attempt_seconds").record(sent.took);
        self.unwritten.push(self.attempted(&due, signed, sent, sign));
        self.oldest_unwritten.get_or_insert_with(Instant::now);
        line
    }

    fn attempted(&self, due: &Due, signed: Signed, sent: Sent, sign: Sign) -> Attempted {
        let now = self.room.ctx.now();
        let attempts = due.attempts.saturating_add(1);
        let made = u32::try_from(attempts).unwrap_or(u32::MAX);
        let asked_for = match sign {
            Sign::Ill { asked_for } => asked_for,
            Sign::Well | Sign::Gone => None,
        };
        let random = &self.room.ctx.random;
        let next = self.leased.dialect.schedule().next(made, now, asked_for, random);
        let (status, next) = match (sign, next) {
            (Sign::Well, _) => (Status::Delivered, None),
            (_, Some(next)) => (Status::Pending, Some(next.micros())),
            (_, None) => (Status::Failed, None),
        };
        let (code, headers, body, error) = match sent.outcome {
            Ok(answer) => {
                let error = (sign != Sign::Well).then(|| refusal(answer.status));
                let body = kept(answer.body, sign);
                (Some(answer.status), Some(answer.headers), Some(body), error)
            }
            Err(fault) => (None, None, None, Some(fault.to_string())),
        };
        Attempted {
            id: due.id,
            attempts,
            status: status.as_str(),
            next,
            signed_at: signed.at,
            signatures: signed.headers.into_iter().collect(),
            code,
            headers,
            body,
            error,
            ms: u64::try_from(sent.took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Writes outcomes and the state of the endpoint in one transaction, and renews the lease.
    async fn write_down(&mut self) -> Result<()> {
        let (ctx, leased, health) = (&self.room.ctx, &self.leased, &self.health);
        let lease = self.room.lease;
        let (attempted, gives_up) = (&self.unwritten, self.gives_up);
        // Who is switched off need not be warned of it.
        let warning = (self.warns && gives_up.is_none()).then(|| self.warning()).transpose()?;
        let disabled = gives_up.map(|because| self.disabled(because)).transpose()?;
        let ours = db::write!(ctx.db, leased.merchant, |tx| {
            let now = ctx.now();
            if !attempted.is_empty() {
                deliveries::record(tx, leased.merchant, attempted, now).await?;
            }
            let ours = store::keep(tx, leased, health, now.plus(lease)).await?;
            if let (Some(because), Some(event), true) = (gives_up, &disabled, ours)
                && store::disable(tx, leased, because, now).await?
            {
                log::append(tx, ctx, leased.merchant, event).await?;
            }
            if let (Some(event), true) = (&warning, ours) {
                log::append(tx, ctx, leased.merchant, event).await?;
            }
            Ok(ours)
        })?;
        if let (Some(because), true) = (gives_up, ours) {
            let (endpoint, because) = (leased.id, because.as_str());
            tracing::warn!(%endpoint, because, "A webhook endpoint was switched off.");
        }
        self.over |= !ours;
        self.warns = false;
        self.unwritten.clear();
        self.oldest_unwritten = None;
        self.renewed_at = Instant::now();
        Ok(())
    }

    fn warning(&self) -> Result<NewEvent> {
        let id = self.leased.id.to_string();
        let data = json!({
            "id": id,
            "url": self.leased.url,
            "status": "active",
            "failing_since": self.health.failing_since,
        });
        NewEvent::new(EventType::WebhookFailing, id, &data).map_err(Failure::internal)
    }

    fn disabled(&self, because: Because) -> Result<NewEvent> {
        let id = self.leased.id.to_string();
        let data = json!({
            "id": id,
            "url": self.leased.url,
            "status": "disabled",
            "disabled_reason": because.as_str(),
            "failing_since": self.health.failing_since,
        });
        NewEvent::new(EventType::WebhookDisabled, id, &data).map_err(Failure::internal)
    }
}

/// Whom one visit is for.
#[derive(Clone, Copy)]
struct Receiver<'a> {
    room: &'a Events,
    url: &'a str,
    dialect: crate::events::signatures::Dialect,
    keys: &'a SigningKeys,
    id: crate::events::EndpointId,
}

impl Receiver<'_> {
    /// Signs and sends one delivery.
    async fn attempt(&self, due: &Due) -> (Signed, Sent) {
        let now = self.room.ctx.now();
        if due.attempts == 0 {
            metrics::histogram!("webhook_wait_seconds").record(now.since(due.happened_at));
        }
        let (event, delivery) = (due.event.to_string(), due.id.to_string());
        let attempt = u32::try_from(due.attempts).unwrap_or(u32::MAX).saturating_add(1);
        let message = Message {
            event: &event,
            kind: due.kind.as_str(),
            delivery: &delivery,
            attempt,
            unix_seconds: now.unix_seconds(),
            body: &due.body,
        };
        let plain = self.dialect.plain_headers(&message);
        let signatures = self.dialect.signatures(self.keys, &message);
        let headers = header_map(plain.iter().chain(&signatures));
        let signed = Signed { at: message.unix_seconds, headers: signatures };
        let patience = self.dialect.timeout().min(self.room.timeout);
        let body = Bytes::copy_from_slice(&due.body);
        let sent = self.room.outbound.post(self.url, headers, body, patience).await;
        tracing::debug!(endpoint = %self.id, delivery, attempt, took = ?sent.took, "A delivery was attempted.");
        (signed, sent)
    }
}

/// What was signed when: it cannot be told later, because secrets change.
struct Signed {
    at: i64,
    headers: Headers,
}

fn header_map<'h>(headers: impl Iterator<Item = &'h (&'static str, String)>) -> HeaderMap {
    let line = |(name, value): &(&'static str, String)| {
        Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
    };
    headers.filter_map(line).collect()
}

fn refusal(status: u16) -> String {
    match status {
        300..=399 => "the answer was a redirect, which is not followed".to_owned(),
        410 => "the receiver said that it is gone".to_owned(),
        _ => format!("the receiver answered {status}"),
    }
}

fn kept(mut body: String, sign: Sign) -> String {
    if sign == Sign::Well {
        body.truncate(body.floor_char_boundary(KEPT_OF_SUCCESS));
    }
    body
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

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}
