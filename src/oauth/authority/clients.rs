//! Clients, remembered until anybody's access changes.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;

use crate::{
    base::timestamp::Timestamp,
    oauth::{
        credentials::{Client, ClientId},
        jose::Jkt,
    },
};

const KEPT: u64 = 50_000;
/// Few: who fills them is a stranger.
const UNKNOWN_KEPT: u64 = 10_000;
/// How often a last use is noted.
const NOTED_EVERY: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct Clients {
    kept: Cache<ClientId, (i64, Arc<Client>)>,
    unknown: Cache<ClientId, i64>,
    noted: Cache<Jkt, Timestamp>,
}

impl Default for Clients {
    fn default() -> Self {
        let kept = Cache::builder().max_capacity(KEPT).build();
        let unknown = Cache::builder().max_capacity(UNKNOWN_KEPT).build();
        Self { kept, unknown, noted: Cache::builder().max_capacity(KEPT).build() }
    }
}

impl Clients {
    /// Only what was read at this generation.
    pub(super) fn get(&self, id: &ClientId, generation: i64) -> Option<Arc<Client>> {
        let (read_at, client) = self.kept.get(id)?;
        (read_at == generation).then_some(client)
    }

    /// `generation` must have been asked before the client was read: a change in between then makes
    /// the entry too old at the next look, never too new.
    pub(super) fn keep(&self, client: Client, generation: i64) -> Arc<Client> {
        let (id, client) = (client.credential.client_id.clone(), Arc::new(client));
        self.kept.insert(id, (generation, client.clone()));
        client
    }

    /// Whether there is such a client, or was when this process last looked.
    pub(super) fn has_met(&self, id: &ClientId) -> bool {
        self.kept.contains_key(id)
    }

    /// Whether there was no such client at this generation. Asked again and again about an id, the
    /// database would answer later for one that does not exist than the cache for one that does.
    pub(super) fn is_unknown(&self, id: &ClientId, generation: i64) -> bool {
        self.unknown.get(id) == Some(generation)
    }

    /// Remembers that there is none. Ids are random, so none is asked about before it is made.
    pub(super) fn keep_unknown(&self, id: &ClientId, generation: i64) {
        self.unknown.insert(id.clone(), generation);
    }

    /// Whether the last use of this key, and of its one client, should be noted now; says so once a
    /// minute.
    pub(super) fn is_due(&self, jkt: &Jkt, now: Timestamp) -> bool {
        let due = self.noted.get(jkt).is_none_or(|noted| now.since(noted) >= NOTED_EVERY);
        if due {
            self.noted.insert(*jkt, now);
        }
        due
    }
}
