//! Making, rotating and removing signing keys, and keeping up with those who do.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use serde::Serialize;

use super::{
    LEAD, RingView, SKEW, SigningKey,
    files::{Entry, Folder, MANIFEST, Protection},
};
use crate::{
    base::{
        clock::Clock,
        failure::{Code, Failure, Result},
        random::Random,
        timestamp::Timestamp,
    },
    oauth::jose::Alg,
};

/// What a key is for at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Published, and not used yet.
    Next,
    /// Signs.
    Active,
    /// Published for the tokens that it signed.
    Retiring,
}

/// One key as an operator sees it.
#[derive(Clone, Debug, Serialize)]
pub struct RingKey {
    /// Its name: the RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs with.
    pub alg: String,
    /// What it is for now.
    pub stage: Stage,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it signs or signed first.
    pub active_from: Timestamp,
    /// When it goes, if another one has followed it.
    pub gone_at: Option<Timestamp>,
}

/// The signing keys, for commands and for a server that serves while they change.
#[derive(Clone, Debug)]
pub struct Ring {
    folder: Folder,
    clock: Clock,
    random: Random,
    alg: Alg,
    token_life: Duration,
    current: Arc<RwLock<Arc<RingView>>>,
    seen: Arc<Mutex<Seen>>,
    generation: Arc<AtomicU64>,
}

#[derive(Debug, PartialEq, Eq, Default)]
struct Seen {
    stamp: Option<(SystemTime, u64)>,
    stages: Vec<(String, Stage)>,
}

impl Ring {
    /// Opens the ring; makes the first key when there is none.
    pub fn open(
        path: &Path,
        protection: Protection,
        alg: Alg,
        token_life: Duration,
        clock: Clock,
        random: Random,
    ) -> Result<Self> {
        let folder = Folder::open(path, protection)?;
        {
            let _lock = folder.lock()?;
            if folder.entries()?.is_empty() {
                let now = clock.now();
                let first = make(&folder, alg, now, now, &random)?;
                folder.write_entries(vec![first])?;
            }
        }
        let stages = stages(&folder.entries()?, clock.now(), token_life);
        let view = Arc::new(look(&folder, &stages)?);
        let seen = Seen { stamp: folder.stamp(), stages: names(&stages) };
        Ok(Self {
            folder,
            clock,
            random,
            alg,
            token_life,
            current: Arc::new(RwLock::new(view)),
            seen: Arc::new(Mutex::new(seen)),
            generation: Arc::default(),
        })
    }

    /// Whether a ring has been made in this folder.
    pub fn is_kept_in(path: &Path) -> bool {
        path.join(MANIFEST).exists()
    }

    /// The keys as of the last look.
    pub fn current(&self) -> Arc<RingView> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Grows whenever the view changed: what was verified before may not be valid any more.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Looks at the folder again; cheap when nothing has changed. An unreadable folder leaves the
    /// last good view in use.
    pub fn refresh(&self) -> Result<()> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stages = stages(&self.folder.entries()?, self.clock.now(), self.token_life);
        let now = Seen { stamp: self.folder.stamp(), stages: names(&stages) };
        if now == *seen {
            return Ok(());
        }
        let view = Arc::new(look(&self.folder, &stages)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = view;
        *seen = now;
        self.generation.fetch_add(1, Ordering::SeqCst);
        tracing::info!(keys = stages.len(), "The signing keys have changed.");
        Ok(())
    }

    /// The keys, oldest first.
    pub fn list(&self) -> Result<Vec<RingKey>> {
        let entries = self.folder.entries()?;
        Ok(stages(&entries, self.clock.now(), self.token_life))
    }

    /// Publishes the next key; it signs after [`LEAD`], or at once when asked to. While a next key
    /// waits, that one is meant: two operators who rotate together make one key.
    pub fn rotate(&self, at_once: bool) -> Result<RingKey> {
        let _lock = self.folder.lock()?;
        let now = self.clock.now();
        let mut entries = self.folder.entries()?;
        let waiting = entries.iter_mut().find(|entry| entry.active_from_us > now.micros());
        let kid = if let Some(entry) = waiting {
            if at_once {
                entry.active_from_us = now.micros();
            }
            entry.kid.clone()
        } else {
            let active_from = if at_once { now } else { now.plus(LEAD) };
            let entry = make(&self.folder, self.alg, now, active_from, &self.random)?;
            let kid = entry.kid.clone();
            entries.push(entry);
            kid
        };
        let kept = stages(&entries, now, self.token_life);
        let (keep, gone): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| kept.iter().any(|key| key.kid == entry.kid));
        self.folder.write_entries(keep)?;
        for entry in gone {
            self.folder.forget(&entry.kid);
        }
        find(kept, &kid)
    }

    /// Takes a key out at once, for the day it is stolen: its tokens are refused from now on. When
    /// it is the active one, another must be there to follow it.
    pub fn remove(&self, kid: &str) -> Result<RingKey> {
        let _lock = self.folder.lock()?;
        let now = self.clock.now();
        let mut entries = self.folder.entries()?;
        let removed = find(stages(&entries, now, self.token_life), kid)?;
        entries.retain(|entry| entry.kid != kid);
        if removed.stage == Stage::Active {
            match entries.iter_mut().max_by_key(|entry| entry.active_from_us) {
                Some(next) if next.active_from_us > now.micros() => {
                    next.active_from_us = now.micros();
                }
                _ => entries.push(make(&self.folder, self.alg, now, now, &self.random)?),
            }
        }
        self.folder.write_entries(entries)?;
        self.folder.forget(kid);
        Ok(removed)
    }
}

fn names(keys: &[RingKey]) -> Vec<(String, Stage)> {
    keys.iter().map(|key| (key.kid.clone(), key.stage)).collect()
}

fn find(keys: Vec<RingKey>, kid: &str) -> Result<RingKey> {
    keys.into_iter()
        .find(|key| key.kid == kid)
        .ok_or_else(|| Failure::because(Code::NotFound, "there is no signing key with this kid"))
}

/// What each key is for at `now`; those that are gone are left out.
fn stages(entries: &[Entry], now: Timestamp, token_life: Duration) -> Vec<RingKey> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| entry.active_from_us);
    let follower = |index: usize| sorted.get(index + 1).map(|next| next.active_from_us);
    let keys = sorted.iter().enumerate().map(|(index, entry)| {
        let followed_at = follower(index).map(Timestamp::from_micros);
        let stage = match followed_at {
            _ if entry.active_from_us > now.micros() => Stage::Next,
            Some(at) if at <= now => Stage::Retiring,
            _ => Stage::Active,
        };
        RingKey {
            kid: entry.kid.clone(),
            alg: entry.alg.clone(),
            stage,
            made_at: Timestamp::from_micros(entry.made_at_us),
            active_from: Timestamp::from_micros(entry.active_from_us),
            gone_at: followed_at.map(|at| at.plus(token_life).plus(SKEW)),
        }
    });
    keys.filter(|key| key.gone_at.is_none_or(|gone| now < gone)).collect()
}

fn look(folder: &Folder, keys: &[RingKey]) -> Result<RingView> {
    let mut published = Vec::new();
    let mut active = None;
    for key in keys {
        let signing = SigningKey::from_pem(&folder.load(&key.kid)?);
        let signing = Arc::new(signing.map_err(|fault| unusable(&key.kid, fault))?);
        if signing.kid().as_str() != key.kid {
            return Err(unusable(&key.kid, "holds another key than its name says"));
        }
        if key.stage == Stage::Active {
            active = Some(signing.clone());
        }
        published.push(signing);
    }
    RingView::new(active.ok_or_else(|| unusable("ring.json", "has no active key"))?, &published)
}

fn unusable(name: &str, what: impl std::fmt::Display) -> Failure {
    Failure::new(Code::Unavailable).caused_by(format!("the signing key {name} {what}"))
}

fn make(
    folder: &Folder,
    alg: Alg,
    now: Timestamp,
    active_from: Timestamp,
    random: &Random,
) -> Result<Entry> {
    let pem = SigningKey::generate(alg.key_kind(), random).map_err(Failure::internal)?;
    let kid = SigningKey::from_pem(&pem).map_err(Failure::internal)?.kid().to_string();
    folder.store(&kid, &pem, random)?;
    Ok(Entry {
        kid,
        alg: alg.name().to_owned(),
        made_at_us: now.micros(),
        active_from_us: active_from.micros(),
    })
}
