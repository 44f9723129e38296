//! Several servers on one database, of which one after the other is killed and started again.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, watch};

use super::{Running, Victim};

/// Short waits, and receivers on the loopback.
const SETTINGS: &[(&str, &str)] = &[
    ("COUNTERFOIL_WEBHOOKS__ALLOW_LOOPBACK", "true"),
    ("COUNTERFOIL_WEBHOOKS__TIMEOUT", "1s"),
    ("COUNTERFOIL_WEBHOOKS__LEASE", "1s"),
    ("COUNTERFOIL_JOBS__POLL_INTERVAL", "100ms"),
];

/// One of them.
pub(super) struct Replica {
    running: Mutex<Running>,
    /// Where it listens; `None` from before it is killed until it is back.
    address: watch::Sender<Option<SocketAddr>>,
}

/// All of them.
pub(super) struct Fleet {
    home: Victim,
    replicas: Vec<Replica>,
}

impl Replica {
    /// Its address, once it has one.
    pub(super) async fn address(&self) -> SocketAddr {
        let mut seen = self.address.subscribe();
        let address =
            *seen.wait_for(Option::is_some).await.expect("the fleet outlives its callers");
        address.expect("it was waited for")
    }
}

impl Fleet {
    /// Starts so many.
    pub(super) fn start(home: Victim, count: usize) -> Self {
        let replicas = (0..count).map(|_| {
            let (running, address) = home.start_with(SETTINGS);
            Replica { running: Mutex::new(running), address: watch::Sender::new(Some(address)) }
        });
        Self { replicas: replicas.collect(), home }
    }

    pub(super) fn replicas(&self) -> &[Replica] {
        &self.replicas
    }

    /// `kill -9`, and another process in its place.
    pub(super) async fn replace(self: &Arc<Self>, which: u64) {
        let fleet = self.clone();
        let replaced = tokio::task::spawn_blocking(move || {
            let which = usize::try_from(which).unwrap() % fleet.replicas.len();
            let Replica { running, address } = &fleet.replicas[which];
            let mut running = running.lock().unwrap();
            // First: whoever finds the old one gone waits for the new one.
            address.send_replace(None);
            running.kill();
            let (new, at) = fleet.home.start_with(SETTINGS);
            *running = new;
            address.send_replace(Some(at));
        });
        replaced.await.unwrap();
    }

    /// Kills all of them.
    pub(super) fn end(&self) {
        for replica in &self.replicas {
            replica.running.lock().unwrap().kill();
        }
    }
}

/// Says when the next one is to be killed: after so many deliveries and answers, and not sooner than
/// this after the last.
pub(super) struct Trap {
    every: u64,
    apart: Duration,
    since: Mutex<(u64, Instant)>,
    fire: mpsc::UnboundedSender<()>,
}

impl Trap {
    pub(super) fn new(every: u64, apart: Duration) -> (Self, mpsc::UnboundedReceiver<()>) {
        let (fire, fired) = mpsc::unbounded_channel();
        (Self { every, apart, since: Mutex::new((0, Instant::now())), fire }, fired)
    }

    /// One more delivery or answer.
    pub(super) fn tick(&self) {
        let mut since = self.since.lock().unwrap();
        since.0 += 1;
        if since.0 >= self.every && since.1.elapsed() >= self.apart {
            *since = (0, Instant::now());
            // Nobody listens when there have been enough.
            let _ = self.fire.send(());
        }
    }
}
