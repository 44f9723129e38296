//! Merchants whose servers do everything wrong, and note what they were told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::json;

use super::{Load, Victim, fleet::Trap};
use crate::{
    events::receiver::{Answer, Receiver, Seen},
    support::http::Connection,
};

/// What a receiver has noted about one event.
#[derive(Clone, Debug, Default)]
pub(super) struct Note {
    pub(super) body: Vec<u8>,
    pub(super) requests: i64,
    /// It said 2xx in words that one can read.
    pub(super) acknowledged: bool,
}

/// By the number in the log.
pub(super) type Notes = Arc<Mutex<BTreeMap<i64, Note>>>;

/// Somebody's server, and the endpoint that leads to it.
pub(super) struct Door {
    receiver: Receiver,
    pub(super) id: String,
    pub(super) notes: Notes,
}

/// A merchant that makes payouts.
pub(super) struct Shop {
    pub(super) victim: Victim,
    pub(super) token: String,
    pub(super) load: Load,
    /// Well on the whole, with every flaw now and then; some events it never takes.
    pub(super) moody: Door,
    /// Never well, always in the same way.
    pub(super) hopeless: Door,
    /// Says before long that it is gone.
    pub(super) gone: Door,
    /// The payouts that were acknowledged.
    pub(super) made: Mutex<Vec<String>>,
}

/// How often a moody receiver does something wrong, and which events it never takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mood {
    pub(super) flaw_every: usize,
    pub(super) never_takes_every: i64,
}

fn bytes(text: &str) -> Answer {
    Answer::Bytes(text.to_owned())
}

/// Everything that is no acknowledgement.
fn refusals() -> Vec<Answer> {
    vec![
        Answer::Drop,
        Answer::Stall,
        Answer::Status(500),
        bytes("HTTP/1.1 301 So\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
        bytes("HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
        // Closes in the middle of the body.
        bytes("HTTP/1.1 500 No\r\nContent-Length: 999\r\n\r\nhalf"),
        // Two lengths, and neither is true.
        bytes("HTTP/1.1 200 So\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nlies"),
        bytes("HTTP/1.1 200"),
        bytes("nonsense\r\n\r\n"),
    ]
}

/// Acknowledgements, whatever becomes of the body.
fn odd_acknowledgements() -> Vec<Answer> {
    vec![
        Answer::StallInBody,
        bytes("HTTP/1.1 200 So\r\nContent-Length: 999\r\n\r\nhalf"),
        bytes("HTTP/1.1 202 So\r\nContent-Length: 2\r\n\r\nmore than two"),
        bytes("HTTP/1.1 200 So\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ]
}

impl Door {
    /// A receiver that notes what comes, and gives each answer that is picked: `true` with those that
    /// acknowledge.
    async fn open(
        mut pick: impl FnMut(&Seen) -> (Answer, bool) + Send + 'static,
        trap: Arc<Trap>,
        first: impl Fn(&Seen) + Send + 'static,
    ) -> Self {
        let notes = Notes::default();
        let noting = notes.clone();
        let receiver = Receiver::doing(move |seen| {
            let (answer, acknowledges) = pick(seen);
            trap.tick();
            let mut notes = noting.lock().unwrap();
            let note = notes.entry(seen.sequence()).or_default();
            if note.requests == 0 {
                note.body.clone_from(&seen.body);
                first(seen);
            }
            assert_eq!(note.body, seen.body, "the same bytes each time");
            note.requests += 1;
            note.acknowledged |= acknowledges;
            answer
        });
        Self { receiver: receiver.await, id: String::new(), notes }
    }

    async fn register(&mut self, victim: &Victim, line: &mut Connection, token: &str, kind: &str) {
        let body = json!({ "url": self.receiver.url(), "events": [kind] });
        let made = victim.post(line, token, &self.receiver.url(), ("/v1/webhooks", &body)).await;
        made.unwrap()["id"].as_str().unwrap().clone_into(&mut self.id);
    }
}

/// Well on the whole.
fn moods(mood: Mood) -> impl FnMut(&Seen) -> (Answer, bool) + Send {
    let (bad, odd) = (refusals(), odd_acknowledgements());
    let mut count = 0;
    move |seen| {
        count += 1;
        let turn = count / mood.flaw_every;
        if seen.sequence() % mood.never_takes_every == 0 {
            return (bad[count % bad.len()].clone(), false);
        }
        match turn % (bad.len() + odd.len()) {
            _ if count % mood.flaw_every != 0 => (Answer::Status(200), true),
            flaw if flaw < bad.len() => (bad[flaw].clone(), false),
            flaw => (odd[flaw - bad.len()].clone(), true),
        }
    }
}

impl Shop {
    /// With its receivers; they are not known to the server yet. `number` says in which way the
    /// hopeless one is.
    pub(super) async fn open(
        victim: Victim,
        number: usize,
        mood: Mood,
        trap: &Arc<Trap>,
        first: impl Fn(&Seen) + Send + 'static,
    ) -> Self {
        let load = victim.payouts().await;
        let hopeless = refusals().swap_remove(number);
        let mut heard = 0;
        let leaves = move |_: &Seen| {
            heard += 1;
            if heard < 4 { (Answer::Status(200), true) } else { (Answer::Status(410), false) }
        };
        Self {
            load,
            token: String::new(),
            moody: Door::open(moods(mood), trap.clone(), first).await,
            hopeless: Door::open(move |_| (hopeless.clone(), false), trap.clone(), |_| ()).await,
            gone: Door::open(leaves, trap.clone(), |_| ()).await,
            made: Mutex::default(),
            victim,
        }
    }

    /// Makes a payout; its id, or `None` when the server went away meanwhile. One that is refused for the
    /// moment is asked for again at once, with the same key.
    pub(super) async fn pay(
        &self,
        line: &mut Connection,
        key: &str,
        refused: &AtomicU64,
    ) -> Option<String> {
        let Self { victim, token, load, .. } = self;
        loop {
            let answer = victim.try_post(line, token, key, (load.path, &load.body)).await?;
            match answer.status {
                200..300 => return Some(answer.json()[load.id].as_str().unwrap().to_owned()),
                503 => refused.fetch_add(1, Ordering::Relaxed),
                status => panic!("{status}: {}", answer.text()),
            };
        }
    }

    /// Makes the endpoints.
    pub(super) async fn register(&mut self, address: std::net::SocketAddr) {
        let mut line = Connection::open(address).await;
        let (victim, token) = (&self.victim, self.victim.mint(address).await);
        self.moody.register(victim, &mut line, &token, "*").await;
        self.hopeless.register(victim, &mut line, &token, "payout.completed").await;
        self.gone.register(victim, &mut line, &token, "*").await;
        self.token = token;
    }
}
